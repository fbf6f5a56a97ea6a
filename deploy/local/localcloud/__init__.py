"""The whole system on one machine: embedded PostgreSQL, Pub/Sub and Cloud Storage, and a supervisor that runs it.

``python -m localcloud up`` turns a data directory into a running system.
"""
