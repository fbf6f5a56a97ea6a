"""The tables of the schema ``upload_gateway`` as SQLAlchemy sees them; migrations make them."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Identity,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
)
from sqlalchemy.dialects.postgresql import JSONB, UUID

from eventing.ledger import Ledger

SCHEMA = "upload_gateway"
metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("email", Text),
    Column("tier", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("operator", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("last_used_at", DateTime(timezone=True)),
)

uploads = Table(
    "uploads",
    metadata,
    Column("upload_id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("bucket", Text, nullable=False),
    Column("object_name", Text, nullable=False),
    Column("generation", BigInteger, nullable=False),
    Column("filename", Text, nullable=False),
    Column("kind", Text),
    Column("media_type", Text),
    Column("size_bytes", BigInteger),
    Column("sha256", Text),
    Column("claimed_sha256", Text),
    Column("status", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("progress", SmallInteger, nullable=False),
    Column("error", JSONB(none_as_null=True)),
    Column("trace_id", Text),
    Column("thumbnail", JSONB(none_as_null=True)),
    Column("preview", JSONB(none_as_null=True)),
    Column("storyboard", JSONB(none_as_null=True)),
    Column("properties", JSONB(none_as_null=True)),
    Column("title", Text),
    Column("summary", Text),
    Column("labels", JSONB, nullable=False),
    Column("language", Text),
    Column("degradations", JSONB, nullable=False),
    Column("timings", JSONB, nullable=False),
    Column("processing_s", Double),
    Column("attempts", Integer, nullable=False),
    Column("usage", JSONB, nullable=False),
    Column("ownerless", Boolean, nullable=False),
    Column("hidden_at", DateTime(timezone=True)),
    Column("expected_until", DateTime(timezone=True)),
    Column("bytes_gone", Boolean, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("state", JSONB, nullable=False),
    Column("changed", BigInteger, nullable=False, server_default="0"),
)

upload_sessions = Table(
    "upload_sessions",
    metadata,
    Column("upload_id", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("session_url", Text, nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("operation", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("token", UUID(as_uuid=True), nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("fingerprint", Text),
    Column("answer", JSONB(none_as_null=True)),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)

daily_uploads = Table(
    "daily_uploads",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("used", Integer, nullable=False),
)

profiles = Table(
    "profiles",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("display_name", Text),
    Column("preferences", JSONB, nullable=False),
)

removed_versions = Table(
    "removed_versions",
    metadata,
    Column("upload_id", Text, primary_key=True),
    Column("generation", BigInteger, primary_key=True),
    Column("run", Integer, nullable=False),
    Column("user_id", Text, nullable=False),
    Column("bucket", Text, nullable=False),
    Column("object_name", Text, nullable=False),
    Column("removed_at", DateTime(timezone=True), nullable=False),
)

removed_uploads = Table(
    "removed_uploads",
    metadata,
    Column("user_id", Text, primary_key=True),
    Column("upload_id", Text, primary_key=True),
    Column("changed", BigInteger, nullable=False),
    Column("removed_at", DateTime(timezone=True), nullable=False),
    Column("last", JSONB, nullable=False),
)

stream_tickets = Table(
    "stream_tickets",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("user_id", Text, nullable=False),
    Column("key_sha256", Text),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("letter_id", Text, primary_key=True),
    Column("subscription", Text, nullable=False),
    Column("topic", Text),
    Column("upload_id", Text),
    Column("user_id", Text),
    Column("generation", BigInteger),
    Column("run", Integer),
    Column("code", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("attributes", JSONB, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Column("status", Text, nullable=False),
    Column("deaths", Integer, nullable=False),
    Column("redrives", Integer, nullable=False),
    Column("first_died_at", DateTime(timezone=True), nullable=False),
    Column("died_at", DateTime(timezone=True), nullable=False),
    Column("settled_at", DateTime(timezone=True)),
)

sweeps = Table(
    "sweeps",
    metadata,
    Column("upload_id", Text, primary_key=True),
    Column("sweeps", Integer, nullable=False),
    Column("swept_at", DateTime(timezone=True), nullable=False),
    Column("next_at", DateTime(timezone=True), nullable=False),
)

repairs = Table(
    "repairs",
    metadata,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
)

ledger = Ledger(metadata)
