"""A caller's trace is continued, whatever else it sends along."""

import pytest
from opentelemetry import trace

from telemetry.propagation import context_of

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    ("tracestate", "kept"),
    [("vendor=1,other=2", 2), (",".join(f"k{n}={'v' * 250}" for n in range(6)), 0), (None, 0)],
)
def test_only_a_short_tracestate_is_passed_on(tracestate: str | None, kept: int) -> None:
    caller = trace.get_current_span(context_of(TRACEPARENT, tracestate)).get_span_context()
    assert f"{caller.trace_id:032x}" in TRACEPARENT
    assert len(caller.trace_state) == kept
