"""Objects in buckets, behind one port: Cloud Storage in production and on one machine, a dictionary in unit tests."""
