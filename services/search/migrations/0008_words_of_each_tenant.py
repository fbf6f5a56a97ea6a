"""Indexes each tenant's words separately: other tenants' files no longer make a search by words slower.

Why: docs/decisions/0030.
"""

from alembic import op

revision = "0008"
down_revision = "0007"

# Two tenants may have the same key: it only partitions the index; the policy decides who sees a row.
TENANT_KEY = """CREATE FUNCTION tenant_key(user_id text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_hex(hashtext(user_id) & 16777215) $$"""

# The index keys of a row: each word behind the tenant's key, and once more for each sample that the file is in; and one
# key of every row, so that an unset app.sought matches all of a tenant's rows. An expression instead of a column,
# because only the index reads it. Words are letters and digits, so none holds the separator. COST 1, though it takes
# 40 µs: otherwise Postgres would rather read all of a tenant's keys than the few rows of a file that is deleted.
TENANT_WORDS = r"""CREATE FUNCTION tenant_words(words tsvector, user_id text, upload_id text) RETURNS tsvector
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE COST 1 AS $$
    DECLARE
        tenant CONSTANT text := search.tenant_key(user_id) || ':';
        apart CONSTANT text := E'\x1f';
        lexemes CONSTANT text := array_to_string(tsvector_to_array(words), apart);
        place CONSTANT integer := hashtext(upload_id);
        keys text := tenant || '=' || user_id || apart || tenant || replace(lexemes, apart, apart || tenant);
        sample text;
        one_in integer := 4;
    BEGIN
        WHILE one_in <= 1024 AND place & (one_in - 1) = 0 LOOP
            sample := apart || one_in || '/' || tenant;
            keys := keys || sample || replace(lexemes, apart, sample);
            one_in := one_in * 4;
        END LOOP;
        RETURN array_to_tsvector(string_to_array(keys, apart));
    END $$"""

INDEX = """CREATE INDEX words_by_tenant ON words USING gin (tenant_words(words, user_id, upload_id))
    WITH (gin_pending_list_limit = 512)"""

# app.sought names no tenant: the key of the transaction's own tenant is put before each word here. The index has no
# positions, so a phrase becomes all of its words. The version before this one also searches for '=user', which every
# row has.
SOUGHT = r"""CREATE OR REPLACE FUNCTION sought() RETURNS tsquery LANGUAGE sql STABLE AS $$
    SELECT CAST(regexp_replace(
        COALESCE(
            regexp_replace(NULLIF(current_setting('app.sought', true), ''), '<(-|\d+)>', '&', 'g'),
            '''=' || replace(replace(current_setting('app.user_id', true), '\', '\\'), '''', '''''') || ''''),
        '''(([^'']|'''')+)''',
        '''' || COALESCE(NULLIF(current_setting('app.sample', true), '') || '/', '')
            || search.tenant_key(current_setting('app.user_id', true)) || ':\1''',
        'g') AS tsquery) $$"""

# (SELECT sought()) is evaluated once, as a scan begins, whatever other scans set meanwhile; and its value is unknown to
# the planner, which would otherwise plan for the previous one.
POLICY = """ALTER POLICY tenant ON words USING (user_id = current_setting('app.user_id', true)
    AND tenant_words(words, user_id, upload_id) @@ (SELECT sought()))"""

# `owned` stays: the version before this one calls it, and its marks do no harm.
WORDS_OF_FILE = """CREATE OR REPLACE FUNCTION write_words_of_file() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            DELETE FROM search.words WHERE upload_id = OLD.upload_id AND ordinal < 0;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO search.words (upload_id, model_id, ordinal, user_id, words)
            SELECT NEW.upload_id, '', part.ordinal, NEW.user_id, part.words
            FROM (VALUES (-1, NEW.name_words), (-2, NEW.about_words)) AS part (ordinal, words)
            WHERE part.words IS NOT NULL;
        END IF;
        RETURN NULL;
    END $$"""


def upgrade() -> None:
    """Builds the index (half a minute for 100,000 passages) and drops the one of all tenants together."""
    for statement in (TENANT_KEY, TENANT_WORDS, INDEX, SOUGHT, POLICY, "DROP INDEX words_by_word", WORDS_OF_FILE):
        op.execute(statement)
