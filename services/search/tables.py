"""Names what the schema ``search`` holds; the migrations create it, the modules of ``store`` query it.

Vectors lie in one table per number of dimensions, because an index is built for one: another number is one
migration and one line here. Every row carries its model; vectors of two models are never compared.
"""

from collections.abc import Mapping
from types import MappingProxyType

from sqlalchemy import MetaData

from eventing.ledger import Ledger

SCHEMA = "search"
LEDGER = Ledger(MetaData())

VECTOR_TABLES: Mapping[int, str] = MappingProxyType({384: "vectors_384", 1536: "vectors_1536"})
"""Dimensions → table."""

UNEMBEDDED = ""
"""Stands for the model of texts that came with the analysis and have no vectors yet."""
