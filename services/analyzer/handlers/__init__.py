"""What analyzer hears: one module per event."""
