"""One module per event this service hears; each builds its ``Stage``."""
