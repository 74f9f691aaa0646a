"""Database schema (tables). What does today's database look like? Its history is in app/upgrade.

Columns are read as they are stored: JSON as its text, times as theirs, booleans as the 0 and 1 they are.
Old databases hold values that no converting type survives (NaN in JSON, odd dates, text in numbers), and the
rooms decide what those mean.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    event,
    text,
)
from sqlalchemy.types import UserDefinedType


class AsStored(UserDefinedType[Any]):
    """A column of the declared type ``word`` whose values pass through unchanged, in and out."""

    cache_ok = True

    def __init__(self, word: str) -> None:
        self.word = word

    def get_col_spec(self, **_: object) -> str:
        """The word that stands in CREATE TABLE."""
        return self.word


JSON_TEXT = AsStored("JSON")
FLAG = AsStored("BOOLEAN")
TIME = AsStored("DATETIME")
TIMESTAMP = AsStored("TIMESTAMP")
ANYTHING = AsStored("BLOB")
NOW = text("(CURRENT_TIMESTAMP)")
ORDER = text("coalesce(position, id)")  # of the entries in a list
HAS_SLUG = text("slug IS NOT NULL")

metadata = MetaData()

users = Table(
    "users",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("username", String(50), nullable=False),
    Column("full_name", String(100)),
    Column("email", String(100), nullable=False),
    Column("hashed_password", String(128), nullable=False),
    Column("is_active", FLAG),
    Column("is_admin", FLAG),
    Column("created_at", TIME, server_default=NOW),
    Column("last_login", TIME),
    Column("token_generation", Integer),  # raised when every token of the account ends; NULL is 0
    Column("username_key", String(50)),  # the name, case folded; NULL where an older server wrote the row
    Index("ix_users_username", "username", unique=True),
    Index("ix_users_email", "email", unique=True),
    Index("ix_users_id", "id"),
    Index("ix_users_username_key", "username_key"),
    info={"owner": "accounts"},
)

endpoints = Table(
    "endpoints",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("description", Text),
    Column("schema", JSON_TEXT, nullable=False),
    Column("is_active", FLAG),
    Column("is_public", FLAG),
    Column("created_at", TIME, server_default=NOW),
    Column("updated_at", TIME),
    Column("created_by_id", Integer, ForeignKey("users.id")),
    Index("ix_endpoints_name", "name", unique=True),
    Index("ix_endpoints_id", "id"),
    info={"owner": "entries"},
)

data_entries = Table(
    "data_entries",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("endpoint_id", Integer, ForeignKey("endpoints.id"), nullable=False),
    Column("data", JSON_TEXT, nullable=False),
    Column("is_active", FLAG),
    Column("created_at", TIME, server_default=NOW),
    Column("updated_at", TIME),
    Column("created_by_id", Integer, ForeignKey("users.id")),
    Column("visibility", String(20)),  # public | unlisted | private; NULL is private
    Column("position", BigInteger),  # its place in lists; NULL: where its id says, as before 0.6.0
    Column("slug", String(100)),  # a name in its address, beside the id; one of a person and kind
    Index("ix_data_entries_created_at", "created_at"),
    Index("ix_data_entries_owner", "created_by_id"),
    Index("ix_data_entries_listed", "endpoint_id", "created_by_id", "is_active", "visibility", ORDER),
    Index("ix_data_entries_own", "endpoint_id", "created_by_id", "is_active", ORDER),
    Index("ix_data_entries_ordered", "endpoint_id", "is_active", ORDER),
    info={"owner": "entries"},
)
_SLUG = Index(
    "ix_data_entries_slug",
    *(data_entries.c.created_by_id, data_entries.c.endpoint_id, data_entries.c.slug),
    unique=True,
    sqlite_where=HAS_SLUG,
)


@event.listens_for(data_entries, "before_create")
def _say_it_to_postgresql(table: Table, connection: Connection, **more: object) -> None:
    # Said with the index it would load the dialect of PostgreSQL, 3 MB, into every server on SQLite.
    if connection.dialect.name == "postgresql":
        _SLUG.dialect_options["postgresql"]["where"] = HAS_SLUG


api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(100), nullable=False),
    Column("key_hash", String(128), nullable=False),
    Column("user_id", Integer, ForeignKey("users.id"), nullable=False),
    Column("is_active", FLAG),
    Column("expires_at", TIME),
    Column("last_used", TIME),
    Column("created_at", TIME, server_default=NOW),
    Column("can_write", FLAG),  # 1 alone lets a key write
    Index("ix_api_keys_id", "id"),
    Index("ix_api_keys_key_hash", "key_hash", unique=True),
    Index("ix_api_keys_user_id", "user_id"),
    info={"owner": "accounts"},
)

audit_logs = Table(
    "audit_logs",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("action", String(50), nullable=False),
    Column("table_name", String(50), nullable=False),
    Column("record_id", Integer, nullable=False),
    Column("old_values", JSON_TEXT),
    Column("new_values", JSON_TEXT),
    Column("user_id", Integer, ForeignKey("users.id")),
    Column("ip_address", String(45)),
    Column("user_agent", Text),
    Column("created_at", TIME, server_default=NOW),
    Column("api_key_id", Integer),  # the key with which it was done; NULL is none
    Index("ix_audit_logs_created_at", "created_at"),
    Index("ix_audit_logs_table_record", "table_name", "record_id"),
    Index("ix_audit_logs_user_id", "user_id"),
    info={"owner": "accounts"},
)

user_privacy_settings = Table(
    "user_privacy_settings",
    metadata,
    Column("user_id", Integer, ForeignKey("users.id"), primary_key=True, autoincrement=False),
    Column("show_contact_info", FLAG),
    Column("show_location", FLAG),
    Column("show_current_company", FLAG),
    Column("show_salary_range", FLAG),
    Column("show_education_details", FLAG),
    Column("show_personal_projects", FLAG),
    Column("business_card_mode", FLAG),
    Column("ai_assistant_access", FLAG),
    Column("custom_privacy_rules", JSON_TEXT),
    Column("created_at", TIME, server_default=NOW),
    Column("updated_at", TIME),
    Column("privacy_level", String(20)),  # the person's own ceiling; NULL is none
    Column("preferred_contact", String(100)),  # which way to write to them a business card offers
    Column("words_generation", Integer),  # raised when the never-list changes; NULL is 0
    Column("releases_shipped_rules", FLAG),  # 1: fields that the shipped rules hid by name follow the levels
    info={"owner": "accounts"},
)

data_privacy_rules = Table(
    "data_privacy_rules",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("endpoint_name", String(100), nullable=False),  # "*": every kind
    Column("field_path", String(200), nullable=False),  # "*": the rule is its field_name and pattern
    Column("privacy_level", String(20)),
    Column("is_active", FLAG),
    Column("created_at", TIME, server_default=NOW),
    Column("field_name", String(50)),
    Column("pattern", String(200)),
    Index("ix_data_privacy_rules_id", "id"),
    Index("ix_data_privacy_rules_active", "is_active"),
    info={"owner": "entries"},
)

database_versions = Table(
    "database_versions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("version", String(20), nullable=False),
    Column("applied_at", TIMESTAMP, server_default=text("CURRENT_TIMESTAMP")),
    Column("migration_script", String(100)),
    Column("description", Text),
    Column("rollback_notes", Text),
    Column("from_version", String(20)),
    Column("started_at", TIMESTAMP),
    Column("duration_ms", Integer),
    Column("outcome", String(20)),
    Column("backup_file", String(255)),
    Column("tool_version", String(20)),
    Column("steps_hash", String(64)),
    Column("is_claim", FLAG),  # 1: written by an old script, which recorded what it was told
    sqlite_autoincrement=True,
    info={"owner": "upgrade"},
)

kept_values = Table(
    "kept_values",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("table_name", String(100), nullable=False),
    Column("row_key", Text, nullable=False),
    Column("column_name", String(100), nullable=False),
    Column("value", ANYTHING),  # typed as it was: integer, real, text or blob
    Column("value_type", String(10)),
    Column("kept_at", TIMESTAMP),
    Index("ix_kept_values_place", "table_name", "row_key", "column_name"),
    info={"owner": "upgrade"},
)

login_places = Table(
    "login_places",
    metadata,
    Column("user_id", Integer, primary_key=True, autoincrement=False),
    Column("network", String(64), primary_key=True),  # where the account has logged in from
    Column("last_seen_at", TIME),
    info={"owner": "accounts"},
)

unclaimed_entries = Table(
    "unclaimed_entries",
    metadata,
    Column("entry_id", Integer, primary_key=True, autoincrement=False),  # written before there was an account
    Column("size_bytes", Integer, nullable=False),
    Column("received_at", TIME),
    info={"owner": "entries"},
)

id_counters = Table(
    "id_counters",
    metadata,
    Column("table_name", String(100), primary_key=True),
    Column("last_id", Integer, nullable=False),  # the highest id that was ever given; none is given again
    info={"owner": "ids"},
)

installation = Table(
    "installation",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # 1, the only row
    Column("installation_id", String(36), nullable=False),  # a UUID; backups bear it
    Column("backups_made", Integer),  # the order of backups, whatever the clock says
    Column("seen_host", String(255)),
    Column("seen_path", Text),
    Column("clock_seen_at", TIMESTAMP),  # the latest time at which this database was served or backed up
    Column("clock_leapt_from", TIMESTAMP),
    Column("clock_leapt_to", TIMESTAMP),  # a leap that no one has confirmed holds pruning
    info={"owner": "installation"},
)

text_findings = Table(
    "text_findings",
    metadata,
    Column("entry_id", Integer, primary_key=True, autoincrement=False),
    Column("content_hash", String(64), nullable=False),  # of the stored JSON that was searched
    Column("detectors_version", Integer, nullable=False),
    Column("words_generation", Integer),  # of the owner's never-list when it was searched
    Column("found", Text, nullable=False),  # JSON array of findings (`findings`); "[]" where there are none
    Column("searched_at", TIME),
    info={"owner": "entries"},
)

finding_releases = Table(
    "finding_releases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", Integer, nullable=False),
    Column("entry_id", Integer),  # NULL: every entry of the kind, or of the person
    Column("endpoint_id", Integer),
    Column("detector", String(50)),  # NULL: whatever was found, secrets excepted
    Column("value_hash", String(64)),  # keyed; NULL: every value
    Column("created_at", TIME),
    Index("ix_finding_releases_user_id", "user_id"),
    info={"owner": "entries"},
)

never_words = Table(
    "never_words",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", Integer, nullable=False),
    Column("word_hash", String(64), nullable=False),  # keyed, of the folded word; the word itself is not kept
    Column("length", Integer, nullable=False),  # of the folded word, in code points
    Column("privacy_level", String(20)),  # the widest level that may show it; NULL: none
    Column("created_at", TIME),
    Index("ix_never_words_user_id", "user_id"),
    info={"owner": "entries"},
)

privacy_secrets = Table(
    "privacy_secrets",
    metadata,
    Column("name", String(50), primary_key=True),
    Column("secret", String(128), nullable=False),
    Column("created_at", TIME),
    info={"owner": "entries"},
)

view_changes = Table(
    "view_changes",
    metadata,
    Column("entry_id", Integer, primary_key=True, autoincrement=False),
    Column("privacy_level", String(20), primary_key=True),
    Column("view_hash", String(64), nullable=False),
    Column("changed_at", TIME),  # when the bytes of the entry's view at this level changed last
    info={"owner": "entries"},
)

privacy_selftests = Table(
    "privacy_selftests",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("started_at", TIME),
    Column("finished_at", TIME),
    Column("outcome", String(20), nullable=False),
    Column("findings", Text),
    info={"owner": "entries"},
)
