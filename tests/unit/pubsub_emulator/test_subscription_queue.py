"""The queue as a state machine under a clock that only the test moves."""

import pytest

from localcloud.pubsub.ack_ids import AckId
from localcloud.pubsub.deliveries import Entry, Failure
from localcloud.pubsub.flow import FlowBudget
from tests.unit.pubsub_emulator.queue_bench import LEASE, Bench


def test_messages_leave_in_publish_order_and_only_once() -> None:
    bench = Bench()
    bench.add(1, 2, 3)
    assert bench.ids(2) == [1, 2]
    assert bench.ids() == [3]
    assert bench.ids() == []


def test_acknowledged_messages_are_forgotten() -> None:
    bench = Bench()
    bench.add(1)
    [lease] = bench.take()
    assert bench.ack(lease)
    bench.pass_time(LEASE * 10)
    assert bench.ids() == []
    assert len(bench.queue) == 0
    assert not bench.ack(lease)


def test_expired_lease_is_redelivered_exactly_at_its_deadline() -> None:
    bench = Bench()
    bench.add(1)
    bench.take()
    assert bench.queue.next_due == bench.now + LEASE
    bench.pass_time(LEASE - 0.001)
    assert bench.ids() == []
    bench.pass_time(0.001)
    assert bench.ids() == [1]


def test_extension_moves_the_deadline_both_ways() -> None:
    bench = Bench()
    bench.add(1, 2)
    longer, shorter = bench.take()
    assert bench.modify(longer, 60)
    assert bench.modify(shorter, 1)
    bench.pass_time(1)
    assert bench.ids() == [2]
    bench.pass_time(LEASE)
    assert [lease.message_id for lease in bench.take()] == [2]
    bench.pass_time(60)
    assert 1 in bench.ids()


def test_nack_without_retry_policy_is_immediate() -> None:
    bench = Bench()
    bench.add(1, 2)
    first, _ = bench.take()
    assert bench.nack(first)
    assert bench.ids() == [1]


def test_stale_ack_ids_do_nothing_after_redelivery() -> None:
    bench = Bench()
    bench.add(1)
    [old] = bench.take()
    bench.pass_time(LEASE)
    [new] = bench.take()
    assert not bench.ack(old)
    assert not bench.nack(old)
    assert not bench.modify(old, 60)
    assert bench.ack(new)


def test_late_ack_counts_until_the_message_is_handed_out_again() -> None:
    bench = Bench()
    bench.add(1)
    [lease] = bench.take()
    bench.pass_time(LEASE)
    assert bench.ack(lease)
    assert bench.ids() == []


def test_exactly_once_refuses_a_late_ack() -> None:
    bench = Bench(exactly_once=True)
    bench.add(1)
    [lease] = bench.take()
    bench.pass_time(LEASE)
    assert not bench.ack(lease)
    assert bench.ids() == [1]


def test_ack_of_a_lease_from_before_a_restart_counts() -> None:
    bench = Bench()
    bench.add(1)
    assert bench.queue.acknowledge(AckId(1, 77))
    assert bench.ids() == []


@pytest.mark.parametrize("by_expiry", [False, True])
def test_backoff_doubles_from_minimum_to_maximum(by_expiry: bool) -> None:
    bench = Bench(minimum_backoff=10, maximum_backoff=60)
    bench.add(1)
    for expected in (10, 20, 40, 60, 60):
        [lease] = bench.take()
        if by_expiry:
            bench.pass_time(LEASE)
        else:
            bench.nack(lease)
        bench.pass_time(expected - 0.01)
        assert bench.take() == []
        bench.pass_time(0.01)
    assert bench.ids() == [1]


def test_a_message_backing_off_does_not_hold_up_others() -> None:
    bench = Bench(minimum_backoff=10, maximum_backoff=600)
    bench.add(1, 2)
    bench.nack(bench.take(1)[0])
    assert bench.ids() == [2]


