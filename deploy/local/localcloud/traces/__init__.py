"""Where the embedded cloud keeps recent traces: an OTLP/HTTP receiver, a bounded store, and pages that draw them."""
