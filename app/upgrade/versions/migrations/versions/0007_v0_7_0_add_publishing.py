"""What does 0.7.0 need? Kinds of one's own; revisions, links and search; roles, sessions, factors and keys.

Every part adds only what is missing, so that the step can be run again. No row changes, and all of it begins
empty: NULL in a new column is what was before it.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
VERSION = "0.7.0"
TITLE = "add what publishing, people and their keys need"
CONTRACT = {
    "adds": (
        "kind_versions",
        "share_links",
        "share_targets",
        "idempotency_keys",
        "search_rows",
        "search_stamps",
        "entry_revisions",
        "audit_anchors",
        "erasures",
        "imports",
        "import_files",
        "imported_entries",
        "sessions",
        "one_time_links",
        "second_factors",
        "recovery_codes",
        "departures",
        "operations",
        "storage_limits",
        "storage_use",
        "users.role",
        "users.email_key",
        "users.erased_at",
        "endpoints.user_id",
        "endpoints.short_name",
        "endpoints.is_shipped",
        "endpoints.title",
        "endpoints.default_visibility",
        "endpoints.example",
        "endpoints.schema_version",
        "data_entries.shown_from",
        "data_entries.shown_until",
        "data_entries.revision",
        "audit_logs.salt",
        "audit_logs.values_digest",
        "audit_logs.actor_digest",
        "audit_logs.changes_hash",
        "audit_logs.events_hash",
        "installation.scrubbed_at",
        "api_keys.kinds",
        "api_keys.verbs",
        "api_keys.privacy_level",
        "api_keys.prefix",
        "ix_share_links_token_hash",
        "ix_share_links_user_id",
        "ix_share_targets_target",
        "ix_idempotency_keys_created_at",
        "ix_search_rows_entry",
        "ix_search_rows_user",
        "ix_entry_revisions_ended_at",
        "ix_audit_anchors_before_hash",
        "ix_audit_anchors_after_hash",
        "ix_erasures_record",
        "ix_erasures_user_id",
        "ix_imports_user_id",
        "ix_imported_entries_source",
        "ix_imported_entries_entry_id",
        "ix_sessions_user_id",
        "ix_one_time_links_token_hash",
        "ix_one_time_links_user_id",
        "ix_one_time_links_created_by_id",
        "ix_departures_due_at",
        "ix_operations_user_id",
        "ix_operations_expires_at",
        "ix_users_email_key",
        "ix_endpoints_owner",
        "ix_data_entries_shown",
        "ix_data_entries_shown_from",
        "ix_data_entries_shown_until",
    ),
    "drops": ("ix_data_entries_listed",),
    "grows": (),
    "changes": {},
    "needs": {},
    "down": {
        "kind_versions": "kept",
        "share_links": "kept",
        "share_targets": "kept",
        "idempotency_keys": "derived",
        "search_rows": "derived",
        "search_stamps": "derived",
        "entry_revisions": "kept",
        "audit_anchors": "kept",
        "erasures": "kept",
        "imports": "kept",
        "import_files": "kept",
        "imported_entries": "kept",
        "sessions": "derived",
        "one_time_links": "derived",
        "second_factors": "kept",
        "recovery_codes": "kept",
        "departures": "kept",
        "operations": "derived",
        "storage_limits": "kept",
        "storage_use": "derived",
        "users.role": "kept",
        "users.email_key": "derived",
        "users.erased_at": "kept",
        "endpoints.user_id": "kept",
        "endpoints.short_name": "kept",
        "endpoints.is_shipped": "kept",
        "endpoints.title": "kept",
        "endpoints.default_visibility": "kept",
        "endpoints.example": "kept",
        "endpoints.schema_version": "kept",
        "data_entries.shown_from": "kept",
        "data_entries.shown_until": "kept",
        "data_entries.revision": "kept",
        "audit_logs.salt": "kept",
        "audit_logs.values_digest": "kept",
        "audit_logs.actor_digest": "kept",
        "audit_logs.changes_hash": "kept",
        "audit_logs.events_hash": "kept",
        "installation.scrubbed_at": "derived",
        "api_keys.kinds": "kept",
        "api_keys.verbs": "kept",
        "api_keys.privacy_level": "kept",
        "api_keys.prefix": "kept",
    },
    "withheld": {
        # 0.6.0 knows no time, and would show what is not to be seen yet, or any more.
        "data_entries": "t.visibility = 'public' AND (t.shown_from IS NOT NULL OR t.shown_until IS NOT NULL)",
        # 0.6.0 knows nothing of what a key is limited to, and would let it read or write more.
        "api_keys": "t.kinds IS NOT NULL OR t.verbs IS NOT NULL OR t.privacy_level IS NOT NULL",
    },
    "readable": {},
}


def upgrade() -> None:
    """Add the columns, the tables and the indexes."""
    _add_columns()
    _change_indexes()
    _add_revisions()
    _add_imports()
    _add_links()
    _add_search()
    _add_kinds()
    _add_coming_in()
    _add_people()


def _add_columns() -> None:
    op.add_column("users", sa.Column("role", sa.String(10)))
    op.add_column("users", sa.Column("email_key", sa.String(100)))
    op.add_column("users", sa.Column("erased_at", sa.DateTime()))
    op.add_column("endpoints", sa.Column("user_id", sa.Integer()))
    op.add_column("endpoints", sa.Column("short_name", sa.String(100)))
    op.add_column("endpoints", sa.Column("is_shipped", sa.Boolean()))
    op.add_column("endpoints", sa.Column("title", sa.String(100)))
    op.add_column("endpoints", sa.Column("default_visibility", sa.String(20)))
    op.add_column("endpoints", sa.Column("example", sa.JSON()))
    op.add_column("endpoints", sa.Column("schema_version", sa.Integer()))
    op.add_column("data_entries", sa.Column("shown_from", sa.DateTime()))
    op.add_column("data_entries", sa.Column("shown_until", sa.DateTime()))
    op.add_column("data_entries", sa.Column("revision", sa.Integer()))
    op.add_column("audit_logs", sa.Column("salt", sa.String(64)))
    op.add_column("audit_logs", sa.Column("values_digest", sa.String(64)))
    op.add_column("audit_logs", sa.Column("actor_digest", sa.String(64)))
    op.add_column("audit_logs", sa.Column("changes_hash", sa.String(64)))
    op.add_column("audit_logs", sa.Column("events_hash", sa.String(64)))
    op.add_column("installation", sa.Column("scrubbed_at", sa.TIMESTAMP()))
    op.add_column("api_keys", sa.Column("kinds", sa.JSON()))
    op.add_column("api_keys", sa.Column("verbs", sa.JSON()))
    op.add_column("api_keys", sa.Column("privacy_level", sa.String(20)))
    op.add_column("api_keys", sa.Column("prefix", sa.String(20)))
    op.create_index("ix_users_email_key", "users", ["email_key"])
    op.create_index("ix_endpoints_owner", "endpoints", ["user_id", "short_name"], unique=True)


def _change_indexes() -> None:
    """A stranger's list of ids is answered by the index alone, with the times."""
    of_list = ("endpoint_id", "created_by_id", "is_active", "visibility")
    order = sa.text("coalesce(position, id)")
    op.create_index(
        "ix_data_entries_shown", "data_entries", [*of_list, order, "id", "shown_from", "shown_until"]
    )
    op.drop_index("ix_data_entries_listed", "data_entries")
    # Only the engine's own word is said: another one would load that engine.
    where = f"{op.get_bind().dialect.name}_where"
    for name in ("shown_from", "shown_until"):
        has_one: dict[str, Any] = {where: sa.text(f"{name} IS NOT NULL")}
        op.create_index(f"ix_data_entries_{name}", "data_entries", [name], **has_one)


