"""The tables of the emulator's database, and what is read from them at start.

Turns the durable rows back into topics, subscriptions and undelivered messages.
"""

import sqlite3
from dataclasses import dataclass, field

SCHEMA = """
CREATE TABLE IF NOT EXISTS topics (name TEXT PRIMARY KEY, settings BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subscriptions (
    key INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, settings BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS messages (
    id INTEGER PRIMARY KEY, topic TEXT NOT NULL, ordering_key TEXT NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS deliveries (
    subscription INTEGER NOT NULL, message INTEGER NOT NULL,
    failures INTEGER NOT NULL DEFAULT 0, acked INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (subscription, message)
) WITHOUT ROWID;
"""

# Left by a crash between an acknowledgement and the removal of what it made superfluous.
_SWEEP = """
DELETE FROM deliveries WHERE subscription NOT IN (SELECT key FROM subscriptions);
DELETE FROM messages WHERE id NOT IN (SELECT message FROM deliveries);
"""


@dataclass(frozen=True, slots=True)
class StoredSubscription:
    """A row of ``subscriptions``; settings is a serialized google.pubsub.v1.Subscription."""

    key: int
    name: str
    settings: bytes


@dataclass(frozen=True, slots=True)
class StoredDelivery:
    """One message of one subscription; size in bytes."""

    subscription: int
    message: int
    failures: int
    acked: bool
    ordering_key: str
    size: int
    topic: str


@dataclass(frozen=True, slots=True)
class StoredState:
    """Everything durable except the message bodies; topics by name as serialized google.pubsub.v1.Topic."""

    topics: dict[str, bytes] = field(default_factory=dict[str, bytes])
    subscriptions: list[StoredSubscription] = field(default_factory=list[StoredSubscription])
    deliveries: list[StoredDelivery] = field(default_factory=list[StoredDelivery])
    last_key: int = 0


def load_state(database: sqlite3.Connection) -> StoredState:
    """Clean up after a crash, then read the whole state, deliveries in publish order."""
    database.executescript(_SWEEP)
    last_key = database.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = 'subscriptions'").fetchone()
    return StoredState(
        topics=dict(database.execute("SELECT name, settings FROM topics")),
        subscriptions=[
            StoredSubscription(*row) for row in database.execute("SELECT key, name, settings FROM subscriptions")
        ],
        deliveries=[
            StoredDelivery(subscription, message, failures, bool(acked), ordering_key, size, topic)
            for subscription, message, failures, acked, ordering_key, size, topic in database.execute(
                "SELECT d.subscription, d.message, d.failures, d.acked, m.ordering_key, length(m.body), m.topic "
                "FROM deliveries d JOIN messages m ON m.id = d.message ORDER BY d.message"
            )
        ],
        last_key=last_key[0] or 0,
    )