def test_dead_letter_after_the_last_attempt() -> None:
    bench = Bench(max_delivery_attempts=5)
    bench.add(1)
    attempts = []
    for _ in range(5):
        [lease] = bench.take()
        attempts.append(lease.attempt)
        bench.nack(lease)
    assert attempts == [1, 2, 3, 4, 5]
    failures = bench.queue.drain_failures()
    assert [failure.exhausted for failure in failures] == [False] * 4 + [True]
    assert failures[-1] == Failure(1, 5, exhausted=True)
    assert bench.ids() == []
    assert not bench.ack(lease)
    assert bench.queue.remove(1)
    assert len(bench.queue) == 0


def test_exhausted_message_found_at_start_is_dead_at_once() -> None:
    bench = Bench(max_delivery_attempts=5)
    bench.queue.add(Entry(1, 10, failures=5))
    bench.queue.add(Entry(2, 10, failures=4))
    assert bench.queue.drain_failures() == [Failure(1, 5, exhausted=True)]
    [lease] = bench.take()
    assert (lease.message_id, lease.attempt) == (2, 5)


def test_dead_message_without_a_topic_is_retried_later() -> None:
    bench = Bench(max_delivery_attempts=5)
    bench.queue.add(Entry(1, 10, failures=5))
    bench.queue.retry_dead(1, 10, bench.now)
    assert bench.take() == []
    bench.pass_time(10)
    assert bench.ids() == [1]


def test_failures_are_only_reported_when_they_matter() -> None:
    bench = Bench()
    bench.add(1)
    bench.nack(bench.take()[0])
    assert bench.queue.drain_failures() == []


def test_flow_control_by_messages_and_by_bytes() -> None:
    bench = Bench()
    bench.add(1, 2, 3, 4, 5, size=100)
    by_count, by_bytes = FlowBudget(2), FlowBudget(0, 250)
    held = bench.take(budget=by_count)
    assert len(held) == 2
    assert len(bench.take(budget=by_bytes)) == 2
    assert bench.take(budget=by_count) == []
    bench.ack(held[0])
    assert len(bench.take(budget=by_count)) == 1


def test_a_message_larger_than_the_budget_goes_out_alone() -> None:
    bench = Bench()
    bench.add(1, 2, size=1000)
    budget = FlowBudget(10, 100)
    [lease] = bench.take(budget=budget)
    assert bench.take(budget=budget) == []
    bench.nack(lease)
    assert (budget.messages, budget.bytes) == (0, 0)


def test_expiry_gives_the_budget_back() -> None:
    bench = Bench(FlowBudget(1), minimum_backoff=1, maximum_backoff=1)
    bench.add(1, 2)
    bench.take()
    bench.pass_time(LEASE)
    assert bench.ids() == [2]


def test_answer_size_is_bounded_but_never_empty() -> None:
    bench = Bench()
    bench.add(1, 2, 3, size=40)
    assert len(bench.take(max_bytes=100)) == 2
    assert len(bench.take(max_bytes=10)) == 1


def test_release_counts_no_failure() -> None:
    bench = Bench(max_delivery_attempts=5)
    bench.add(1)
    [lease] = bench.take()
    bench.queue.release(AckId(lease.message_id, lease.generation))
    [again] = bench.take()
    assert again.attempt == 1
    bench.queue.release(AckId(lease.message_id, lease.generation))
    assert bench.take() == []


def test_retention_differs_for_acked_messages() -> None:
    bench = Bench(retain_acked=True)
    bench.add(1, 2, 3, 4)
    for lease in bench.take(2):
        bench.ack(lease)
    assert bench.queue.past_retention(unacked_before=4, acked_before=2) == [1, 3]


def test_timers_of_acknowledged_messages_do_not_pile_up() -> None:
    bench = Bench()
    for message_id in range(1, 5000):
        bench.add(message_id)
        bench.ack(bench.take()[0])
    assert len(bench.queue._timers) < 200
