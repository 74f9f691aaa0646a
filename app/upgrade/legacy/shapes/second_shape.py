"""What did migrate_database.py leave? Privacy tables with ids, columns of their own, possibly doubles."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

TITLE = "turn the privacy tables of migrate_database.py into those of 0.2.0"
KEEP_VALUES = True
SCHEMAS = {
    "second shape": """
        CREATE TABLE user_privacy_settings (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            user_id INTEGER NOT NULL,
            privacy_level VARCHAR(20) DEFAULT 'public_full',
            show_contact_info BOOLEAN DEFAULT TRUE,
            ai_assistant_access BOOLEAN DEFAULT TRUE,
            business_card_mode BOOLEAN DEFAULT FALSE,
            custom_filters TEXT,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
            updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
            FOREIGN KEY(user_id) REFERENCES users (id)
        );
        CREATE TABLE data_privacy_rules (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            field_name VARCHAR(50) NOT NULL,
            pattern VARCHAR(200) NOT NULL,
            privacy_level VARCHAR(20) NOT NULL,
            is_active BOOLEAN DEFAULT TRUE,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        );
    """,
}

NEW_SETTINGS = """
    CREATE TABLE user_privacy_settings (
        user_id INTEGER NOT NULL,
        show_contact_info BOOLEAN,
        show_location BOOLEAN,
        show_current_company BOOLEAN,
        show_salary_range BOOLEAN,
        show_education_details BOOLEAN,
        show_personal_projects BOOLEAN,
        business_card_mode BOOLEAN,
        ai_assistant_access BOOLEAN,
        custom_privacy_rules JSON,
        created_at DATETIME DEFAULT (CURRENT_TIMESTAMP),
        updated_at DATETIME,
        privacy_level VARCHAR(20),
        PRIMARY KEY (user_id),
        FOREIGN KEY(user_id) REFERENCES users (id)
    )
"""
NEW_RULES = """
    CREATE TABLE data_privacy_rules (
        id INTEGER NOT NULL,
        endpoint_name VARCHAR(100) NOT NULL,
        field_path VARCHAR(200) NOT NULL,
        privacy_level VARCHAR(20),
        is_active BOOLEAN,
        created_at DATETIME DEFAULT (CURRENT_TIMESTAMP),
        field_name VARCHAR(50),
        pattern VARCHAR(200),
        PRIMARY KEY (id)
    )
"""

LEVELS = ("business_card", "professional", "ai_safe", "public_full")  # the strictest first
ACTIONS = ("hide", "redact")  # the strictest first
SHOWS = ("show_contact_info", "ai_assistant_access")  # 0 is the strict side
HIDES = ("business_card_mode",)  # 1 is the strict side


def adopt(bind: Connection, table: str) -> tuple[list[str], dict[int, int]]:
    """Turn the table into its form of 0.2.0; every value of it is kept elsewhere by the caller."""
    if table == "data_privacy_rules":
        return adopt_rules(bind)
    return adopt_settings(bind)


def adopt_rules(bind: Connection) -> tuple[list[str], dict[int, int]]:
    """Carry every rule over under its id: for every kind ('*') and every field ('*'), as it was meant."""
    bind.exec_driver_sql(NEW_RULES.replace("data_privacy_rules", "data_privacy_rules__made_now"))
    bind.exec_driver_sql(
        "INSERT INTO data_privacy_rules__made_now"
        " (id, endpoint_name, field_path, privacy_level, is_active, created_at, field_name, pattern)"
        " SELECT id, '*', '*', privacy_level, is_active, created_at, field_name, pattern"
        " FROM data_privacy_rules ORDER BY id"
    )
    ids = bind.exec_driver_sql("SELECT id FROM data_privacy_rules").scalars().all()
    bind.exec_driver_sql("DROP TABLE data_privacy_rules")
    bind.exec_driver_sql("ALTER TABLE data_privacy_rules__made_now RENAME TO data_privacy_rules")
    return [f"{len(ids)} privacy rules carried over"], {number: number for number in ids}


def adopt_settings(bind: Connection) -> tuple[list[str], dict[int, int]]:
    """Carry each person's choices over; of doubled rows the strictest value of each setting counts."""
    rows = bind.exec_driver_sql(
        "SELECT id, user_id, privacy_level, show_contact_info, ai_assistant_access, business_card_mode,"
        " CAST(custom_filters AS BLOB) AS custom_filters, created_at, updated_at"
        " FROM user_privacy_settings WHERE typeof(user_id) = 'integer' ORDER BY id"
    ).mappings()
    people: dict[int, list[dict[str, object]]] = {}
    for row in rows:
        people.setdefault(row["user_id"], []).append(dict(row))
    notes = of_nobody(bind)
    bind.exec_driver_sql("DROP TABLE user_privacy_settings")
    bind.exec_driver_sql(NEW_SETTINGS)
    for user_id, settings in people.items():
        insert_settings(bind, user_id, merged(user_id, settings, notes))
    moved = {int(str(row["id"])): user_id for user_id, settings in people.items() for row in settings[:1]}
    return [f"privacy settings of {len(people)} people carried over", *notes], moved