def _add_revisions() -> None:
    op.create_table(
        "entry_revisions",
        sa.Column("entry_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("data", sa.JSON(), nullable=False),
        sa.Column("visibility", sa.String(20)),
        sa.Column("slug", sa.String(100)),
        sa.Column("is_active", sa.Boolean()),
        sa.Column("more", sa.JSON()),
        sa.Column("written_at", sa.DateTime()),
        sa.Column("ended_at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_entry_revisions_ended_at", "entry_revisions", ["ended_at"])
    op.create_table(
        "audit_anchors",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("before_hash", sa.String(64)),
        sa.Column("after_hash", sa.String(64)),
        sa.Column("first_id", sa.Integer()),
        sa.Column("last_id", sa.Integer()),
        sa.Column("rows_count", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_audit_anchors_before_hash", "audit_anchors", ["before_hash"])
    op.create_index("ix_audit_anchors_after_hash", "audit_anchors", ["after_hash"])
    op.create_table(
        "erasures",
        sa.Column("installation_id", sa.String(36), primary_key=True),
        sa.Column("table_name", sa.String(50), primary_key=True),
        sa.Column("record_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("created_at", sa.String(40), primary_key=True),
        sa.Column("erased_at", sa.DateTime(), nullable=False),
        sa.Column("user_id", sa.Integer()),
    )
    op.create_index("ix_erasures_record", "erasures", ["table_name", "record_id"])
    op.create_index("ix_erasures_user_id", "erasures", ["user_id"])


def _add_imports() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("format", sa.String(30), nullable=False),
        sa.Column("label", sa.String(255)),
        sa.Column("source_sha256", sa.String(64), nullable=False),
        sa.Column("mapping", sa.JSON()),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("undone_at", sa.DateTime()),
    )
    op.create_index("ix_imports_user_id", "imports", ["user_id"])
    op.create_table(
        "import_files",
        sa.Column("import_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("number", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "imported_entries",
        sa.Column("import_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("source_key", sa.String(64), primary_key=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
    )
    op.create_index("ix_imported_entries_source", "imported_entries", ["user_id", "source_key"])
    op.create_index("ix_imported_entries_entry_id", "imported_entries", ["entry_id"])


def _add_links() -> None:
    op.create_table(
        "share_links",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("label", sa.String(100)),
        sa.Column("privacy_level", sa.String(20)),
        sa.Column("views_most", sa.Integer()),
        sa.Column("views_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime()),
    )
    op.create_index("ix_share_links_token_hash", "share_links", ["token_hash"], unique=True)
    op.create_index("ix_share_links_user_id", "share_links", ["user_id"])
    op.create_table(
        "share_targets",
        sa.Column("link_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("target", sa.String(10), primary_key=True),
        sa.Column("target_id", sa.Integer(), primary_key=True, autoincrement=False),
    )
    op.create_index("ix_share_targets_target", "share_targets", ["target", "target_id"])
    op.create_table(
        "idempotency_keys",
        sa.Column("user_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("key_hash", sa.String(64), primary_key=True),
        sa.Column("request_hash", sa.String(64), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_idempotency_keys_created_at", "idempotency_keys", ["created_at"])


def _add_search() -> None:
    op.create_table(
        "search_rows",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("audience", sa.String(20), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("endpoint_id", sa.Integer(), nullable=False),
        sa.Column("stamp", sa.String(32), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("sorted_at", sa.Integer(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
    )
    op.create_index("ix_search_rows_entry", "search_rows", ["entry_id", "audience"], unique=True)
    op.create_index("ix_search_rows_user", "search_rows", ["user_id", "audience"])
    op.create_table(
        "search_stamps",
        sa.Column("stamp", sa.String(32), primary_key=True),
        sa.Column("completed_at", sa.DateTime(), nullable=False),
    )


def _add_kinds() -> None:
    op.create_table(
        "kind_versions",
        sa.Column("endpoint_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("schema", sa.JSON(), nullable=False),
        sa.Column("example", sa.JSON()),
        sa.Column("created_at", sa.DateTime()),
    )


def _add_coming_in() -> None:
    op.create_table(
        "sessions",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("last_used_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime()),
        sa.Column("refresh_hash", sa.String(64)),
        sa.Column("ip_address", sa.String(45)),
        sa.Column("user_agent", sa.Text()),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_table(
        "one_time_links",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("purpose", sa.String(20), nullable=False),
        sa.Column("token_hash", sa.String(64), nullable=False),
        sa.Column("user_id", sa.Integer()),
        sa.Column("role", sa.String(10)),
        sa.Column("label", sa.String(100)),
        sa.Column("created_by_id", sa.Integer()),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("expires_at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_one_time_links_token_hash", "one_time_links", ["token_hash"], unique=True)
    op.create_index("ix_one_time_links_user_id", "one_time_links", ["user_id"])
    op.create_index("ix_one_time_links_created_by_id", "one_time_links", ["created_by_id"])
    op.create_table(
        "second_factors",
        sa.Column("user_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("secret", sa.String(200), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime()),
        sa.Column("last_step", sa.Integer()),
        sa.Column("failed_count", sa.Integer()),
        sa.Column("failed_at", sa.DateTime()),
    )
    op.create_table(
        "recovery_codes",
        sa.Column("user_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("code_hash", sa.String(64), primary_key=True),
    )


def _add_people() -> None:
    op.create_table(
        "departures",
        sa.Column("user_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("asked_at", sa.DateTime(), nullable=False),
        sa.Column("due_at", sa.DateTime(), nullable=False),
        sa.Column("was_active", sa.Boolean(), nullable=False),
    )
    op.create_index("ix_departures_due_at", "departures", ["due_at"])
    op.create_table(
        "operations",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(50), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("done_count", sa.Integer()),
        sa.Column("total_count", sa.Integer()),
        sa.Column("created_at", sa.DateTime()),
        sa.Column("seen_at", sa.DateTime()),
        sa.Column("finished_at", sa.DateTime()),
        sa.Column("expires_at", sa.DateTime()),
        sa.Column("file_name", sa.String(255)),
        sa.Column("size_bytes", sa.Integer()),
        sa.Column("sha256", sa.String(64)),
        sa.Column("fault", sa.Text()),
    )
    op.create_index("ix_operations_user_id", "operations", ["user_id"])
    op.create_index("ix_operations_expires_at", "operations", ["expires_at"])
    op.create_table(
        "storage_limits",
        sa.Column("user_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("most_entries", sa.Integer()),
        sa.Column("most_bytes", sa.Integer()),
    )
    op.create_table(
        "storage_use",
        sa.Column("user_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("entries_count", sa.Integer(), nullable=False),
        sa.Column("bytes_count", sa.Integer(), nullable=False),
    )
