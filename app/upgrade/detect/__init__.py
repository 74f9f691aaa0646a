"""Detection: which version a database is, by its schema and by what it records."""
