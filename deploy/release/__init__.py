"""Brings a version to Cloud Run in steps, and takes it back."""
