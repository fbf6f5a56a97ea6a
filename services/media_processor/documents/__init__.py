"""One reader per document format, each turning a file into ``Content``."""
