"""PostgreSQL: all that is particular to it."""
