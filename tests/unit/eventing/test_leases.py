"""What the broker is told about messages: each settlement once, and an extension for whatever is still held."""

from eventing.delivery import Ack, Nack
from eventing.leases import EXTEND_EVERY_S, LEASE_S, Leases


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_each_settlement_is_told_once_and_those_of_a_moment_together() -> None:
    leases = Leases(Clock())
    for ack_id in ("a", "b", "c", "d"):
        leases.hold(ack_id)
    leases.settle("a", Ack())
    leases.settle("b", Ack())
    leases.settle("c", Nack())
    leases.settle("d", Nack(30))
    told = leases.take()
    assert list(told.ack_ids) == ["a", "b"]
    assert dict(zip(told.modify_deadline_ack_ids, told.modify_deadline_seconds, strict=True)) == {"c": 0, "d": 30}
    again = leases.take()
    assert not again.ack_ids
    assert not again.modify_deadline_ack_ids


def test_what_is_held_is_extended_well_before_its_lease_ends_and_nothing_else_is() -> None:
    clock = Clock()
    leases = Leases(clock)
    for ack_id in ("held", "done", "refused"):
        leases.hold(ack_id)
    assert 2 * EXTEND_EVERY_S < LEASE_S
    clock.now += EXTEND_EVERY_S - 1
    assert not leases.take().modify_deadline_ack_ids
    assert leases.due_in_s() == 1
    clock.now += 1
    leases.settle("done", Ack())
    leases.settle("refused", Nack())
    told = leases.take()
    assert list(told.ack_ids) == ["done"]
    extended = dict(zip(told.modify_deadline_ack_ids, told.modify_deadline_seconds, strict=True))
    assert extended == {"held": LEASE_S, "refused": 0}
    assert leases.due_in_s() == EXTEND_EVERY_S


def test_a_lease_is_extended_even_while_other_messages_keep_the_stream_busy() -> None:
    clock = Clock()
    leases = Leases(clock)
    leases.hold("long")
    extensions = 0
    for number in range(200):
        clock.now += 0.5
        leases.hold(str(number))
        leases.settle(str(number), Ack())
        extensions += "long" in leases.take().modify_deadline_ack_ids
    assert extensions == 100 / EXTEND_EVERY_S
