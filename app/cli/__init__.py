"""The command line: what a person or a script types, as calls of the rooms and back as words."""
