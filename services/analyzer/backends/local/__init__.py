"""Understands material on this machine: OCR, extractive summary, keywords, language; no network, no keys."""
