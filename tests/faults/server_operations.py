"""Operations on PostgreSQL that are swept with faults: the state before, the act, a judge of what follows."""

from __future__ import annotations

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
from tests.databases import make_fresh, outside

ANN = Viewer("admin", 1, "ann")
WRITES = 6

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

    ``prepare(url, folder)`` fills an empty database; ``act(url, folder)`` does the thing and returns its exit
    status; ``judge(before, now, said)`` answers "old", "new" or, in words, what third state it found.
    """

    name: str
    prepare: Callable[[str, Path], None]
    act: Callable[[str, Path], int]
    judge: Callable[[Contents, Contents, str], str]


def place_of(url: str, port: int) -> str:
    """The same database, through another port."""
    return re.sub(r"(?<=@127\.0\.0\.1:)\d+", str(port), url)


def settings_of(url: str, folder: Path) -> Settings:
    return Settings(
        database_url=url,
        backup_dir=folder / "backups",
        log_dir=folder / "logs",
        upgrade_on_start="manual",
    )


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


def judge_writes(before: Contents, now: Contents, said: str) -> str:
    """Old or new is asked of each write: what was said is there, and of the others the whole or nothing."""
    if now["schema"] != before["schema"]:
        return "the schema changed"
    entries = {int(re.match(r"\((\d+),", row)[1]) for row in now["data_entries"]}  # type: ignore[index]
    audited = {
        int(each) for each in re.findall(r"'CREATE', 'data_entries', (\d+)", "\n".join(now["audit_logs"]))
    }
    told = {int(each) for each in re.findall(r"written (\d+)", said)}
    if not told <= entries:
        return f"said to be written and not there: {sorted(told - entries)}"
    if entries != audited:
        return f"entries {sorted(entries)}, in the audit {sorted(audited)}"
    if any(row not in now[table] for table in ("users", "endpoints") for row in before[table]):
        return "rows lost"
    return "new" if len(told) >= WRITES else "old"


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
        Operation("one by one", prepare_served, act_one_by_one, judge_writes),
    )
}
