"""The Pub/Sub emulator of the embedded cloud: google.pubsub.v1 over cleartext gRPC, durable in SQLite.

Start it as its own process with ``python -m localcloud.pubsub --data-dir DIR --port N``.
"""
