"""How alike two answers are, from their upload ids."""

import pytest

from search.comparison import compared, overlap, places_read
from search.store.models import Coverage

ABC = ["a", "b", "c"]


@pytest.mark.parametrize(
    ("before", "after", "share"),
    [
        ([], [], 1.0),
        (ABC, ABC, 1.0),
        (ABC, ["c", "a", "b"], 1.0),
        (ABC, ["d", "e", "f"], 0.0),
        (ABC, [], 0.0),
        ([], ABC, 0.0),
        (["a", "b"], ["a", "b", "c", "d"], 0.5),
        ([str(n) for n in range(40)], [str(n) for n in range(10, 50)], 0.5),
    ],
)
def test_overlap_is_the_share_of_the_first_twenty_that_both_have(
    before: list[str], after: list[str], share: float
) -> None:
    assert overlap(before, after) == share


@pytest.mark.parametrize(
    ("after", "changed"),
    [(ABC, False), ([*ABC, "x"], False), (["b", "a", "c"], True), (["a", "b"], True), (["a", "b", "x", "c"], True)],
)
def test_another_order_among_the_first_three_is_a_change(after: list[str], changed: bool) -> None:
    assert compared("q", ABC, after, {}).first_changed is changed


def test_the_first_three_are_named_as_far_as_they_are_there() -> None:
    one = compared("q", ["a", "gone", "b", "c"], ["c"], {"a": "a.txt", "b": "b.txt", "c": "c.txt"})
    assert (one.before, one.after) == (("a.txt", "b.txt"), ("c.txt",))


@pytest.mark.parametrize(
    ("files", "covered", "places"), [(203, 203, 20), (200, 100, 40), (3, 2, 30), (1_000_000, 1, 10_000)]
)
def test_the_fewer_files_both_have_the_further_their_answers_are_read(files: int, covered: int, places: int) -> None:
    assert places_read(Coverage(files, covered, 0, 0)) == places
