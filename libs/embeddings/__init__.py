"""Turns text into vectors: one port (:mod:`embeddings.encoder`), a local and a remote implementation, a cache.

Import ``embeddings.local`` or ``embeddings.openai`` only where that encoder is chosen; each pulls its own runtime.
"""
