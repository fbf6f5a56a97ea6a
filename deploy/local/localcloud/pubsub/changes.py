"""One batch of changes to the durable state, as statements with their rows.

Built by the broker in memory, applied by the journal in one transaction.
"""

from collections.abc import Iterable, Sequence

_Row = tuple[int | str | bytes | bool, ...]


class Batch:
    """Changes that become durable together, in the order of the calls."""

    def __init__(self) -> None:
        self.statements: list[tuple[str, Sequence[_Row]]] = []
        self.size = 0
        """Bytes of message bodies in it."""

    def __bool__(self) -> bool:
        return bool(self.statements)

    def then(self, other: "Batch") -> "Batch":
        """The other batch's changes appended; returns itself."""
        self.statements += other.statements
        self.size += other.size
        return self

    def put_topic(self, name: str, settings: bytes) -> "Batch":
        """Create or replace a topic."""
        return self._add("REPLACE INTO topics (name, settings) VALUES (?, ?)", [(name, settings)])

    def delete_topic(self, name: str) -> "Batch":
        """Remove a topic; its subscriptions stay."""
        return self._add("DELETE FROM topics WHERE name = ?", [(name,)])

    def put_subscription(self, key: int, name: str, settings: bytes) -> "Batch":
        """Create or replace a subscription."""
        statement = "REPLACE INTO subscriptions (key, name, settings) VALUES (?, ?, ?)"
        return self._add(statement, [(key, name, settings)])

    def delete_subscription(self, key: int) -> "Batch":
        """Remove a subscription and its hold on messages."""
        self._add("DELETE FROM deliveries WHERE subscription = ?", [(key,)])
        return self._add("DELETE FROM subscriptions WHERE key = ?", [(key,)])

    def add_messages(
        self, messages: Sequence[tuple[int, str, str, bytes]], deliveries: Sequence[tuple[int, int]]
    ) -> "Batch":
        """Published messages (id, topic, ordering key, body) and who is to get them (subscription, message)."""
        self.size += sum(len(body) for *_, body in messages)
        self._add("INSERT INTO messages (id, topic, ordering_key, body) VALUES (?, ?, ?, ?)", messages)
        return self._add("INSERT INTO deliveries (subscription, message) VALUES (?, ?)", deliveries)

    def remove_deliveries(self, key: int, message_ids: Iterable[int]) -> "Batch":
        """A subscription is done with these messages."""
        return self._add(
            "DELETE FROM deliveries WHERE subscription = ? AND message = ?",
            [(key, message_id) for message_id in message_ids],
        )

    def mark_acked(self, key: int, message_ids: Iterable[int]) -> "Batch":
        """Acknowledged but retained for a seek."""
        return self._add(
            "UPDATE deliveries SET acked = 1 WHERE subscription = ? AND message = ?",
            [(key, message_id) for message_id in message_ids],
        )

    def revive(self, key: int, message_ids: Iterable[int]) -> "Batch":
        """A seek brought these back, as if never delivered."""
        return self._add(
            "UPDATE deliveries SET acked = 0, failures = 0 WHERE subscription = ? AND message = ?",
            [(key, message_id) for message_id in message_ids],
        )

    def set_failures(self, key: int, failures: Iterable[tuple[int, int]]) -> "Batch":
        """Failed attempts of messages: (message id, failures)."""
        return self._add(
            "UPDATE deliveries SET failures = ? WHERE subscription = ? AND message = ?",
            [(count, key, message_id) for message_id, count in failures],
        )

    def remove_messages(self, message_ids: Iterable[int]) -> "Batch":
        """Bodies nobody refers to any more."""
        return self._add("DELETE FROM messages WHERE id = ?", [(message_id,) for message_id in message_ids])

    def _add(self, statement: str, rows: Sequence[_Row]) -> "Batch":
        if rows:
            self.statements.append((statement, rows))
        return self
