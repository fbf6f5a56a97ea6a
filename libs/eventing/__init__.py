"""The pipeline runtime: handlers return what they produced; only the runtime acks, publishes, retries and traces."""
