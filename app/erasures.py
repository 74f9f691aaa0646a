"""Erasures (ledger). What was erased for good, and how does a row leave every table of a database?

Erasing is more than deleting: nothing of the entry stays, not its earlier states, not what the audit kept of
it. The ledger says by installation, id and time of creation what is gone. It is copied into the manifest of
each backup and comes out of all of them again (`backup`), so that an older state that is put back loses what
was erased since. As ids, this looks into tables of every room, and works on a database of any version.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from app.audit_chain import NOTHING, values_digest, without_values

if TYPE_CHECKING:
    from sqlalchemy import Connection, TextClause

TABLE = "erasures"
ENTRIES = "data_entries"
BROUGHT = _IMPORTED = "imported_entries"
"""The table that lines name which say where an erased entry had come from: a digest in place of the time."""
ORIGIN_DIGITS = 40
_IMPORTS, _PICTURES = "imports", "pictures"
STATES, ERASED_COUNT = "states", "erased"
"""What the mapping of an import keeps when one of its entries is erased: of the others their ids, times and
numbers of states; and how many were erased."""

BY_ENTRY: Mapping[str, str] = {
    # what an import brought is kept as it came, and a file of it may hold several entries
    "import_files": f"import_id IN (SELECT import_id FROM {_IMPORTED} WHERE entry_id = :id)",
    _IMPORTED: "entry_id = :id",
    "entry_revisions": "entry_id = :id",
    "finding_releases": "entry_id = :id",
    "picture_use": f"user_id IN (SELECT user_id FROM {_PICTURES} WHERE entry_id = :id)",  # counted anew
    "picture_sizes": f"picture_id IN (SELECT id FROM {_PICTURES} WHERE entry_id = :id)",
    _PICTURES: "entry_id = :id",
    "search_rows": "entry_id = :id",
    "share_targets": "target = 'entry' AND target_id = :id",
    "text_findings": "entry_id = :id",
    "unclaimed_entries": "entry_id = :id",
    "view_changes": "entry_id = :id",
    # only that it is gone is told yet; what was sent is ids, kinds and times of what happened
    "webhook_deliveries": "entry_id = :id AND state IN ('waiting', 'not_sent') AND event <> 'entry.deleted'",
    "webhook_events": "entry_id = :id AND event <> 'deleted' AND event <> 'restored:deleted'",
    ENTRIES: "id = :id",
}
"""Tables of which rows go with an entry, and which; in the order in which they go."""

NOT_OF_ENTRIES: Mapping[str, str] = {
    "ai_reads": "names of fields and counts, of a person",
    "api_keys": "of a person",
    "audit_anchors": "hashes and counts",
    "audit_logs": "the rows stay, without their values: see `erase`",
    "data_privacy_rules": "of a kind, or of all",
    "database_versions": "of the database",
    "departures": "of a person",
    "endpoints": "kinds",
    TABLE: "the ledger itself: ids and times",
    "id_counters": "the highest ids that were given",
    "idempotency_keys": "the row stays, without what was answered: see `erase`",
    "imports": "the row stays, without names: see `_erase_of_imports`",
    "installation": "of the installation",
    "kept_values": "by the row that a value was of: see `erase`",
    "kind_versions": "of a kind",
    "login_identities": "of a person",
    "login_places": "of a person",
    "message_blocks": "of a person",
    "message_boxes": "of a person",
    "messages": "of a person",
    "never_words": "of a person",
    "one_time_links": "of a person",
    "operations": "of a person",
    "page_wishes": "of a person: names of kinds and forms",
    "privacy_secrets": "keys, of the installation",
    "privacy_selftests": "made-up entries only",
    "recovery_codes": "of a person",
    "search_stamps": "of policies",
    "second_factors": "of a person",
    "sessions": "of a person",
    "share_links": "what they lead to is in share_targets",
    "storage_limits": "of a person",
    "storage_use": "how much a person has stored",
    "user_privacy_settings": "of a person",
    "users": "people",
    "webhooks": "of a person",
}
"""All other tables, and why nothing of them goes with an entry; a test compares both with the schema."""

_AUDIT, _KEPT, _INSTALLATION = "audit_logs", "kept_values", "installation"
_ANSWERS = "idempotency_keys"
TABLES = (*BY_ENTRY, _AUDIT, _KEPT, _IMPORTS, _ANSWERS)
"""Tables of which something goes with an entry."""

_AUDIT_VALUES = ("old_values", "new_values")
_OF_PEOPLE = (
    *("full_name", "last_login", "role", "username_key", "email_key"),
    *("name", "link_id", "import_id", "endpoint_id", "picture_id", "webhook_id"),
)
_COLUMNS = ("installation_id", "table_name", "record_id", "created_at", "erased_at", "user_id")


class Erasure(NamedTuple):
    """One line of the ledger. ``created_at`` as the row had it, "" for none; ``user_id``: whose it was."""

    installation_id: str
    table_name: str
    record_id: int
    created_at: str
    erased_at: str
    user_id: int | None = None

    @property
    def key(self) -> tuple[str, str, int, str]:
        """What tells it from others."""
        return self[:4]


class Reads(Protocol):
    """What is asked of a database: SQL that every engine runs, with named parameters."""

    def columns(self, table: str) -> Sequence[str]:
        """The columns of a table; none where it is not there."""

    def rows(self, statement: str, parameters: Mapping[str, Any] = ...) -> Sequence[Sequence[Any]]:
        """The rows of a SELECT."""


class Speaks(Reads, Protocol):
    """The same of one that may be changed."""

    def execute(self, statement: str, parameters: Mapping[str, Any] = ...) -> object:
        """Change something."""


class OfToday:
    """A connection of the rooms, to a database of today's schema."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def columns(self, table: str) -> Sequence[str]:
        """Whatever is asked for is there: only these are looked for."""
        return (*_COLUMNS, "salt", *_OF_PEOPLE)

    def rows(self, statement: str, parameters: Mapping[str, Any] | None = None) -> Sequence[Sequence[Any]]:
        """The rows of a SELECT."""
        return self._connection.execute(_statement(statement), parameters or {}).all()

    def execute(self, statement: str, parameters: Mapping[str, Any] | None = None) -> object:
        """Change something."""
        return self._connection.execute(_statement(statement), parameters or {})


