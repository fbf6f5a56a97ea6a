"""Names of the schema ``search``; the migrations create its tables, the modules of ``store`` query them.

Vectors lie in one table per number of dimensions, because an index is built for one. Another number of dimensions needs
a migration (table, policy, counting triggers, indexes and graphs as in 0001, 0002, 0005 and 0011), a line here, and one
in ``planner.CROSSOVERS``. Every row carries its model; vectors of two models are never compared.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import MetaData

from eventing.ledger import Ledger

SCHEMA = "search"
LEDGER = Ledger(MetaData())

VECTOR_TABLES: Mapping[int, str] = MappingProxyType({384: "vectors_384", 1536: "vectors_1536"})
"""Dimensions → vector table."""

BINARY_TYPES = ("halfvec",)
"""What :class:`database.engine.Database` is to pass as bytes: vectors, as :mod:`search.halfvec` packs them."""

UNEMBEDDED = ""
"""The ``model_id`` of texts of an analysis that have no vectors yet."""
