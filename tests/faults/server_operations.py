"""Operations on PostgreSQL that are swept with faults: the state before, the act, a judge of what follows."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy

from app import clock, tables
from app.accounts import claim
from app.accounts.users import NewUser
from app.database import open_database
from app.entries import write
from app.errors import DaemonError
from app.privacy.viewer import Viewer
from app.settings import Settings
from app.storage.registry import storage_for
from app.upgrade.detect.recognise import recognise
from app.upgrade.model import Plan
from app.upgrade.operations.back_up import back_up
from app.upgrade.steps.apply import apply
from app.upgrade.steps.steps import steps_between
from app.upgrade.versions.releases import FIRST_ON_SERVERS, NEWEST
from tests.databases import make_fresh, outside
from tests.faults.operations import type_command

ANN = Viewer("admin", 1, "ann")
WRITES = 6
REFERENCE = "one by one"  # which must fail

Contents = dict[str, list[str]]

COLUMNS = """
SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
WHERE table_schema = 'public' ORDER BY table_name, ordinal_position
"""
INDEXES = "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY indexdef"
MARK = "SELECT obj_description(to_regclass('database_versions'), 'pg_class')"


@dataclass(frozen=True)
class Operation:
    """One thing that is interrupted at each message to the server.

    ``prepare(url, folder)`` fills an empty database and an empty folder; ``act(url, folder)`` does the thing
    and returns its exit status; ``judge`` answers "old", "new" or, in words, what third state it found.
    ``status_when_done`` is what it exits with where it was done already.
    """

    name: str
    prepare: Callable[[str, Path], None]
    act: Callable[[str, Path], int]
    judge: Callable[[Seen], str]
    status_when_done: int = 0


@dataclass(frozen=True)
class Seen:
    """What is there after an act: in the database before and now, and where; what the act said."""

    before: Contents
    now: Contents
    said: str
    folder: Path
    url: str


def place_of(url: str, port: int) -> str:
    """The same database, through another port."""
    return re.sub(r"(?<=@127\.0\.0\.1:)\d+", str(port), url)


def settings_of(url: str, folder: Path) -> Settings:
    return Settings(
        database_url=url,
        backup_dir=folder / "backups",
        log_dir=folder / "logs",
        upgrade_on_start="manual",
        data_dir=folder / "data",
    )


def typed(url: str, folder: Path, *arguments: str) -> int:
    """Run a command line in this process, in an operator's folder; return its exit status."""
    settings = settings_of(url, folder)
    os.chdir(folder)
    os.environ.update(
        DATABASE_URL=url,
        BACKUP_DIR=str(settings.backup_dir),
        LOG_DIR=str(settings.log_dir),
        UPGRADE_ON_START="manual",
    )
    return type_command(*arguments)


def contents(url: str) -> Contents:
    """Every row of every table, the columns, the indexes and the mark."""
    with outside(url) as connection:

        def asked(query: str) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in connection.execute(sqlalchemy.text(query))]

        columns = asked(COLUMNS)
        schema = [*columns, *asked(INDEXES), *asked(MARK)]
        tables = sorted({row[0] for row in columns})
        found = {table: sorted(map(repr, asked(f'SELECT * FROM "{table}"'))) for table in tables}
    return {"schema": list(map(repr, schema)), **found}


# -- writes: each an entry with its line in the audit


def prepare_served(url: str, folder: Path) -> None:
    make_fresh(url, folder)
    database = open_database(settings_of(url, folder))
    with database.writing() as connection:
        claim.create_account(
            connection, NewUser("ann", "ann@example.org", "hash", is_admin=True), clock.now()
        )
    database.close()


def act_writes(url: str, folder: Path) -> int:
    """Write some entries, and say of each that it was written once it is; go on where one was refused."""
    database = open_database(settings_of(url, folder))
    refused = 0
    for number in range(WRITES):
        try:
            with database.writing() as connection:
                written = write.create(connection, ANN, "ideas", {"content": f"idea {number}"})
        except (DaemonError, sqlalchemy.exc.DBAPIError) as error:
            refused += 1
            print(f"refused: {type(error).__name__}: {error}")
        else:
            print(f"written {written.id}", flush=True)
    database.close()
    return int(refused > 0)


