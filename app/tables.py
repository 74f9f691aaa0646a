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
HAS_BEGINNING, HAS_END = text("shown_from IS NOT NULL"), text("shown_until IS NOT NULL")

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
    Column("role", String(10)),  # member | reader; NULL is member. Admins have is_admin = 1
    Column("email_key", String(100)),  # the mail address, case folded; NULL where it was not filled in yet
    Column("erased_at", TIME),  # when this person was erased; the row keeps the id from being another's
    Index("ix_users_username", "username", unique=True),
    Index("ix_users_email", "email", unique=True),
    Index("ix_users_id", "id"),
    Index("ix_users_username_key", "username_key"),
    Index("ix_users_email_key", "email_key"),
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
    Column("user_id", Integer),  # whose own kind it is; NULL: of the whole installation
    Column("short_name", String(100)),  # what its owner calls it: `name` is "short_name@user_id" then
    Column("is_shipped", FLAG),  # 1: made for a kind file that came after 0.6.0
    Column("title", String(100)),
    Column("default_visibility", String(20)),  # of an own kind's entries that say none
    Column("example", JSON_TEXT),  # content that fits `schema`
    Column("schema_version", Integer),  # of an own kind's schema; NULL: it has none
    Index("ix_endpoints_name", "name", unique=True),
    Index("ix_endpoints_id", "id"),
    Index("ix_endpoints_owner", "user_id", "short_name", unique=True),
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
    Column("shown_from", TIME),  # strangers see it from then on; NULL: from the beginning
    Column("shown_until", TIME),  # and before that moment; NULL: without an end
    Column("revision", Integer),  # the number of the state that stands here; NULL is 1
    Index("ix_data_entries_created_at", "created_at"),
    Index("ix_data_entries_owner", "created_by_id"),
    Index(
        "ix_data_entries_shown",
        *("endpoint_id", "created_by_id", "is_active", "visibility"),
        ORDER,
        *("id", "shown_from", "shown_until"),
    ),
    Index("ix_data_entries_own", "endpoint_id", "created_by_id", "is_active", ORDER),
    Index("ix_data_entries_ordered", "endpoint_id", "is_active", ORDER),
    info={"owner": "entries"},
)
_PARTIAL = (
    Index(
        "ix_data_entries_slug",
        *(data_entries.c.created_by_id, data_entries.c.endpoint_id, data_entries.c.slug),
        unique=True,
        sqlite_where=HAS_SLUG,
    ),
    Index("ix_data_entries_shown_from", data_entries.c.shown_from, sqlite_where=HAS_BEGINNING),
    Index("ix_data_entries_shown_until", data_entries.c.shown_until, sqlite_where=HAS_END),
)


@event.listens_for(data_entries, "before_create")
def _say_it_to_postgresql(table: Table, connection: Connection, **more: object) -> None:
    # Said with the indexes it would load the dialect of PostgreSQL, 3 MB, into every server on SQLite.
    if connection.dialect.name == "postgresql":
        for index in _PARTIAL:
            index.dialect_options["postgresql"]["where"] = index.dialect_options["sqlite"]["where"]


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
    Column("kinds", JSON_TEXT),  # names of kinds that it opens; NULL: every one
    Column("verbs", JSON_TEXT),  # read, create, change, delete; NULL: as can_write says
    Column("privacy_level", String(20)),  # the most that it sees, as strangers do; NULL: no ceiling
    Column("prefix", String(20)),  # how its text begins, to know it again; NULL of older ones
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
    Column("salt", String(64)),  # of its digests; the salt goes when values or actor are erased
    Column("values_digest", String(64)),  # stands in for values that were erased; NULL: they are there
    Column("actor_digest", String(64)),  # the same of who it was
    Column("changes_hash", String(64)),  # the chain of what changed; NULL: from before it
    Column("events_hash", String(64)),  # the chain of what happened without a change
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
    Column("scrubbed_at", TIMESTAMP),  # since when no free page holds what was deleted; NULL: never
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

