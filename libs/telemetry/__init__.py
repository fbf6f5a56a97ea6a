"""Traces, logs and their context; the only place that knows the OpenTelemetry SDK."""
