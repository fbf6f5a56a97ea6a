"""What every service's HTTP side shares: the app factory, the answer envelope, health, middleware and metrics."""
