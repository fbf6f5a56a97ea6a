"""Random histories of the queue: nothing is lost, budgets stay right, a key has one message in flight."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localcloud.pubsub.deliveries import Lease, State
from localcloud.pubsub.flow import FlowBudget
from tests.unit.pubsub_emulator.queue_bench import LEASE, Bench

# A busy machine must not fail a test that measures nothing.
untimed = settings(deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])


class History:
    """Random actions on a queue, and which messages they leave to be delivered."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.published = 0
        self.settled: set[int] = set()
        self._leases: list[Lease] = []

    def add(self, number: int) -> None:
        self.published += 1
        self.bench.add(self.published, key=["", "a", "b"][number % 3])

    def take(self, number: int) -> None:
        self._leases += self.bench.take(number + 1)

    def ack(self, number: int) -> None:
        if self._leases:
            lease = self._leases[number % len(self._leases)]
            self.settled |= {lease.message_id} if self.bench.ack(lease) else set()

    def nack(self, number: int) -> None:
        if self._leases:
            self.bench.nack(self._leases[number % len(self._leases)])

    def wait(self, number: int) -> None:
        self.bench.pass_time(number * 3)

    def seek(self, number: int) -> None:
        result = self.bench.queue.seek(number * 3)
        self.settled = (self.settled | set(result.acked)) - set(result.revived)

    def check_invariants(self) -> None:
        held = [entry for entry in self.bench.queue._entries.values() if entry.state is State.LEASED]
        assert self.bench.budget.messages == len(held) <= 3
        keys = [entry.ordering_key for entry in held if entry.ordering_key]
        assert not self.bench.queue.policy.ordered or len(keys) == len(set(keys))

    def deliver_the_rest(self) -> set[int]:
        came: set[int] = set()
        for _ in range(200):
            self.bench.pass_time(LEASE)
            dead = [failure.message_id for failure in self.bench.queue.drain_failures() if failure.exhausted]
            came |= {message_id for message_id in dead if self.bench.queue.remove(message_id)}
            came |= {lease.message_id for lease in self.bench.take() if self.bench.ack(lease)}
        return came


actions = st.lists(
    st.tuples(st.sampled_from(["add", "take", "ack", "nack", "wait", "seek"]), st.integers(0, 5)), max_size=60
)


@untimed
@given(actions, st.booleans(), st.booleans(), st.sampled_from([None, 5]))
def test_no_history_loses_a_message_or_breaks_the_budget(history, ordered, retain, attempts) -> None:
    """Whatever happens, every message is acked, dead or comes out again; a key never has two in flight."""
    policy = {"ordered": ordered, "retain_acked": retain, "max_delivery_attempts": attempts, "maximum_backoff": 2}
    run = History(Bench(FlowBudget(3), **policy))
    for action, number in history:
        getattr(run, action)(number)
        run.check_invariants()
    assert run.deliver_the_rest() == set(range(1, run.published + 1)) - run.settled
