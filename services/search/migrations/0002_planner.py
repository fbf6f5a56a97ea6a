"""Replaces one vector index for everybody by what the planner chooses among: codes, a graph of some vectors, counts;
adds the index of words.

Why each is there: docs/decisions/0010.
"""

from alembic import op

from database.row_security import tenant_policy

revision = "0002"
down_revision = "0001"

# The key keeps a tenant's codes together wherever its rows lie, and inside them those of one file.
VECTORS = (
    "ALTER TABLE vectors_{n} ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY",
    "ALTER TABLE vectors_{n} ADD COLUMN in_graph boolean NOT NULL DEFAULT false",
    """ALTER TABLE vectors_{n} ADD COLUMN code bit({n}) NOT NULL
    GENERATED ALWAYS AS (CAST(binary_quantize(embedding) AS bit({n}))) STORED""",
    "DROP INDEX vectors_{n}_by_user",
    "DROP INDEX vectors_{n}_by_meaning",
    "CREATE UNIQUE INDEX vectors_{n}_by_id ON vectors_{n} (id)",
    """CREATE INDEX vectors_{n}_by_code ON vectors_{n} (user_id, model_id, in_graph, upload_id)
    INCLUDE (id, code)""",
    """CREATE INDEX vectors_{n}_by_meaning ON vectors_{n} USING hnsw (embedding halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 200) WHERE in_graph""",
    # An index-only scan of the codes needs pages that vacuum has marked all-visible.
    """ALTER TABLE vectors_{n} SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.05,
    autovacuum_analyze_scale_factor = 0.05)""",
)

# A slot per connection, so that writers of one user's files do not wait for each other.
COUNTS = """CREATE TABLE vector_counts (
    user_id text NOT NULL, model_id text NOT NULL, slot smallint NOT NULL,
    passages bigint NOT NULL, in_graph bigint NOT NULL, files bigint NOT NULL,
    PRIMARY KEY (user_id, model_id, slot)) WITH (fillfactor = 50)"""

ADD_COUNTS = """INSERT INTO search.vector_counts AS counted (user_id, model_id, slot, passages, in_graph, files)
    SELECT user_id, model_id, pg_backend_pid() % 32, sum(passages), sum(in_graph), sum(files)
    FROM ({changes}) AS change GROUP BY user_id, model_id
    HAVING sum(passages) <> 0 OR sum(in_graph) <> 0 OR sum(files) <> 0 ORDER BY user_id, model_id
    ON CONFLICT (user_id, model_id, slot) DO UPDATE SET passages = counted.passages + excluded.passages,
    in_graph = counted.in_graph + excluded.in_graph, files = counted.files + excluded.files"""

VECTOR = (
    "SELECT user_id, model_id, {sign}1 AS passages, {sign}CAST(in_graph AS int) AS in_graph, 0 AS files FROM {rows}"
)
SET = "SELECT user_id, model_id, 0 AS passages, 0 AS in_graph, {sign}1 AS files FROM {rows}"

COUNT_FUNCTION = """CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'INSERT' THEN {insert};
        ELSIF TG_OP = 'DELETE' THEN {delete};
        ELSE {update};
        END IF;
        RETURN NULL;
    END $$"""

COUNT_TRIGGERS = (
    """CREATE TRIGGER count_insert AFTER INSERT ON {table} REFERENCING NEW TABLE AS new_rows
    FOR EACH STATEMENT EXECUTE FUNCTION {name}()""",
    """CREATE TRIGGER count_delete AFTER DELETE ON {table} REFERENCING OLD TABLE AS old_rows
    FOR EACH STATEMENT EXECUTE FUNCTION {name}()""",
    """CREATE TRIGGER count_update AFTER UPDATE ON {table}
    REFERENCING OLD TABLE AS old_rows NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION {name}()""",
)

# ordinal -1: the file's name, -2: what the analysis says about it. Rows of 1-4 kB stay out of TOAST.
WORDS = (
    """CREATE TABLE words (
    upload_id text NOT NULL, model_id text NOT NULL, ordinal integer NOT NULL, user_id text NOT NULL,
    words tsvector NOT NULL, PRIMARY KEY (upload_id, model_id, ordinal)) WITH (toast_tuple_target = 8160)""",
    "ALTER TABLE words ALTER COLUMN words SET STORAGE MAIN",
    "CREATE INDEX words_by_word ON words USING gin (words) WITH (gin_pending_list_limit = 512)",
    """CREATE FUNCTION owned(words tsvector, user_id text) RETURNS tsvector LANGUAGE sql IMMUTABLE AS
    $$ SELECT words || array_to_tsvector(ARRAY['=' || user_id]) $$""",
)

