"""What the OpenTelemetry libraries read from the environment by themselves, set before they look."""

import os


def choose_conventions() -> None:
    """The stable names of HTTP attributes (``http.request.method``), unless the operator chose otherwise."""
    os.environ.setdefault("OTEL_SEMCONV_STABILITY_OPT_IN", "http")
