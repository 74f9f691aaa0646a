"""What the benchmarks measure on: a database of an old release with as many entries as asked."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path

SCHEMA = Path(__file__).resolve().parents[1] / "app/upgrade/legacy/schemas/layout_a.sql"
WORDS = ("walnut", "quartz", "atlas", "compass", "solder", "orchard", "ledger", "fjord", "index", "bread")
KINDS = ("resume", "about", "ideas", "skills", "favorite_books", "problems", "hobbies", "looking_for")


def make(path: Path, entry_count: int, seed: int = 7) -> None:
    """Write a layout A database (0.1.0 to 0.2.1): 3 users, 8 endpoints, about 250 bytes of JSON an entry."""
    chance = random.Random(seed)
    connection = sqlite3.connect(path)
    connection.executescript(SCHEMA.read_text())
    connection.executemany(
        "INSERT INTO users (id, username, email, hashed_password, is_active, is_admin)"
        " VALUES (?, ?, ?, 'x', 1, ?)",
        [(n, f"user{n}", f"user{n}@example.org", n == 1) for n in (1, 2, 3)],
    )
    connection.executemany(
        "INSERT INTO endpoints (id, name, schema, is_active, is_public) VALUES (?, ?, '{}', 1, 1)",
        list(enumerate(KINDS, 1)),
    )
    connection.executemany(
        "INSERT INTO data_entries (endpoint_id, data, is_active, created_by_id) VALUES (?, ?, 1, ?)",
        ((chance.randint(2, 8), entry(chance), chance.randint(1, 3)) for _ in range(entry_count)),
    )
    connection.commit()
    connection.close()


def entry(chance: random.Random) -> str:
    visibility = chance.choice(("public", "public", "public", "unlisted", "private"))
    return json.dumps(
        {
            "content": " ".join(chance.choices(WORDS, k=20)),
            "meta": {
                "title": chance.choice(WORDS),
                "date": "2026-01-01",
                "tags": [],
                "visibility": visibility,
            },
        }
    )
