"""Legacy: what only databases of old scripts need. SQLite, for ever."""
