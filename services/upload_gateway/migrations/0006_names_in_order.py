"""Adds the order of file names as people sort them, and an index of each user's uploads in that order."""

from alembic import op

revision = "0006"
down_revision = "0005"

# As search orders names (search.folding.name_order): no accents, no case, "page.txt" before "page 9.txt". Each number
# is padded with zeros, and its last fifteen digits are kept.
NAME_ORDER = """CREATE OR REPLACE FUNCTION name_order(filename text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN regexp_replace(regexp_replace(translate(lower(
        CASE WHEN octet_length(filename) = length(filename) THEN filename
            ELSE regexp_replace(normalize(filename, NFKD), '[\\u0300-\\u036f]+', '', 'g') END), '.', chr(1)),
        '([0-9]+)', '000000000000000\\1', 'g'), '[0-9]*([0-9]{15})', '\\1', 'g')"""

BY_NAME = """CREATE INDEX CONCURRENTLY uploads_by_name
    ON uploads (user_id, name_order(filename) COLLATE "C", upload_id)"""


def upgrade() -> None:
    """Builds the index beside the writers; what an attempt that was cut off has left is no index and goes first."""
    op.execute(NAME_ORDER)
    with op.get_context().autocommit_block():
        op.execute("SET lock_timeout = 0")  # it waits for everybody and holds up nobody
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS uploads_by_name")
        op.execute(BY_NAME)
        op.execute("RESET lock_timeout")
