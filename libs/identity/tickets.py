"""Tickets: 256 random bits that stand for a credential once, kept by the service as a SHA-256."""

import hashlib
import secrets


def new_ticket() -> str:
    """A fresh ticket; may stand in a URL, because it is worth nothing after its first use."""
    return "tkt_" + secrets.token_urlsafe(32)


def hash_ticket(ticket: str) -> str:
    """What is stored and looked up: 64 hex characters."""
    return hashlib.sha256(ticket.encode()).hexdigest()
