"""Versions: every release, the schema of each, and the migration steps between them."""
