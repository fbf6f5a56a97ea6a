"""Replaces one HNSW graph of all large tenants by sixteen, and keeps whole rows of vectors out of TOAST.

Why: docs/decisions/0010.
"""

from alembic import op

revision = "0005"
down_revision = "0004"

# A few hundred vectors of each large tenant used to wait outside the graph; now none do.
MERGE = """UPDATE vectors_{n} SET in_graph = true WHERE NOT in_graph
    AND (user_id, model_id) IN (SELECT user_id, model_id FROM vectors_{n} WHERE in_graph)"""

# Rows of 1536 dimensions are longer than 2 kB: their ids were moved to TOAST and fetched from there for each
# comparison. PLAIN keeps a code's length in four bytes, as the operator reads it; a shorter one is copied each time.
# Recomputing the codes rewrites every row, with its ids.
VECTORS = (
    "ALTER TABLE vectors_{n} SET (toast_tuple_target = 8160)",
    "ALTER TABLE vectors_{n} ALTER COLUMN code SET STORAGE PLAIN",
    "DROP INDEX vectors_{n}_by_meaning, vectors_{n}_by_code",
    MERGE,
    "ALTER TABLE vectors_{n} ALTER COLUMN code SET EXPRESSION AS (CAST(binary_quantize(embedding) AS bit({n})))",
    # One descent finds a file's codes, wherever they are.
    "CREATE INDEX vectors_{n}_by_code ON vectors_{n} (user_id, model_id, upload_id) INCLUDE (id, in_graph, code)",
)

# The predicate has the spelling of the query's (search.store.graph), or a generic plan would not find the index.
GRAPH = """CREATE INDEX vectors_{n}_graph_{graph} ON vectors_{n} USING hnsw (embedding halfvec_cosine_ops)
    WITH (m = 16, ef_construction = 200) WHERE in_graph AND (hashtext(user_id) & 15) = {graph}"""

# The owner of the tables sees every tenant's rows only while row security is not forced.
READ = ("vectors_384", "vectors_1536", "vector_counts")


def upgrade() -> None:
    """Rewrites the tables of vectors, locking each, and builds the graphs."""
    for table in READ:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    for dimensions in (384, 1536):
        for statement in VECTORS:
            op.execute(statement.format(n=dimensions))
        for graph in range(16):
            op.execute(GRAPH.format(n=dimensions, graph=graph))
    for table in READ:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
