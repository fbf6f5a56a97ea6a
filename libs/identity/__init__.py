"""Who is asking: API keys and bearer tokens turned into a principal."""
