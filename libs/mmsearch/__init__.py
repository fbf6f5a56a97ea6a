"""The client library and command line: files and queries of a person into calls of the REST API."""
