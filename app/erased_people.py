"""Erased people (ledger, steps). How does a person leave every table of a database, and stay gone?

As entries (`app.erasures`), in a database of any version. What is left of a person is a row that says when
they were erased, under a hash in the place of the name, so that no one else is taken for them; and the
audit's rows of what they did, without who and from where, and without values that are theirs.

It is done in steps, each a short transaction of whoever calls: killed anywhere, the next one goes on.
"""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from app.audit_chain import NOTHING, actor_digest, values_digest, without_actor, without_values
from app.erasures import ENTRIES, Erasure, Reads, Speaks, erase, erase_kept, installation_id, record

TABLE = "users"
STEP_SECONDS = 0.02
ROWS_OF_A_STEP = 50
_AUDIT, _LEDGER, _KINDS, _LINKS, _IMPORTS = "audit_logs", "erasures", "endpoints", "share_links", "imports"
_PICTURES, _WEBHOOKS = "pictures", "webhooks"
_SECRETS, _SETTINGS, _WORDS = "privacy_secrets", "user_privacy_settings", "never_words"
_MINE, _ID = "user_id = :id", "CAST(:id AS VARCHAR(20))"


class Owned(NamedTuple):
    """Rows of a table that are a person's: by which key they are named, which they are, how many at once."""

    key: tuple[str, ...] = ("id",)
    condition: str = _MINE
    most: int = ROWS_OF_A_STEP
    needs: str = "user_id"


OF_PERSON: Mapping[str, Owned] = {
    "api_keys": Owned(),
    "finding_releases": Owned(),
    "idempotency_keys": Owned(("user_id", "key_hash")),
    "imported_entries": Owned(("import_id", "source_key")),
    "import_files": Owned(
        ("import_id", "number"),
        f"import_id IN (SELECT id FROM {_IMPORTS} WHERE {_MINE})",
        most=1,  # each may have megabytes
        needs="import_id",
    ),
    _IMPORTS: Owned(),
    "login_places": Owned(("user_id", "network")),
    _WORDS: Owned(),
    "one_time_links": Owned(condition="user_id = :id OR created_by_id = :id"),
    "operations": Owned(),
    "ai_reads": Owned(),
    "login_identities": Owned(("issuer", "subject")),
    "message_blocks": Owned(),
    "message_boxes": Owned(("user_id",)),
    "messages": Owned(),
    "page_wishes": Owned(("user_id",)),
    "picture_sizes": Owned(
        ("picture_id", "size"),
        f"picture_id IN (SELECT id FROM {_PICTURES} WHERE {_MINE})",
        most=1,  # as files of imports
        needs="picture_id",
    ),
    _PICTURES: Owned(),
    "picture_use": Owned(("user_id",)),
    "recovery_codes": Owned(("user_id", "code_hash")),
    "search_rows": Owned(),
    "second_factors": Owned(("user_id",)),
    "sessions": Owned(),
    "share_targets": Owned(
        ("link_id", "target", "target_id"),
        f"link_id IN (SELECT id FROM {_LINKS} WHERE {_MINE})",
        needs="link_id",
    ),
    _LINKS: Owned(),
    "storage_limits": Owned(("user_id",)),
    "storage_use": Owned(("user_id",)),
    "webhook_deliveries": Owned(
        condition=f"webhook_id IN (SELECT id FROM {_WEBHOOKS} WHERE {_MINE})", needs="webhook_id"
    ),
    "webhook_events": Owned(),
    _WEBHOOKS: Owned(),
    _SECRETS: Owned(
        ("name",), f"substr(name, 1, 12 + length({_ID})) = 'never_list:' || {_ID} || ':'", needs="name"
    ),
    _SETTINGS: Owned(("user_id",)),
    "kind_versions": Owned(
        ("endpoint_id", "version"),
        f"endpoint_id IN (SELECT id FROM {_KINDS} WHERE {_MINE})",
        needs="endpoint_id",
    ),
    _KINDS: Owned(),
}
"""Tables with rows of a person beside entries, in the order in which they go; kinds of their own last."""

NOT_OF_PEOPLE: Mapping[str, str] = {
    "audit_anchors": "hashes and counts",
    _AUDIT: "the rows stay, without who did it and what is theirs: see `_step_of_audit`",
    "data_privacy_rules": "the installation's",
    "database_versions": "of the database",
    "departures": "the row goes last: it says that there is something to do",
    _LEDGER: "ids and times; whose they were is forgotten",
    "id_counters": "the highest ids that were given",
    "installation": "of the installation",
    "kept_values": "by the row that a value was of: see `_forget_kept`",
    "privacy_selftests": "made-up people only",
    "search_stamps": "of policies",
    TABLE: "the row stays, without all that is theirs: see `_leave_a_hash`",
}
"""All other tables that hold nothing of an entry, and why no row of theirs goes; a test compares all."""

TABLES = (TABLE, _AUDIT, _LEDGER, "departures", *OF_PERSON)
"""Tables of which something goes with a person, beside those of their entries."""