def _statement(statement: str) -> TextClause:
    from sqlalchemy import text  # a plan of an upgrade, which reads ledgers too, loads nothing of it

    return text(statement)


# -- the ledger


def has_ledger(database: Reads) -> bool:
    """Whether there is a ledger: older versions have none, and an owner's table of that name is another."""
    return set(_COLUMNS) <= set(database.columns(TABLE))


def ledger_in(database: Reads) -> list[Erasure]:
    """Return the ledger of a database; nothing where it has none."""
    if not has_ledger(database):
        return []
    found = database.rows(f"SELECT {', '.join(_COLUMNS)} FROM {TABLE}")
    return [Erasure(*row) for row in found]


def merged(*ledgers: Iterable[Erasure]) -> list[Erasure]:
    """Return all lines of several ledgers, each once, in a fixed order."""
    found = {line.key: line for ledger in ledgers for line in ledger}
    return [found[key] for key in sorted(found)]


def record(database: Speaks, line: Erasure) -> None:
    """Write a line into the ledger, where it is not there yet."""
    where = " AND ".join(f"{name} = :{name}" for name in _COLUMNS[:4])
    known = line._asdict()
    if not database.rows(
        f"SELECT 1 FROM {TABLE} WHERE {where}", {name: known[name] for name in _COLUMNS[:4]}
    ):
        marks = ", ".join(f":{name}" for name in _COLUMNS)
        database.execute(f"INSERT INTO {TABLE} ({', '.join(_COLUMNS)}) VALUES ({marks})", known)


