"""Which models a process can encode for, and which one it expects to answer a user."""

from embeddings.testing import FakeEncoder
from search import models
from search.cut_offs import Calibration
from search.models import Model, Models

CALIBRATION = Calibration(0.3, 0.3)
OLD, NEW = Model(FakeEncoder(384), CALIBRATION), Model(FakeEncoder(1536), CALIBRATION)


def test_without_a_choice_the_current_model_answers() -> None:
    known = Models(OLD, [NEW])
    assert (known.named(None), known.named("fake-1536"), known.named("other")) == (OLD, NEW, None)
    assert (known.ids, known.beside) == (("fake-384", "fake-1536"), (NEW,))


def test_the_guess_is_what_answered_last() -> None:
    known = Models(OLD, [NEW])
    assert known.guess("ada") is OLD
    known.remember("ada", NEW)
    assert (known.guess("ada"), known.guess("bob")) == (NEW, OLD)
    known.remember("ada", OLD)
    assert known.guess("ada") is OLD


def test_guesses_do_not_grow_without_bound() -> None:
    known = Models(OLD, [NEW])
    for n in range(models._MOST_REMEMBERED + 1):
        known.remember(str(n), NEW)
    assert (known.guess("0"), known.guess("1")) == (OLD, NEW)
