"""Calls to paid providers: what holds them back (breaker, pace, budget), what they cost, and how they fail."""
