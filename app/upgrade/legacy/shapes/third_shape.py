"""What did migrate_comprehensive.py leave? Settings as rows of name and value, rules as rows of JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

TITLE = "turn the privacy tables of migrate_comprehensive.py into those of 0.2.0"
KEEP_VALUES = True
SCHEMAS = {
    "third shape": """
        CREATE TABLE user_privacy_settings (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            user_id INTEGER NOT NULL,
            setting_name VARCHAR(100) NOT NULL,
            setting_value TEXT NOT NULL,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
            updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
            FOREIGN KEY (user_id) REFERENCES users (id),
            UNIQUE(user_id, setting_name)
        );
        CREATE TABLE data_privacy_rules (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            rule_name VARCHAR(100) NOT NULL UNIQUE,
            rule_type VARCHAR(50) NOT NULL,
            rule_config TEXT NOT NULL,
            is_active BOOLEAN DEFAULT TRUE,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
            updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
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
DEFAULTS = {  # what the old releases gave a new user
    "show_contact_info": 1,
    "show_location": 1,
    "show_current_company": 1,
    "show_salary_range": 0,
    "show_education_details": 1,
    "show_personal_projects": 1,
    "business_card_mode": 0,
    "ai_assistant_access": 1,
}
CUSTOM = ("custom_privacy_rules", "custom_filters")
HIDES_NOTHING = ("retention", "encryption")  # the types of the two rules that the script itself put in
PATH_KEYS = ("field_path", "field", "path", "fields", "paths", "hide", "redact")


def adopt(bind: Connection, table: str) -> tuple[list[str], dict[int, int]]:
    """Turn the table into its form of 0.2.0; every value of it is kept elsewhere by the caller."""
    if table == "data_privacy_rules":
        return adopt_rules(bind)
    return adopt_settings(bind)


def adopt_settings(bind: Connection) -> tuple[list[str], dict[int, int]]:
    """Carry over the settings whose names are known; a value that cannot be read is taken strictly."""
    rows = bind.exec_driver_sql(
        "SELECT user_id, setting_name, CAST(setting_value AS BLOB), created_at, updated_at"
        " FROM user_privacy_settings WHERE typeof(user_id) = 'integer' ORDER BY user_id, id"
    ).all()
    notes = of_nobody(bind)
    bind.exec_driver_sql("DROP TABLE user_privacy_settings")
    bind.exec_driver_sql(NEW_SETTINGS)
    people: dict[int, dict[str, object]] = {}
    for user_id, name, raw, created_at, updated_at in rows:
        person = people.setdefault(user_id, new_person(created_at, updated_at))
        if not set_one(person, str(name).strip().lower(), raw.decode("utf-8", "replace").strip()):
            notes.append(f"setting {name!r} of user {user_id} is not known: it is kept, and has no effect")
    for user_id, person in people.items():
        insert_settings(bind, user_id, person)
    return [f"privacy settings of {len(people)} people carried over", *notes], {}


def of_nobody(bind: Connection) -> list[str]:
    """Return a note where rows name no account by a number: they have no place but among the kept values."""
    count = bind.exec_driver_sql(
        "SELECT count(*) FROM user_privacy_settings WHERE typeof(user_id) <> 'integer'"
    ).scalar()
    return [f"{count} rows of settings name no account: they are kept, and have no effect"] if count else []


def new_person(created_at: object, updated_at: object) -> dict[str, object]:
    """Return the settings of a person who chose nothing yet."""
    return {
        **DEFAULTS,
        "custom_privacy_rules": {},
        "created_at": created_at,
        "updated_at": updated_at,
        "privacy_level": None,
    }


def set_one(person: dict[str, object], name: str, value: str) -> bool:
    """Put one setting into the person's settings; return whether its name is known."""
    if name == "privacy_level":
        person[name] = value if value in LEVELS else LEVELS[0]
    elif name in CUSTOM:
        add_custom_rules(person, value)
    elif name in DEFAULTS:
        strict = 1 if name == "business_card_mode" else 0
        pick = max if strict else min
        now = as_bit(value, strict)
        before = person.setdefault("said " + name, now)
        person["said " + name] = person[name] = pick(now, int(str(before)))
    else:
        return False
    return True


def as_bit(value: str, strict: int) -> int:
    """Return 0 or 1 for a word, and the strict side for what cannot be read."""
    word = value.strip('"').lower()
    if word in ("1", "true", "yes", "on"):
        return 1
    return 0 if word in ("0", "false", "no", "off") else strict


def add_custom_rules(person: dict[str, object], text: str) -> None:
    """Add an object {path: "hide" or "redact"}; whatever else it is leaves only the business card."""
    if text in ("", "{}", "[]", "null"):
        return
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = None
    rules = person["custom_privacy_rules"]
    readable = isinstance(value, dict) and all(action in ("hide", "redact") for action in value.values())
    if isinstance(value, dict) and isinstance(rules, dict) and readable:
        for path, action in value.items():
            rules[path] = "hide" if rules.get(path) == "hide" else action
    else:
        person["business_card_mode"] = person["said business_card_mode"] = 1


def insert_settings(bind: Connection, user_id: int, person: dict[str, object]) -> None:
    """Insert one person's row."""
    columns = [*DEFAULTS, "created_at", "updated_at", "privacy_level"]
    bind.exec_driver_sql(
        f"INSERT INTO user_privacy_settings (user_id, custom_privacy_rules, {', '.join(columns)})"
        f" VALUES (?, ?{', ?' * len(columns)})",
        (user_id, json.dumps(person["custom_privacy_rules"]), *(person[column] for column in columns)),
    )


def adopt_rules(bind: Connection) -> tuple[list[str], dict[int, int]]:
    """Carry over the rules that say what to hide; those about anything else are kept and have no effect."""
    rows = bind.exec_driver_sql(
        "SELECT id, rule_name, rule_type, CAST(rule_config AS BLOB), is_active, created_at"
        " FROM data_privacy_rules ORDER BY id"
    ).all()
    bind.exec_driver_sql("DROP TABLE data_privacy_rules")
    bind.exec_driver_sql(NEW_RULES)
    free = max((row[0] for row in rows), default=0) + 1
    notes = []
    for _, name, kind, raw, is_active, created_at in rows:
        found = [] if kind in HIDES_NOTHING else rules_in(raw.decode("utf-8", "replace"))
        for place, path, level, pattern in found:
            bind.exec_driver_sql(
                "INSERT INTO data_privacy_rules"
                " (id, endpoint_name, field_path, privacy_level, is_active, created_at, field_name, pattern)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (free, place, path, level, is_active, created_at, name if pattern else None, pattern),
            )
            free += 1
        if not found:
            notes.append(f"rule {name!r} says nothing that can be hidden: it is kept, and has no effect")
    return [f"{len(rows)} privacy rules read", *notes], {}


def rules_in(text: str) -> list[tuple[str, str, str | None, str | None]]:
    """Return (endpoint, field path, level, pattern) of each thing that a rule's JSON says to hide."""
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        return []
    if not isinstance(config, dict):
        return []
    place = config.get("endpoint_name") or config.get("endpoint")
    place = place if isinstance(place, str) else "*"
    level = config.get("privacy_level") or config.get("level")
    level = level if isinstance(level, str) else None
    found: list[tuple[str, str, str | None, str | None]] = [
        (place, path, level, None) for key in PATH_KEYS for path in texts(config.get(key))
    ]
    return found + [
        (place, "*", level, pattern)
        for key in ("pattern", "patterns", "regex")
        for pattern in texts(config.get(key))
    ]


def texts(value: object) -> list[str]:
    """Return the strings that the value is or lists."""
    listed = value if isinstance(value, list) else [value]
    return [text for text in listed if isinstance(text, str) and text]