_HASHED = re.compile(r"#[0-9a-f]{28}(-[0-9]+)?")
_DIGITS = 28
_KEYED = ("api_keys", _KINDS, _LINKS, _IMPORTS, "one_time_links", "finding_releases", _WORDS)
_OF_THE_PERSON = (TABLE, _SETTINGS, _WORDS)  # where the audit names the person as the record


# -- the row that stays


def hash_of_name(username: str) -> str:
    """Return what stands in the place of the name of someone who was erased: to be compared, or guessed."""
    folded = username.casefold().encode("utf-8", "surrogatepass")
    return "#" + hashlib.sha256(b"erased:" + folded).hexdigest()[:_DIGITS]


def is_there(database: Reads, line: Erasure) -> bool:
    """Whether whom a line of the ledger names is in a database, and not erased; it may be an older state."""
    query = f"SELECT username, created_at FROM {TABLE} WHERE id = :id"
    found = database.rows(query, {"id": line.record_id})
    if line.table_name != TABLE or not found or _HASHED.fullmatch(str(found[0][0])):
        return False
    return line.created_at == ("" if found[0][1] is None else str(found[0][1]))


def line_of(database: Reads, user_id: int, erased_at: str) -> Erasure:
    """Return the line of the ledger for a person, who is there."""
    made = database.rows(f"SELECT created_at FROM {TABLE} WHERE id = :id", {"id": user_id})[0][0]
    return Erasure(installation_id(database), TABLE, user_id, "" if made is None else str(made), erased_at)


def finish(database: Speaks, user_id: int, erased_at: str) -> None:
    """Say in the ledger that all of it is done: free pages are cleared of what went until then."""
    database.execute(
        f"UPDATE {_LEDGER} SET erased_at = :at WHERE table_name = :people AND record_id = :id",
        {"at": erased_at, "people": TABLE, "id": user_id},
    )


def is_anyone_erased_since(database: Reads, moment: str) -> bool:
    """Whether the ledger has a person who was erased from then on."""
    query = f"SELECT 1 FROM {_LEDGER} WHERE table_name = :people AND erased_at >= :moment LIMIT 1"
    return bool(database.rows(query, {"people": TABLE, "moment": moment}))


# -- steps


def erase_whole(database: Speaks, user_id: int, erased_at: str) -> None:
    """Erase a person in one go, in a copy that no one else uses."""
    while step(database, user_id, erased_at):
        pass


def step(database: Speaks, user_id: int, erased_at: str) -> bool:
    """Do the next step, of some hundredths of a second; whether there was anything to do.

    The first one takes name, mail address and password, and writes the ledger's line.
    """
    return any(do(database, user_id, erased_at) for do in _STEPS)


def _leave_a_hash(database: Speaks, user_id: int, erased_at: str) -> bool:
    row = database.rows(f"SELECT username FROM {TABLE} WHERE id = :id", {"id": user_id})
    if not row or _HASHED.fullmatch(str(row[0][0])):
        return False
    if database.columns(_LEDGER):
        record(database, line_of(database, user_id, erased_at))
    _forget_kept(database, user_id)
    name = hash_of_name(str(row[0][0]))
    if database.rows(f"SELECT 1 FROM {TABLE} WHERE username = :name OR email = :name", {"name": name}):
        name = f"{name}-{user_id}"  # an older server let two names differ by their case
    known = set(database.columns(TABLE))
    later = {"full_name": None, "last_login": None, "role": None, "username_key": name, "email_key": name}
    values = {"username": name, "email": name, "hashed_password": "", "is_active": 0, "is_admin": 0}
    values |= {
        column: value for column, value in (later | {"erased_at": erased_at}).items() if column in known
    }
    sets = ", ".join(f"{column} = :{column}" for column in values)
    database.execute(f"UPDATE {TABLE} SET {sets} WHERE id = :id", {**values, "id": user_id})
    return True


def _step_of_entries(database: Speaks, user_id: int, erased_at: str) -> bool:
    """Entries that are the person's, or of a kind of their own: one at least, more while there is time."""
    known = database.columns(_KINDS)
    of_kinds = f" OR endpoint_id IN (SELECT id FROM {_KINDS} WHERE {_MINE})" if "user_id" in known else ""
    query = (
        f"SELECT e.id, e.created_at, u.created_at FROM {ENTRIES} e JOIN {TABLE} u ON u.id = :id"
        f" WHERE e.created_by_id = :id{of_kinds} LIMIT {ROWS_OF_A_STEP}"
    )
    until, found = time.monotonic() + STEP_SECONDS, database.rows(query, {"id": user_id})
    has_ledger = bool(database.columns(_LEDGER))
    for entry_id, made, joined in found:
        said = "" if made is None else str(made)
        if has_ledger and said < str(joined or ""):  # an older backup may hold it as no one's
            record(database, Erasure(installation_id(database), ENTRIES, entry_id, said, erased_at))
        erase(database, entry_id)
        if time.monotonic() > until:
            break
    return bool(found)


