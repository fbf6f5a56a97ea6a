"""Events in any order, any number of times: the same state."""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from contracts.artifacts import UploadRef
from search.lifecycle import ANALYZED, FAILED, PROCESSED, FileState, embedded_by

PARTS = (PROCESSED, ANALYZED, FAILED, embedded_by("a"), embedded_by("b"))


@dataclass(frozen=True)
class Happened:
    """An event of one part, or with ``part`` None a deletion."""

    generation: int
    run: int
    part: str | None


def ref(event):
    return UploadRef(
        upload_id="upl_" + "a" * 26,
        user_id="ada",
        bucket="uploads",
        object_name="ada/x",
        generation=event.generation,
        run=event.run,
    )


def apply(events):
    state = None
    for event in events:
        known = state or FileState(event.generation)
        if event.part is None:
            state = known.deleted(ref(event))
        elif known.wants(ref(event), event.part):
            state = known.after(ref(event), event.part)
        else:
            state = known
    return state


happenings = st.builds(Happened, st.integers(1, 3), st.integers(0, 2), st.one_of(st.none(), st.sampled_from(PARTS)))


@given(st.lists(happenings, min_size=1, max_size=8), st.data())
def test_any_order_and_any_repetition_give_the_same_state(events, data):
    shuffled = data.draw(st.permutations(events + data.draw(st.lists(st.sampled_from(events), max_size=4))))
    assert apply(shuffled) == apply(events)


def test_a_later_generation_is_a_new_life_an_earlier_event_is_not():
    state = apply([Happened(1, 0, PROCESSED), Happened(1, 0, None)])
    assert not state.wants(ref(Happened(1, 0, PROCESSED)), PROCESSED)
    assert state.wants(ref(Happened(2, 0, PROCESSED)), PROCESSED)


def test_a_deletion_of_the_overwritten_generation_leaves_the_newer_alone():
    state = apply([Happened(2, 0, PROCESSED), Happened(1, 0, None)])
    assert state.runs == {PROCESSED: 0}
    assert state.generation == 2


def test_an_earlier_run_never_replaces_a_later_one_and_models_do_not_disturb_each_other():
    state = apply([Happened(1, 1, embedded_by("a")), Happened(1, 0, embedded_by("b"))])
    assert state.runs == {embedded_by("a"): 1, embedded_by("b"): 0}
    assert not state.wants(ref(Happened(1, 0, embedded_by("a"))), embedded_by("a"))
    assert not state.needs_analysis_texts


def test_a_later_run_is_the_file_restored():
    state = apply([Happened(1, 0, PROCESSED), Happened(1, 0, None), Happened(1, 1, PROCESSED)])
    assert state.runs == {PROCESSED: 1}
    assert apply([Happened(1, 1, PROCESSED), Happened(1, 0, None)]).runs == {PROCESSED: 1}


def test_texts_of_a_newer_analysis_stand_beside_older_passages_until_theirs_come():
    waiting = apply([Happened(1, 0, embedded_by("a")), Happened(1, 1, ANALYZED)])
    assert waiting.needs_analysis_texts
    assert not apply([Happened(1, 1, ANALYZED), Happened(1, 1, embedded_by("a"))]).needs_analysis_texts