def of_nobody(bind: Connection) -> list[str]:
    """Return a note where rows name no account by a number: they have no place but among the kept values."""
    count = bind.exec_driver_sql(
        "SELECT count(*) FROM user_privacy_settings WHERE typeof(user_id) <> 'integer'"
    ).scalar()
    return [f"{count} rows of settings name no account: they are kept, and have no effect"] if count else []


def insert_settings(bind: Connection, user_id: int, values: dict[str, object]) -> None:
    """Insert one person's row; what the old table had no column for gets the old releases' default."""
    bind.exec_driver_sql(
        "INSERT INTO user_privacy_settings (user_id, show_contact_info, show_location, show_current_company,"
        " show_salary_range, show_education_details, show_personal_projects, business_card_mode,"
        " ai_assistant_access, custom_privacy_rules, created_at, updated_at, privacy_level)"
        " VALUES (?, ?, 1, 1, 0, 1, 1, ?, ?, ?, ?, ?, ?)",
        (
            user_id,
            values["show_contact_info"],
            values["business_card_mode"],
            values["ai_assistant_access"],
            values["custom_privacy_rules"],
            values["created_at"],
            values["updated_at"],
            values["privacy_level"],
        ),
    )


def merged(user_id: int, rows: list[dict[str, object]], notes: list[str]) -> dict[str, object]:
    """Return one person's settings out of all their rows, and add to the notes what was decided."""
    values: dict[str, object] = {
        "created_at": rows[0]["created_at"],
        "updated_at": rows[-1]["updated_at"],
        "privacy_level": strictest_level([row["privacy_level"] for row in rows]),
    }
    for column in SHOWS:
        values[column] = strictest((as_bit(row[column], 0) for row in rows), min)
    for column in HIDES:
        values[column] = strictest((as_bit(row[column], 1) for row in rows), max)
    rules, all_read = custom_rules([row["custom_filters"] for row in rows])
    values["custom_privacy_rules"] = json.dumps(rules)
    if not all_read:
        values["business_card_mode"] = 1
        notes.append(
            f"the custom filters of user {user_id} cannot be read: only their business card is shown"
        )
    if len(rows) > 1:
        notes.append(f"user {user_id} had {len(rows)} rows of settings: of each setting the strictest counts")
    return values


def strictest_level(said: list[object]) -> str | None:
    """Return the lowest level of those that were said; an unknown word is the lowest of all."""
    levels = [level if level in LEVELS else LEVELS[0] for level in said if level is not None]
    return min((str(level) for level in levels), key=LEVELS.index, default=None)


def strictest(bits: Iterable[int | None], pick: Callable[[Iterable[int]], int]) -> int | None:
    """Return the strictest of the values; of rows that say nothing (NULL), nothing."""
    said = [bit for bit in bits if bit is not None]
    return pick(said) if said else None


def as_bit(value: object, strict: int) -> int | None:
    """Return 0 or 1 for a stored boolean, NULL for NULL, and the strict side for what cannot be read."""
    if value is None:
        return None
    word = str(value).strip().lower()
    if word in ("1", "true", "yes", "on", "1.0"):
        return 1
    if word in ("0", "false", "no", "off", "0.0"):
        return 0
    return strict


def custom_rules(filters: list[object]) -> tuple[dict[str, str], bool]:
    """Return the paths to hide or redact, and whether every filter could be read whole.

    Understood are an object {path: "hide" or "redact"} and a list of paths, which are hidden.
    """
    rules: dict[str, str] = {}
    all_read = True
    for raw in filters:
        found, read = read_filter(raw)
        all_read = all_read and read
        for path, action in found.items():
            rules[path] = min(action, rules.get(path, action), key=ACTIONS.index)
    return rules, all_read


def read_filter(raw: object) -> tuple[dict[str, str], bool]:
    """Return what one stored filter hides, and whether all of it was understood."""
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw or "")
    if not text.strip():
        return {}, True
    try:
        value = json.loads(text, object_pairs_hook=list)
    except (ValueError, RecursionError):
        return {}, False
    if value is None or value == []:
        return {}, True
    if not isinstance(value, list):
        return {}, False
    rules: dict[str, str] = {}
    all_read = True
    for item in value:
        path, action = item if is_pair(item) else (item, "hide")
        if isinstance(path, str) and path and action in ACTIONS:
            rules[path] = min(action, rules.get(path, action), key=ACTIONS.index)
        else:
            all_read = False
    return rules, all_read


def is_pair(item: object) -> bool:
    """Whether the item is one key and value of a JSON object."""
    return isinstance(item, tuple) and len(item) == 2
