"""The ways to understand material, behind the one port in :mod:`analyzer.backends.backend`."""
