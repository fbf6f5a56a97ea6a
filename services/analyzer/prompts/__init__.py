"""What the analyzer tells a model to do, one Markdown file per task; never mixed with what a file says."""