def created_at(database: Reads, entry_id: int) -> str | None:
    """Return when an entry was created, as the ledger says it; None where there is no such entry."""
    found = database.rows(f"SELECT created_at FROM {ENTRIES} WHERE id = :id", {"id": entry_id})
    if not found:
        return None
    return "" if found[0][0] is None else str(found[0][0])


def still_there(database: Reads, ledger: Iterable[Erasure], installation_id: str) -> Iterator[Erasure]:
    """Yield the lines of an installation whose entry is in a database, which may be an older state of it."""
    for line in ledger:
        is_own = line.installation_id == installation_id and line.table_name == ENTRIES
        if is_own and created_at(database, line.record_id) == line.created_at:
            yield line


def is_scrubbed(database: Reads) -> bool:
    """Whether the database was written anew since the last erasure (`note_scrubbed`)."""
    query = f"SELECT 1 FROM {TABLE} WHERE erased_at >= :since LIMIT 1"
    return not database.rows(query, {"since": scrubbed_at(database)})


def not_scrubbed_yet(database: Reads) -> set[int]:
    """Return whose entries were erased since the database was written anew last."""
    query = f"SELECT DISTINCT user_id FROM {TABLE} WHERE erased_at >= :since AND user_id IS NOT NULL"
    return {int(row[0]) for row in database.rows(query, {"since": scrubbed_at(database)})}


def newest_of(database: Reads, user_id: int) -> str | None:
    """Return when an entry of a person was erased last; None where none was."""
    found = database.rows(f"SELECT max(erased_at) FROM {TABLE} WHERE user_id = :id", {"id": user_id})
    return None if found[0][0] is None else str(found[0][0])


def scrubbed_at(database: Reads) -> str:
    """Return when the database was written anew last because of an erasure; "" where it never was."""
    found = database.rows(f"SELECT scrubbed_at FROM {_INSTALLATION}")
    return str(found[0][0] or "") if found else ""


def note_scrubbed(database: Speaks, at: datetime) -> None:
    """Write down that whatever was erased before a moment is in no free page of the database any more."""
    database.execute(f"UPDATE {_INSTALLATION} SET scrubbed_at = :at", {"at": precise(at)})


def precise(moment: datetime) -> str:
    """Return a moment as the ledger says it: to the microsecond, so that two of them can be compared."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="microseconds")


def installation_id(database: Reads) -> str:
    """Return which installation a database is; "" where it does not say."""
    found = database.rows(f"SELECT installation_id FROM {_INSTALLATION}")
    return str(found[0][0]) if found else ""


def of_person(database: Reads, user_id: int, after_id: int, most: int) -> list[Erasure]:
    """Return what was erased of a person's entries, by id: so many lines after that of an id."""
    found = database.rows(
        f"SELECT {', '.join(_COLUMNS)} FROM {TABLE} WHERE user_id = :user_id AND table_name = :entries"
        " AND record_id > :id ORDER BY record_id LIMIT :most",
        {"user_id": user_id, "entries": ENTRIES, "id": after_id, "most": most},
    )
    return [Erasure(*row) for row in found]


def known_of(database: Reads, table_name: str, user_id: int | None) -> Iterator[tuple[int, str]]:
    """Yield the id and ``created_at`` of every line about a table; of one person, or of all (None)."""
    whose = "" if user_id is None else " AND user_id = :user_id"
    query = f"SELECT record_id, created_at FROM {TABLE} WHERE table_name = :place{whose}"
    for record_id, made in database.rows(query, {"place": table_name, "user_id": user_id}):
        yield int(record_id), str(made)


# -- erasing


def erase(database: Speaks, entry_id: int) -> None:
    """Take an entry out of every table: its rows, its values in the audit, and what was kept of old tables.

    The rows of the audit stay, and where they are links of its chain, they stay links.
    """
    audit_ids = _erase_audit(database, entry_id)
    erase_kept(database, ENTRIES, [entry_id])
    erase_kept(database, _AUDIT, audit_ids, _AUDIT_VALUES)
    if database.columns(_IMPORTS):  # a file may be called as the entry is
        _erase_of_imports(database, entry_id)
    if database.columns(_ANSWERS):  # what is left of it says that the request was carried out
        database.execute(
            f"UPDATE {_ANSWERS} SET outcome = '', request_hash = '' WHERE outcome LIKE :named",
            {"named": f"%,{int(entry_id)},%"},
        )
    for table, condition in BY_ENTRY.items():
        if database.columns(table):
            database.execute(f"DELETE FROM {table} WHERE {condition}", {"id": entry_id})


