"""One module per kind of file; ``table`` lists them. Everything here runs inside the sandbox's child."""
