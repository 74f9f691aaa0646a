"""What does 0.4.0 need to say who gets in? The end of tokens, rights of keys, places of logins, counters.

Every part adds only what is missing, so that the step can be run again. What it fills in by rule are the case
folded names and the counters; no value of the owner changes.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
VERSION = "0.4.0"
TITLE = "add what ends tokens, limits keys, remembers logins and counts ids"

LARGEST_ID = (
    2**53
)  # beyond it a JSON client cannot name an id; what an odd row says above it counts for nothing

# By table: what names its rows besides the table itself and the audit, so that no id is given a second time.
NAMED_BY = {
    "users": (
        "SELECT created_by_id FROM data_entries",
        "SELECT created_by_id FROM endpoints",
        "SELECT user_id FROM api_keys",
        "SELECT user_id FROM audit_logs",
        "SELECT user_id FROM user_privacy_settings",
        "SELECT CAST(value AS INTEGER) FROM kept_values WHERE value_type = 'integer'"
        " AND (column_name IN ('user_id', 'created_by_id')"
        " OR (table_name = 'users' AND column_name IN ('id', 'sqlite_sequence')))",
    ),
    "endpoints": ("SELECT endpoint_id FROM data_entries",),
    "data_entries": (),
    "api_keys": (),
    "data_privacy_rules": (),
}


def upgrade() -> None:
    """Add columns, tables and the index; fill in the folded names and the counters."""
    op.add_column("users", sa.Column("token_generation", sa.Integer()))
    op.add_column("users", sa.Column("username_key", sa.String(50)))
    op.add_column("api_keys", sa.Column("can_write", sa.Boolean()))
    op.add_column("audit_logs", sa.Column("api_key_id", sa.Integer()))
    op.create_table(
        "login_places",
        sa.Column("user_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("network", sa.String(64), primary_key=True),
        sa.Column("last_seen_at", sa.DateTime()),
    )
    op.create_table(
        "unclaimed_entries",
        sa.Column("entry_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime()),
    )
    op.create_table(
        "id_counters",
        sa.Column("table_name", sa.String(100), primary_key=True),
        sa.Column("last_id", sa.Integer(), nullable=False),
    )
    bind = op.get_bind()
    fold_names(bind)
    for table, named_by in NAMED_BY.items():
        count_ids(bind, table, named_by)
    op.create_index("ix_users_username_key", "users", ["username_key"])


def fold_names(bind: sa.Connection) -> None:
    """Give every account its case folded name; none where the name is no text in UTF-8."""
    rows = bind.exec_driver_sql(
        "SELECT id, CAST(username AS BLOB) FROM users WHERE typeof(username) = 'text'"
    ).all()
    folded = [(name, number) for number, raw in rows if (name := folded_name(raw)) is not None]
    if folded:
        bind.exec_driver_sql("UPDATE users SET username_key = ? WHERE id = ?", folded)


def folded_name(raw: bytes) -> str | None:
    """Return the name without its case, or None."""
    try:
        return raw.decode("utf-8").casefold()
    except UnicodeDecodeError:
        return None


def count_ids(bind: sa.Connection, table: str, named_by: Iterable[str]) -> None:
    """Store the highest id that anything ever gave a row of the table; a counter never goes down."""
    queries = [
        f"SELECT id FROM {table}",
        f"SELECT record_id FROM audit_logs WHERE table_name = '{table}'",
        f"SELECT CAST(row_key AS INTEGER) FROM kept_values WHERE table_name = '{table}' AND row_key <> ''",
        f"SELECT last_id FROM id_counters WHERE table_name = '{table}'",
        *named_by,
    ]
    union = " UNION ALL ".join(queries)
    highest = bind.exec_driver_sql(
        f"WITH named(id) AS ({union}) SELECT max(id) FROM named WHERE typeof(id) = 'integer' AND id < ?",
        (LARGEST_ID,),
    ).scalar()
    bind.exec_driver_sql(
        "INSERT INTO id_counters (table_name, last_id) SELECT ?, 0"
        " WHERE NOT EXISTS (SELECT 1 FROM id_counters WHERE table_name = ?)",
        (table, table),
    )
    bind.exec_driver_sql("UPDATE id_counters SET last_id = ? WHERE table_name = ?", (highest or 0, table))