def _erase_of_imports(database: Speaks, entry_id: int) -> None:
    """Take names out of the imports that brought an entry, but not what the others of them were like.

    An import can be undone as long as these are as they came in. How many of it were erased stays, too.
    """
    brought = f"SELECT id, mapping FROM {_IMPORTS} WHERE id IN"
    found = database.rows(
        f"{brought} (SELECT import_id FROM {_IMPORTED} WHERE entry_id = :id)", {"id": entry_id}
    )
    for import_id, mapping in found:
        known = json.loads(mapping or "{}") if mapping is None or isinstance(mapping, str) else mapping
        known = known if isinstance(known, dict) else {}
        kept: dict[str, Any] = {ERASED_COUNT: int(known.get(ERASED_COUNT, 0)) + 1}
        states = {key: state for key, state in known.get(STATES, {}).items() if key != str(entry_id)}
        kept |= {STATES: states} if states else {}
        database.execute(
            f"UPDATE {_IMPORTS} SET label = NULL, mapping = :mapping, source_sha256 = '' WHERE id = :id",
            {"id": import_id, "mapping": json.dumps(kept)},
        )


def _erase_audit(database: Speaks, entry_id: int) -> list[int]:
    """Take the values out of the audit's rows about an entry; return the ids of those rows."""
    known = database.columns(_AUDIT)
    if not known:
        return []
    is_chained = "salt" in known
    chain = "salt, values_digest" if is_chained else "NULL, NULL"
    found = database.rows(
        f"SELECT id, old_values, new_values, {chain} FROM {_AUDIT}"
        " WHERE table_name = :place AND record_id = :id ORDER BY id",
        {"place": ENTRIES, "id": entry_id},
    )
    for row_id, old, new, salt, digest in found:
        if digest is not None or (old in (None, NOTHING) and new in (None, NOTHING)):
            continue
        values = {"id": row_id, "nothing": NOTHING}
        sets = "old_values = :nothing, new_values = :nothing"
        if salt is not None:
            sets += ", values_digest = :digest, salt = :salt"
            values |= {"digest": values_digest(salt, old, new), "salt": without_values(salt)}
        database.execute(f"UPDATE {_AUDIT} SET {sets} WHERE id = :id", values)
    return [int(row[0]) for row in found]


def erase_kept(
    database: Speaks, table: str, row_ids: Sequence[int], columns: Sequence[str] | None = None
) -> None:
    """Take out of kept_values what was kept of these rows of a table; None: all columns of them."""
    if not row_ids or not database.columns(_KEPT):
        return
    place = {"place": table}
    if not database.rows(f"SELECT 1 FROM {_KEPT} WHERE lower(table_name) = :place LIMIT 1", place):
        return
    named = database.rows(
        f"SELECT row_key, value FROM {_KEPT} WHERE lower(table_name) = :place AND lower(column_name) = 'id'",
        place,
    )
    known: dict[str, set[str]] = {}
    for key, value in named:
        known.setdefault(_text(value), set()).add(str(key))
    others = set().union(*known.values())
    only = "" if columns is None else f" AND lower(column_name) IN ({_quoted(columns)})"
    for row_id in map(str, row_ids):
        keys = known.get(row_id, set()) | {f"move:cell:[{row_id}]"}
        if row_id not in others:  # else another row had that number
            keys.add(row_id)
        for key in keys:
            database.execute(
                f"DELETE FROM {_KEPT} WHERE lower(table_name) = :place AND row_key = :key{only}",
                {**place, "key": key},
            )


def _text(value: object) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
