"""What embedder hears: one module per event."""
