"""Turns material (texts, pictures and facts of a file) into an analysis: summary, title, labels, segments."""
