"""The HTTP side of search: one router a module."""
