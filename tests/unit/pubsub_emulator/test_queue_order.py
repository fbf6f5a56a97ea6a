"""Ordering keys and seek in the queue: what may be in flight, and what comes first."""

from tests.unit.pubsub_emulator.queue_bench import Bench


def test_one_message_in_flight_per_ordering_key() -> None:
    bench = Bench(ordered=True)
    bench.add(1, 3, 5, key="a")
    bench.add(2, 4, key="b")
    bench.add(6, 7)
    first = bench.take()
    assert sorted(lease.message_id for lease in first) == [1, 2, 6, 7]
    bench.ack(first[0])
    assert bench.ids() == [3]


def test_nacked_head_of_a_key_comes_back_before_what_follows() -> None:
    bench = Bench(ordered=True, minimum_backoff=5, maximum_backoff=5)
    bench.add(1, 2, 3, key="a")
    bench.nack(bench.take()[0])
    assert bench.take() == []
    bench.pass_time(5)
    [again] = bench.take()
    assert again.message_id == 1
    bench.ack(again)
    assert bench.ids() == [2]


def test_dead_head_of_a_key_frees_the_next_when_removed() -> None:
    bench = Bench(ordered=True, max_delivery_attempts=5)
    bench.add(1, 2, key="a")
    for _ in range(5):
        bench.nack(bench.take()[0])
    assert bench.take() == []
    bench.queue.remove(1)
    assert bench.ids() == [2]


def test_ordering_keys_mean_nothing_without_the_setting() -> None:
    bench = Bench()
    bench.add(1, 2, key="a")
    assert bench.ids() == [1, 2]


def test_seek_back_revives_only_what_was_retained() -> None:
    retaining, forgetting = Bench(retain_acked=True), Bench()
    for bench in (retaining, forgetting):
        bench.add(1, 2, 3)
        for lease in bench.take():
            bench.ack(lease)
        assert bench.ids() == []
    assert retaining.queue.seek(2).revived == [2, 3]
    assert retaining.ids() == [2, 3]
    assert forgetting.queue.seek(0).revived == []
    assert forgetting.ids() == []


def test_seek_forward_acknowledges_everything_before() -> None:
    bench = Bench()
    bench.add(1, 2, 3)
    [held] = bench.take(1)
    assert sorted(bench.queue.seek(3).acked) == [1, 2]
    assert not bench.ack(held)
    assert bench.ids() == [3]


def test_seek_restores_the_order_of_a_key() -> None:
    bench = Bench(ordered=True, retain_acked=True)
    bench.add(1, 2, 3, key="a")
    bench.ack(bench.take()[0])
    bench.take()
    bench.queue.seek(0)
    order = []
    while leases := bench.take():
        order += [lease.message_id for lease in leases]
        bench.ack(leases[0])
    assert order == [1, 2, 3]
