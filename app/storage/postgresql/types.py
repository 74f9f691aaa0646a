"""PostgreSQL column types. Which type has a column there that SQLite declares with another word?

The one table of what the two engines call differently; docs/postgresql.md shows it. A whole number is
BIGINT, a switch SMALLINT, so that ``WHERE is_active = 1`` means the same on both; JSON and times are the text
they are in SQLite, byte for byte; names have no length; text is sorted by its bytes.
"""

from __future__ import annotations

import re

BIGINT, SMALLINT, TEXT, BYTEA, DOUBLE = "BIGINT", "SMALLINT", "TEXT", "BYTEA", "DOUBLE PRECISION"
COLLATION = "C"
OWN_TABLE = "_daemon_counts"
"""A table that is the engine's own, and no part of a schema; see `shared_counts`."""

COUNTED = "id"
"""A key of one whole number of that name is counted by the server where a row says none, as SQLite counts."""

NOW_OF_SQLITE = "CURRENT_TIMESTAMP"
NOW = "to_char((now() AT TIME ZONE 'UTC'::text), 'YYYY-MM-DD HH24:MI:SS'::text)"
"""What SQLite's CURRENT_TIMESTAMP writes, as PostgreSQL gives the expression back."""

_BY_WORD = {
    "INTEGER": BIGINT,
    "INT": BIGINT,
    "BIGINT": BIGINT,
    "SMALLINT": SMALLINT,
    "BOOLEAN": SMALLINT,
    "BLOB": BYTEA,
    "BYTEA": BYTEA,
    "FLOAT": DOUBLE,
    "REAL": DOUBLE,
    "DOUBLE PRECISION": DOUBLE,
}


def type_of(declared: str) -> str:
    """Return the type that a column has which SQLite declares so: JSON, VARCHAR(50), DATETIME are text."""
    return _BY_WORD.get(re.sub(r"\s*\(.*\)", "", declared.upper()).strip(), TEXT)


def is_now(default: str) -> bool:
    """Whether a default of a schema is the moment of writing."""
    return default.strip("() ").upper() == NOW_OF_SQLITE
