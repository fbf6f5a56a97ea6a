"""search: indexes every file of the pipeline, and finds files and moments inside them by a query."""
