"""A filled database kept between runs: loading takes longer than measuring."""

import pickle
from collections.abc import Sequence
from pathlib import Path

from search.planner import CROSSOVERS
from tests.bench.search.corpus import Sentences
from tests.bench.search.filling import Stored, Tenant, fill
from tests.bench.search.server import ROOT, Server


async def filled(
    home: Server,
    work: Path,
    name: str,
    source: Sentences,
    tenants: Sequence[Tenant],
    dimensions: int,
    least: int | None,
) -> Stored:
    """The database ``name`` with those tenants: as an earlier run left it in ``work``, or filled anew.

    It is filled anew after a migration, or when other tenants' vectors belong in the graph.
    """
    kept = work / f"{name}.pickle"
    schema = sorted(path.name for path in (ROOT / "services/search/migrations").glob("0*.py"))
    made_of = (schema, list(tenants), CROSSOVERS[dimensions].graph_from if least is None else least)
    if kept.exists():
        found, stored = pickle.loads(kept.read_bytes())
        if found == made_of and await home.has(name):
            return stored
    await home.create(name)
    stored = await fill(home.admin_url(name), source, tenants, dimensions, least)
    kept.write_bytes(pickle.dumps((made_of, stored)))
    return stored