def _step_of_audit(database: Speaks, user_id: int, _erased_at: str) -> bool:
    """Lines by and about the person: who and where goes, and the values but those about someone else."""
    if not database.columns(_AUDIT):
        return False
    is_chained = "salt" in database.columns(_AUDIT)
    wanted = ["user_id = :id", _about(user_id, is_chained)]
    wanted += [_about_rows(table, is_chained) for table in _KEYED if _has(database, table)]
    chain = "salt, values_digest, actor_digest" if is_chained else "NULL, NULL, NULL"
    columns = f"id, table_name, record_id, old_values, new_values, user_id, ip_address, user_agent, {chain}"
    for condition in wanted:
        query = f"SELECT {columns} FROM {_AUDIT} WHERE {condition} LIMIT {ROWS_OF_A_STEP}"
        found = database.rows(query, {"id": user_id})
        for row in found:
            _forget(database, _Line(*row), user_id)
        erase_kept(database, _AUDIT, [int(row[0]) for row in found])
        if found:
            return True
    return False


class _Line(NamedTuple):
    id: int
    table_name: str
    record_id: int
    old_values: Any
    new_values: Any
    user_id: int | None
    ip_address: str | None
    user_agent: str | None
    salt: str | None
    values_digest: str | None
    actor_digest: str | None


def _about(user_id: int, is_chained: bool) -> str:
    tables = ", ".join(f"'{table}'" for table in _OF_THE_PERSON)
    return f"table_name IN ({tables}) AND record_id = :id AND {_holds_something(is_chained)}"


def _about_rows(table: str, is_chained: bool) -> str:
    of_table = f"SELECT id FROM {table} WHERE {OF_PERSON[table].condition}"
    return f"table_name = '{table}' AND record_id IN ({of_table}) AND {_holds_something(is_chained)}"


def _holds_something(is_chained: bool) -> str:
    values = (f"coalesce({column}, '{NOTHING}') <> '{NOTHING}'" for column in ("old_values", "new_values"))
    where = "user_id IS NULL AND (ip_address IS NOT NULL OR user_agent IS NOT NULL)"
    return f"({' OR '.join(values)} OR ({where}))"


def _forget(database: Speaks, line: _Line, user_id: int) -> None:
    """Take out of a line what is the person's; where it is a link of the chain it stays one."""
    is_about_another = line.table_name == TABLE and line.record_id != user_id
    sets: dict[str, Any] = {}
    salt = line.salt
    if not is_about_another and (line.old_values, line.new_values) != (NOTHING, NOTHING):
        sets |= {"old_values": NOTHING, "new_values": NOTHING}
        if salt is not None and line.values_digest is None:
            sets["values_digest"] = values_digest(line.salt or "", line.old_values, line.new_values)
            salt = without_values(salt)
    if line.user_id in (None, user_id):
        sets |= {"user_id": None, "ip_address": None, "user_agent": None}
        if salt is not None and line.actor_digest is None:
            sets["actor_digest"] = actor_digest(line.salt or "", *line[5:8])
            salt = without_actor(salt)
    if line.salt is not None:
        sets["salt"] = salt
    said = ", ".join(f"{column} = :{column}" for column in sets)
    database.execute(f"UPDATE {_AUDIT} SET {said} WHERE id = :id", {**sets, "id": line.id})


def _step_of_ledger(database: Speaks, user_id: int, _erased_at: str) -> bool:
    """Forget whose the entries were that were erased before."""
    if not database.columns(_LEDGER):
        return False
    known = {"id": user_id}
    is_any = bool(database.rows(f"SELECT 1 FROM {_LEDGER} WHERE {_MINE} LIMIT 1", known))
    if is_any:
        database.execute(f"UPDATE {_LEDGER} SET user_id = NULL WHERE {_MINE}", known)
    return is_any


def _step_of_rows(database: Speaks, user_id: int, _erased_at: str) -> bool:
    for table, owned in OF_PERSON.items():
        if _has(database, table) and _delete(database, table, owned, user_id):
            return True
    return False


def _delete(database: Speaks, table: str, owned: Owned, user_id: int) -> bool:
    keys, known = ", ".join(owned.key), {"id": user_id}
    chosen = f"SELECT {keys} FROM {table} WHERE {owned.condition} LIMIT {owned.most}"
    found = database.rows(chosen, known)
    if found:
        names = f"({keys})" if len(owned.key) > 1 else keys
        database.execute(f"DELETE FROM {table} WHERE {names} IN ({chosen})", known)
        if owned.key == ("id",):
            erase_kept(database, table, [int(row[0]) for row in found])
    return bool(found)


def _forget_kept(database: Speaks, user_id: int) -> None:
    for table in (TABLE, _SETTINGS):
        erase_kept(database, table, [user_id])


def _has(database: Reads, table: str) -> bool:
    known: Sequence[str] = database.columns(table)
    return OF_PERSON[table].needs in known


_STEPS: tuple[Callable[[Speaks, int, str], bool], ...] = (
    _leave_a_hash,
    _step_of_entries,
    _step_of_audit,
    _step_of_ledger,
    _step_of_rows,
)