# `@@` is not leakproof, so beside a policy it is only a filter; inside the policy it may use the index. An unset
# `app.sought` matches every row of the tenant: each holds its owner as a word.
SOUGHT = (
    r"""CREATE FUNCTION sought() RETURNS tsquery LANGUAGE sql STABLE AS
    $$ SELECT CAST(COALESCE(NULLIF(current_setting('app.sought', true), ''),
        '''=' || replace(replace(current_setting('app.user_id', true), '\', '\\'), '''', '''''') || '''')
        AS tsquery) $$""",
    "ALTER TABLE words ENABLE ROW LEVEL SECURITY",
    "ALTER TABLE words FORCE ROW LEVEL SECURITY",
    """CREATE POLICY tenant ON words USING (user_id = current_setting('app.user_id', true) AND words @@ sought())
    WITH CHECK (user_id = current_setting('app.user_id', true))""",
)

WORDS_OF_FILES = (
    """CREATE FUNCTION write_words_of_file() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP <> 'INSERT' THEN
            DELETE FROM search.words WHERE upload_id = OLD.upload_id AND ordinal < 0;
        END IF;
        IF TG_OP <> 'DELETE' THEN
            INSERT INTO search.words (upload_id, model_id, ordinal, user_id, words)
            SELECT NEW.upload_id, '', part.ordinal, NEW.user_id, search.owned(part.words, NEW.user_id)
            FROM (VALUES (-1, NEW.name_words), (-2, NEW.about_words)) AS part (ordinal, words)
            WHERE part.words IS NOT NULL;
        END IF;
        RETURN NULL;
    END $$""",
    """CREATE TRIGGER words_of_file AFTER INSERT OR DELETE OR UPDATE OF name_words, about_words ON files
    FOR EACH ROW EXECUTE FUNCTION write_words_of_file()""",
)

# Backfill: the owner of the tables sees every tenant's rows while row security is not forced.
BACKFILL = (
    """INSERT INTO words SELECT upload_id, model_id, ordinal, user_id, owned(words, user_id) FROM passages""",
    """INSERT INTO words SELECT upload_id, '', -1, user_id, owned(name_words, user_id) FROM files
    WHERE name_words IS NOT NULL""",
    """INSERT INTO words SELECT upload_id, '', -2, user_id, owned(about_words, user_id) FROM files
    WHERE about_words IS NOT NULL""",
    """INSERT INTO vector_counts (user_id, model_id, slot, passages, in_graph, files)
    SELECT user_id, model_id, 0, sum(passage_count), 0, count(*) FROM passage_sets GROUP BY user_id, model_id""",
)

FILES = (
    """CREATE INDEX files_by_filter ON files (user_id, kind, created_at)
    INCLUDE (upload_id, processed_run, flagged, size_bytes)""",
    "CREATE INDEX files_by_id ON files (upload_id) INCLUDE (user_id, processed_run, flagged)",
    "CREATE INDEX files_by_language ON files (user_id, text_config)",
    "CREATE INDEX files_by_last_touch ON files (user_id, touched_at)",
)

FORCED = ("files", "passages", "passage_sets")


def upgrade() -> None:
    """Adds tables, columns and indexes and fills them from the existing rows."""
    for table in FORCED:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    for statement in (*(s.format(n=n) for n in (384, 1536) for s in VECTORS), *WORDS, COUNTS, *BACKFILL, *FILES):
        op.execute(statement)
    op.execute("ALTER TABLE passages DROP COLUMN words")
    for table in FORCED:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    for statement in (*SOUGHT, *WORDS_OF_FILES, *tenant_policy("search", "vector_counts")):
        op.execute(statement)
    _count(VECTOR, "count_vectors", "vectors_384", "vectors_1536")
    _count(SET, "count_files", "passage_sets")


def _count(rows: str, name: str, *tables: str) -> None:
    new, old = rows.format(sign="", rows="new_rows"), rows.format(sign="-", rows="old_rows")
    bodies = {"insert": new, "delete": old, "update": f"{new} UNION ALL {old}"}
    statements = {operation: ADD_COUNTS.format(changes=changes) for operation, changes in bodies.items()}
    op.execute(COUNT_FUNCTION.format(name=name, **statements))
    for table in tables:
        for trigger in COUNT_TRIGGERS:
            op.execute(trigger.format(table=table, name=name))
