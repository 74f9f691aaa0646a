"""SQLite: everything that only this engine does."""
