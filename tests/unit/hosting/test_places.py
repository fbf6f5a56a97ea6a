"""Places of those who send: so many for each, so many in all, and free again however the sending ends."""

from contextlib import ExitStack

import pytest

from hosting.answers import ApiError
from hosting.places import Places

PER_USER, IN_ALL = 3, 8


def of_files() -> Places:
    return Places("files", per_user=PER_USER, in_all=IN_ALL)


def refused(places: Places, user_id: str) -> tuple[int, str]:
    with pytest.raises(ApiError) as refusal, places.one_for(user_id):
        pass
    assert int(refusal.value.headers["Retry-After"]) > 0
    return refusal.value.status, refusal.value.code


def test_one_user_cannot_take_them_all() -> None:
    places = of_files()
    with ExitStack() as sending:
        for _ in range(PER_USER):
            sending.enter_context(places.one_for("someone"))
        assert refused(places, "someone") == (429, "too_many_uploads")
        with places.one_for("another"):
            pass
    with places.one_for("someone"):
        pass


def test_when_all_are_taken_everybody_waits() -> None:
    places = of_files()
    with ExitStack() as sending:
        for number in range(IN_ALL):
            sending.enter_context(places.one_for(f"user-{number}"))
        assert refused(places, "another") == (503, "busy")
        assert refused(places, "user-0") == (503, "busy")
    with places.one_for("another"):
        pass


def test_who_is_cut_off_leaves_a_free_place() -> None:
    places = of_files()
    for _ in range(IN_ALL + 1):
        with pytest.raises(OSError, match="cut"), places.one_for("someone"):
            raise OSError("cut")
