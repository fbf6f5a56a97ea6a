"""The tables of the schema ``upload_gateway`` as SQLAlchemy sees them; migrations make them."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Double, Integer, MetaData, SmallInteger, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

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
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("updated_at", DateTime(timezone=True), nullable=False),
    Column("state", JSONB, nullable=False),
)

ledger = Ledger(metadata)