kind_versions = Table(
    "kind_versions",
    metadata,
    Column("endpoint_id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, primary_key=True, autoincrement=False),
    Column("schema", JSON_TEXT, nullable=False),
    Column("example", JSON_TEXT),
    Column("created_at", TIME),
    info={"owner": "entries"},
)
"""The schemas that a kind of one's own has had, the present one too."""

share_links = Table(
    "share_links",
    metadata,
    Column("id", Integer, primary_key=True),  # random
    Column("user_id", Integer, nullable=False),
    Column("token_hash", String(64), nullable=False),
    Column("label", String(100)),
    Column("privacy_level", String(20)),  # NULL: what strangers are shown who name none
    Column("views_most", Integer),  # NULL: any number
    Column("views_count", Integer, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("expires_at", TIME),  # NULL: until it is revoked
    Index("ix_share_links_token_hash", "token_hash", unique=True),
    Index("ix_share_links_user_id", "user_id"),
    info={"owner": "entries"},
)

share_targets = Table(
    "share_targets",
    metadata,
    Column("link_id", Integer, primary_key=True, autoincrement=False),
    Column("target", String(10), primary_key=True),  # kind | entry
    Column("target_id", Integer, primary_key=True, autoincrement=False),  # endpoints.id | data_entries.id
    Index("ix_share_targets_target", "target", "target_id"),
    info={"owner": "entries"},
)

idempotency_keys = Table(
    "idempotency_keys",
    metadata,
    Column("user_id", Integer, primary_key=True, autoincrement=False),  # 0: the local door
    Column("key_hash", String(64), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    Column("outcome", Text, nullable=False),  # ,ids of entries, and the answer, encrypted: see entries
    Column("created_at", TIME, nullable=False),
    Index("ix_idempotency_keys_created_at", "created_at"),
    info={"owner": "entries"},
)

search_rows = Table(
    "search_rows",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("entry_id", Integer, nullable=False),
    Column("audience", String(20), nullable=False),  # a level, or own
    Column("user_id", Integer, nullable=False),
    Column("endpoint_id", Integer, nullable=False),
    Column("stamp", String(32), nullable=False),  # of the policy that it was made under
    Column("content_hash", String(64), nullable=False),
    Column("sorted_at", Integer, nullable=False),
    Column("words", Text, nullable=False),  # folded, of what is visible there
    Index("ix_search_rows_entry", "entry_id", "audience", unique=True),
    Index("ix_search_rows_user", "user_id", "audience"),
    info={"owner": "entries"},
)

search_stamps = Table(
    "search_stamps",
    metadata,
    Column("stamp", String(32), primary_key=True),
    Column("completed_at", TIME, nullable=False),  # when all rows with it had been made
    info={"owner": "entries"},
)

entry_revisions = Table(
    "entry_revisions",
    metadata,
    Column("entry_id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("data", JSON_TEXT, nullable=False),
    Column("visibility", String(20)),
    Column("slug", String(100)),
    Column("is_active", FLAG),  # 0: the entry was deleted in this state
    Column("more", JSON_TEXT),  # what later columns of data_entries held, by name
    Column("written_at", TIME),  # when the state began; NULL: not known
    Column("ended_at", TIME, nullable=False),  # when another one took its place
    Index("ix_entry_revisions_ended_at", "ended_at"),
    info={"owner": "entries"},
)

audit_anchors = Table(
    "audit_anchors",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(20), nullable=False),  # start | retention
    Column("before_hash", String(64)),
    Column("after_hash", String(64)),
    Column("first_id", Integer),
    Column("last_id", Integer),
    Column("rows_count", Integer, nullable=False),
    Column("made_at", TIME, nullable=False),
    Index("ix_audit_anchors_before_hash", "before_hash"),
    Index("ix_audit_anchors_after_hash", "after_hash"),
    info={"owner": "accounts"},
)

erasures = Table(
    "erasures",
    metadata,
    Column("installation_id", String(36), primary_key=True),
    Column("table_name", String(50), primary_key=True),  # data_entries | users | imported_entries
    Column("record_id", Integer, primary_key=True, autoincrement=False),
    Column(
        "created_at", String(40), primary_key=True
    ),  # as the row said; empty where it did not; or a digest
    Column("erased_at", TIME, nullable=False),
    Column("user_id", Integer),  # whose it was; NULL: of someone who is gone, or no one
    Index("ix_erasures_record", "table_name", "record_id"),
    Index("ix_erasures_user_id", "user_id"),
    info={"owner": "erasures"},
)

imports = Table(
    "imports",
    metadata,
    Column("id", Integer, primary_key=True),  # random
    Column("user_id", Integer, nullable=False),
    Column("format", String(30), nullable=False),
    Column("label", String(255)),  # the name of what was given
    Column("source_sha256", String(64), nullable=False),
    Column("mapping", JSON_TEXT),  # which part of the source went where
    Column("created_at", TIME, nullable=False),
    Column("undone_at", TIME),
    Index("ix_imports_user_id", "user_id"),
    info={"owner": "entries"},
)

import_files = Table(
    "import_files",
    metadata,
    Column("import_id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("path", Text, nullable=False),
    Column("content", ANYTHING, nullable=False),  # byte for byte
    info={"owner": "entries"},
)

imported_entries = Table(
    "imported_entries",
    metadata,
    Column("import_id", Integer, primary_key=True, autoincrement=False),
    Column("source_key", String(64), primary_key=True),  # SHA-256 of what names it in the source
    Column("user_id", Integer, nullable=False),
    Column("entry_id", Integer, nullable=False),
    Column("content_hash", String(64), nullable=False),  # of the source; the same again is left alone
    Index("ix_imported_entries_source", "user_id", "source_key"),
    Index("ix_imported_entries_entry_id", "entry_id"),
    info={"owner": "entries"},
)

sessions = Table(
    "sessions",
    metadata,
    Column("id", Integer, primary_key=True),  # random
    Column("user_id", Integer, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("last_used_at", TIME, nullable=False),
    Column("expires_at", TIME, nullable=False),
    Column("confirmed_at", TIME),  # when the password was typed last
    Column("refresh_hash", String(64)),  # of the refresh token that is valid now; NULL: none is
    Column("ip_address", String(45)),
    Column("user_agent", Text),
    Index("ix_sessions_user_id", "user_id"),
    info={"owner": "accounts"},
)

one_time_links = Table(
    "one_time_links",
    metadata,
    Column("id", Integer, primary_key=True),  # random
    Column("purpose", String(20), nullable=False),  # invitation | password
    Column("token_hash", String(64), nullable=False),
    Column("user_id", Integer),  # whose password; NULL: an invitation
    Column("role", String(10)),  # of who is invited
    Column("label", String(100)),
    Column("created_by_id", Integer),  # NULL: the command line
    Column("created_at", TIME, nullable=False),
    Column("expires_at", TIME, nullable=False),
    Index("ix_one_time_links_token_hash", "token_hash", unique=True),
    Index("ix_one_time_links_user_id", "user_id"),
    Index("ix_one_time_links_created_by_id", "created_by_id"),
    info={"owner": "accounts"},
)

second_factors = Table(
    "second_factors",
    metadata,
    Column("user_id", Integer, primary_key=True, autoincrement=False),
    Column("secret", String(200), nullable=False),  # encrypted
    Column("created_at", TIME, nullable=False),
    Column("confirmed_at", TIME),  # NULL: begun, and not on
    Column("last_step", Integer),  # of the last code that was taken; none up to it is taken again
    Column("failed_count", Integer),
    Column("failed_at", TIME),
    info={"owner": "accounts"},
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("user_id", Integer, primary_key=True, autoincrement=False),
    Column("code_hash", String(64), primary_key=True),
    info={"owner": "accounts"},
)

departures = Table(
    "departures",
    metadata,
    Column("user_id", Integer, primary_key=True, autoincrement=False),
    Column("asked_at", TIME, nullable=False),
    Column("due_at", TIME, nullable=False),  # when the person is erased
    Column("was_active", FLAG, nullable=False),
    Index("ix_departures_due_at", "due_at"),
    info={"owner": "accounts"},
)

operations = Table(
    "operations",
    metadata,
    Column("id", Integer, primary_key=True),  # random
    Column("user_id", Integer, nullable=False),
    Column("name", String(50), nullable=False),
    Column("state", String(20), nullable=False),  # running | done | failed
    Column("done_count", Integer),
    Column("total_count", Integer),
    Column("created_at", TIME),
    Column("seen_at", TIME),  # when the process that works on it was alive
    Column("finished_at", TIME),
    Column("expires_at", TIME),
    Column("file_name", String(255)),
    Column("size_bytes", Integer),
    Column("sha256", String(64)),
    Column("fault", Text),
    Index("ix_operations_user_id", "user_id"),
    Index("ix_operations_expires_at", "expires_at"),
    info={"owner": "accounts"},
)

storage_limits = Table(
    "storage_limits",
    metadata,
    Column("user_id", Integer, primary_key=True, autoincrement=False),
    Column("most_entries", Integer),  # NULL: what the settings say
    Column("most_bytes", Integer),
    info={"owner": "entries"},
)

storage_use = Table(
    "storage_use",
    metadata,
    Column("user_id", Integer, primary_key=True, autoincrement=False),
    Column("entries_count", Integer, nullable=False),
    Column("bytes_count", Integer, nullable=False),
    info={"owner": "entries"},
)

page_wishes = Table(
    "page_wishes",
    metadata,
    Column("user_id", Integer, primary_key=True, autoincrement=False),
    Column("theme", String(20)),  # NULL, in every column: what a page has by itself
    Column("accent", String(20)),
    Column("language", String(35)),
    Column("kinds", JSON_TEXT),  # names, in the order of the page; the others follow
    Column("kinds_left_out", JSON_TEXT),
    Column("head_lines", JSON_TEXT),  # which lines its head has, by name
    Column("formats_off", JSON_TEXT),  # forms for programs that are not answered
    Column("updated_at", TIME),
    info={"owner": "entries"},
)

login_identities = Table(
    "login_identities",
    metadata,
    Column("issuer", String(255), primary_key=True),  # compared byte by byte, as `subject` is
    Column("subject", String(255), primary_key=True),
    Column("user_id", Integer, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("last_used_at", TIME),
    Index("ix_login_identities_user", "user_id", "issuer", unique=True),
    info={"owner": "accounts"},
)

ai_reads = Table(
    "ai_reads",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("user_id", Integer, nullable=False),  # whose entries were read
    Column("read_at", TIME, nullable=False),
    Column("client", String(100)),
    Column("client_version", String(100)),
    Column("key_id", Integer),
    Column("tool", String(50), nullable=False),
    Column("kind", String(100)),
    Column("fields", Text, nullable=False),  # JSON list of names of fields; never a value
    Column("entry_count", Integer, nullable=False),
    Column("hidden_count", Integer, nullable=False),
    Index("ix_ai_reads_user", "user_id", "id"),
    Index("ix_ai_reads_read_at", "read_at"),
    info={"owner": "accounts"},
)

pictures = Table(
    "pictures",
    metadata,
    Column("id", Integer, primary_key=True),  # random
    Column("user_id", Integer, nullable=False),
    Column("entry_id", Integer),  # NULL: of the person, an avatar
    Column("avatar_of", Integer),  # the person whose avatar it is; NULL: of an entry
    Column("number", Integer, nullable=False),  # its place among those of its entry
    Column("alt", Text),  # what is to be seen, in words
    Column("bytes_count", Integer, nullable=False),  # of all its sizes
    Column("created_at", TIME, nullable=False),
    Index("ix_pictures_user", "user_id", "bytes_count"),
    Index("ix_pictures_entry", "entry_id", "number", unique=True),
    Index("ix_pictures_avatar", "avatar_of", unique=True),
    info={"owner": "entries"},
)

picture_sizes = Table(
    "picture_sizes",
    metadata,
    Column("picture_id", Integer, primary_key=True, autoincrement=False),
    Column("size", String(10), primary_key=True),  # small | medium | large
    Column("address", String(40), nullable=False),  # random, of its file's name
    Column("media_type", String(30), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("content", ANYTHING, nullable=False),
    Index("ix_picture_sizes_address", "address", unique=True),
    info={"owner": "entries"},
)

picture_use = Table(
    "picture_use",
    metadata,
    Column("user_id", Integer, primary_key=True, autoincrement=False),
    Column("pictures_count", Integer, nullable=False),
    Column("bytes_count", Integer, nullable=False),
    info={"owner": "entries"},
)

message_boxes = Table(
    "message_boxes",
    metadata,
    Column("user_id", Integer, primary_key=True, autoincrement=False),
    Column("is_open", FLAG, nullable=False),  # 1: anyone may leave this person a message
    Column("full_at", TIME),  # when all messages of an hour may come again
    Column("proof_full_at", TIME),  # the same of those that came with a proof of work
    Column("updated_at", TIME, nullable=False),
    info={"owner": "accounts"},
)

messages = Table(
    "messages",
    metadata,
    Column("id", Integer, primary_key=True),  # random
    Column("user_id", Integer, nullable=False),  # whom it is for
    Column("received_at", TIME, nullable=False),
    Column("came_by", String(20), nullable=False),  # page | api | assistant
    Column("client", String(100)),  # what the sender's program calls itself
    Column("sender_name", String(100)),
    Column("sender_contact", String(200)),
    Column("body", Text, nullable=False),
    Column("network_hash", String(64)),  # keyed, of where it came from
    Column("proof_hash", String(64)),  # of the challenge that was solved; none is taken twice
    Column("read_at", TIME),
    Index("ix_messages_user", "user_id", "received_at", "id"),
    Index("ix_messages_received_at", "received_at"),
    Index("ix_messages_network", "network_hash", "received_at"),
    Index("ix_messages_proof_hash", "proof_hash", unique=True),
    info={"owner": "accounts"},
)

message_blocks = Table(
    "message_blocks",
    metadata,
    Column("id", Integer, primary_key=True),  # random
    Column("user_id", Integer, nullable=False),  # who wants no more of it
    Column("what", String(20), nullable=False),  # network | contact
    Column("value_hash", String(64), nullable=False),  # keyed
    Column("label", String(200)),  # how the sender of the message called themselves
    Column("created_at", TIME, nullable=False),
    Index("ix_message_blocks_value", "user_id", "value_hash", unique=True),
    info={"owner": "accounts"},
)

webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Integer, primary_key=True),  # random
    Column("user_id", Integer, nullable=False),
    Column("url", Text, nullable=False),
    Column("label", String(100)),
    Column("secret", String(200), nullable=False),  # encrypted
    Column("events", JSON_TEXT),  # names; NULL: every one
    Column("kinds", JSON_TEXT),  # names; NULL: every one
    Column("is_active", FLAG, nullable=False),
    Column("created_at", TIME, nullable=False),
    Column("failed_count", Integer, nullable=False),  # tries since the last that was accepted
    Column("off_since", TIME),
    Column("off_why", String(50)),
    Column("published_until", TIME),  # of before plans (`entries/webhook_events.py`): of no use any more
    Index("ix_webhooks_user_id", "user_id"),
    info={"owner": "entries"},
)

webhook_events = Table(
    "webhook_events",
    metadata,
    Column("id", Integer, primary_key=True),  # below 0: of a plan, the entry's
    Column("user_id", Integer, nullable=False),  # whose entry it is
    Column("event", String(20), nullable=False),  # created | changed | deleted | published
    Column("publishes", FLAG),  # 1: strangers see the entry since; of a plan, 0: it waits for its kind
    Column("kind", String(100), nullable=False),
    Column("entry_id", Integer, nullable=False),
    Column("occurred_at", TIME, nullable=False),
    Index("ix_webhook_events_user_id", "user_id"),
    info={"owner": "entries"},
)

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("id", Integer, primary_key=True),  # random; a receiver knows it again by it
    Column("webhook_id", Integer, nullable=False),
    Column("event", String(30), nullable=False),
    Column("kind", String(100), nullable=False),
    Column("entry_id", Integer, nullable=False),
    Column("occurred_at", TIME, nullable=False),
    Column("state", String(20), nullable=False),  # waiting | delivered | failed
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", TIME),  # NULL: none
    Column("last_attempt_at", TIME),
    Column("last_status", Integer),  # of HTTP; NULL: there was no answer
    Column("last_fault", String(50)),
    Index("ix_webhook_deliveries_webhook", "webhook_id", "occurred_at", "id"),
    Index("ix_webhook_deliveries_due", "next_attempt_at"),
    info={"owner": "entries"},
)
