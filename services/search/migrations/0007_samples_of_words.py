"""Marks samples of each tenant's words, from which a search of a large tenant estimates how common a word is.

Why: docs/decisions/0028.
"""

from alembic import op

revision = "0007"
down_revision = "0006"

# Words are letters and digits, and an owner begins with "=", so neither can be mistaken for a sample.
SAMPLES = """ARRAY(SELECT one_in || '=' || {user} FROM unnest(ARRAY[4, 16, 64, 256, 1024]) AS sample(one_in)
    WHERE hashtext({upload}) & (one_in - 1) = 0)"""

# The version before this one calls the other `owned` while both run; rows it writes meanwhile are in no sample.
OWNED = f"""CREATE FUNCTION owned(words tsvector, user_id text, upload_id text) RETURNS tsvector
    LANGUAGE sql IMMUTABLE AS $$
    SELECT words || array_to_tsvector(('=' || user_id) || {SAMPLES.format(user="user_id", upload="upload_id")}) $$"""

WORDS_OF_FILE = """CREATE OR REPLACE FUNCTION write_words_of_file() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            DELETE FROM search.words WHERE upload_id = OLD.upload_id AND ordinal < 0;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO search.words (upload_id, model_id, ordinal, user_id, words)
            SELECT NEW.upload_id, '', part.ordinal, NEW.user_id,
                search.owned(part.words, NEW.user_id, NEW.upload_id)
            FROM (VALUES (-1, NEW.name_words), (-2, NEW.about_words)) AS part (ordinal, words)
            WHERE part.words IS NOT NULL;
        END IF;
        RETURN NULL;
    END $$"""

MARK = f"""UPDATE words SET words = words || array_to_tsvector({SAMPLES.format(user="user_id", upload="upload_id")})
    WHERE hashtext(upload_id) & 3 = 0"""  # noqa: S608 - constants only


def upgrade() -> None:
    """Creates the functions and rewrites a quarter of the rows of ``words``."""
    op.execute("ALTER TABLE words NO FORCE ROW LEVEL SECURITY")
    for statement in (OWNED, WORDS_OF_FILE, MARK):
        op.execute(statement)
    op.execute("ALTER TABLE words FORCE ROW LEVEL SECURITY")
