"""The cosine below which a passage is no answer, per embedding model; what is below is not shown for its meaning."""

from collections.abc import Mapping
from types import MappingProxyType

CUT_OFFS: Mapping[str, float] = MappingProxyType({"all-minilm-l6-v2": 0.25})
"""By the model's name, without what follows ``@`` in its id.

all-minilm-l6-v2: 12 short texts, 25 queries of theirs with two words or more scored 0.29 to 0.71 against their own
text (one 0.21); 24 queries foreign to all of them scored at most 0.24 against the nearest (one 0.29). The texts are
those of ``tests/integration/search/test_relevance.py``.
"""

UNCALIBRATED = 0.2
"""For any other model: low, so that no answer is lost before its figure is measured."""


def cut_off_for(model_id: str) -> float:
    """The cut-off of a model."""
    return CUT_OFFS.get(model_id.partition("@")[0], UNCALIBRATED)
