"""What the five services tell each other: events, artifacts, identifiers and the topology that carries them.

Depends on pydantic only; schemas, AsyncAPI and Terraform variables are rendered from here and committed.
"""
