"""media-processor: turns an object in the uploads bucket into properties, a thumbnail and material for analysis.

Everything that touches the file's inside runs in a child process (``sandbox``), one file per child.
"""
