"""Move: a database from one engine to the other and back, with nothing lost on the way."""