def judge_writes(seen: Seen) -> str:
    """Old or new is asked of each write: what was said is there, and of the others the whole or nothing."""
    before, now = seen.before, seen.now
    if now["schema"] != before["schema"]:
        return "the schema changed"
    entries = {int(re.match(r"\((\d+),", row)[1]) for row in now["data_entries"]}  # type: ignore[index]
    audited = {
        int(each) for each in re.findall(r"'CREATE', 'data_entries', (\d+)", "\n".join(now["audit_logs"]))
    }
    told = {int(each) for each in re.findall(r"written (\d+)", seen.said)}
    if not told <= entries:
        return f"said to be written and not there: {sorted(told - entries)}"
    if entries != audited:
        return f"entries {sorted(entries)}, in the audit {sorted(audited)}"
    if any(row not in now[table] for table in ("users", "endpoints") for row in before[table]):
        return "rows lost"
    return "new" if len(told) >= WRITES else "old"


# -- upgrade


def prepare_older(url: str, folder: Path) -> None:
    """A database of the first version that knew servers, with an account and entries."""
    with storage_for(url).migration_connection() as migration:
        nothing = recognise(migration)
        steps = steps_between(nothing, FIRST_ON_SERVERS)
        apply(migration, nothing, Plan(nothing, FIRST_ON_SERVERS, steps))
        migration.commit_durably()
    with outside(url) as connection:
        for statement in SOME_ROWS:
            connection.execute(sqlalchemy.text(statement))


SOME_ROWS = (
    "INSERT INTO users (id, username, email, hashed_password, is_active, is_admin)"
    " VALUES (1, 'ann', 'ann@example.org', 'hash', 1, 1)",
    "INSERT INTO data_entries (id, endpoint_id, data, is_active, created_by_id, visibility)"
    " SELECT n, n, '{\"content\": \"\\u00e9\"}', 1, 1, 'public' FROM generate_series(1, 20) n",
)


def act_upgrade(url: str, folder: Path) -> int:
    return typed(url, folder, "upgrade", "run", "--yes")


def judge_upgrade(seen: Seen) -> str:
    before, now = seen.before, seen.now
    if now == before:
        return "old"
    versions = re.findall(r"\((\d+), '([0-9.]+)'", "\n".join(now.get("database_versions", [])))
    if not versions or max((int(number), version) for number, version in versions)[1] != NEWEST:
        return f"half upgraded: {versions}"
    if len(now["users"]) != len(before["users"]) or len(now["data_entries"]) != len(before["data_entries"]):
        return "rows lost"
    return "new" if now["schema"] != before["schema"] else "the schema is the old one"


# -- restore


def prepare_restore(url: str, folder: Path) -> None:
    """A database with three entries more than the backup that is going to be restored."""
    prepare_served(url, folder)
    settings = settings_of(url, folder)
    act_writes(url, folder)
    made = back_up(settings, "manual")
    (folder / "wanted").write_text(json.dumps([made.name, contents(url)]))
    act_writes(url, folder)


def act_restore(url: str, folder: Path) -> int:
    name, _ = json.loads((folder / "wanted").read_text())
    return typed(url, folder, "backup", "restore", name, "--yes")


def judge_restore(seen: Seen) -> str:
    _, wanted = json.loads((seen.folder / "wanted").read_text())
    if all(seen.now[table] == wanted[table] for table in RESTORED):
        return "new"
    return "old" if all(seen.now[table] == seen.before[table] for table in RESTORED) else "neither"


RESTORED = (
    "schema",
    "users",
    "endpoints",
    "data_entries",
    "audit_logs",
    "data_privacy_rules",
    "text_findings",
)


# -- the reference which must fail: the same writes, one commit a statement


def act_one_by_one(url: str, folder: Path) -> int:
    with outside(url) as connection:
        for number in range(1, WRITES + 1):
            row = {"endpoint_id": 1, "data": "{}", "created_by_id": ANN.user_id, "id": number}
            connection.execute(sqlalchemy.insert(tables.data_entries).values(row))
            line = {
                "action": "CREATE",
                "table_name": "data_entries",
                "record_id": number,
                "user_id": ANN.user_id,
            }
            connection.execute(sqlalchemy.insert(tables.audit_logs).values({**line, "id": 1000 + number}))
            print(f"written {number}", flush=True)
    return 0


OPERATIONS = {
    each.name: each
    for each in (
        Operation("writes", prepare_served, act_writes, judge_writes),
        Operation("upgrade", prepare_older, act_upgrade, judge_upgrade),
        Operation("restore", prepare_restore, act_restore, judge_restore),
        Operation(REFERENCE, prepare_served, act_one_by_one, judge_writes),
    )
}
