"""Where do the tests of the upgrade put databases, and how do they see what is in a file or a folder?"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import shutil
import sqlite3
import tempfile
import traceback
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

NOBODY = 65534

Rows = dict[str, list[tuple[Any, ...]]]
Columns = dict[str, list[str]]


def put(source: Path, target: Path) -> None:
    """Copy a database, with what is beside it, to where the settings say it is."""
    target.parent.mkdir(parents=True, exist_ok=True)
    for suffix in ("", "-wal", "-journal"):
        part = source.with_name(source.name + suffix)
        if part.exists():
            shutil.copyfile(part, target.with_name(target.name + suffix))


def everything_in(folder: Path) -> dict[str, tuple[int, int, int, str]]:
    """Every file and folder below ``folder``: mode, size, modification time in ns, hash of the content."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        known = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        size = known.st_size if path.is_file() else 0
        found[str(path.relative_to(folder))] = (known.st_mode, size, known.st_mtime_ns, content)
    return found


def contents(path: Path) -> Rows:
    """Every row of every table and the schema, read from a private copy: what a program would find there."""
    with tempfile.TemporaryDirectory() as scratch:
        copy = Path(scratch) / "copy.db"
        for suffix in ("", "-wal", "-journal"):
            part = path.with_name(path.name + suffix)
            if part.exists():
                shutil.copyfile(part, copy.with_name(copy.name + suffix))
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            connection.text_factory = bytes
            return read_all(connection)


def read_all(connection: sqlite3.Connection) -> Rows:
    """Every row of every table, and the schema under the name ``schema``."""
    master = connection.execute("SELECT type, name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    rows: Rows = {"schema": master}
    for kind, name, sql in master:
        if kind == b"table" and not (sql or b"").upper().startswith(b"CREATE VIRTUAL"):
            table = name.decode()
            quoted = table.replace('"', '""')
            rows[table] = sorted(connection.execute(f'SELECT * FROM "{quoted}"').fetchall(), key=repr)
    return rows


def without_history(rows: Rows) -> Rows:
    """The same without what tells when and by which way it was upgraded."""
    odd = {"database_versions", "sqlite_sequence"}
    return {table: found for table, found in rows.items() if table not in odd}


def lost_rows(before: Rows, after: Rows, before_columns: Columns, after_columns: Columns) -> list[str]:
    """What of ``before`` is not in ``after``: tables, columns, and rows by the columns that they had.

    A table or column that was renamed to owner_NAME is found under that name.
    """
    lost = []
    for table, columns in before_columns.items():
        name = name_now(table, before_columns, after_columns)
        have = after_columns.get(name, [])
        names = [name_now(column, columns, have) for column in columns]
        if not set(names) <= set(have):
            lost.append(f"{table}: columns {sorted(set(names) - set(have))}")
            continue
        places = [have.index(column) for column in names]
        left = Counter(repr(tuple(row[place] for place in places)) for row in after[name])
        gone = Counter(repr(row) for row in before[table]) - left
        lost += [f"{table}: {row}" for row in gone]
    return lost


def name_now(name: str, before: Iterable[str], after: Iterable[str]) -> str:
    """The name that something has now: its own, or the new owner_NAME (or owner_NAME_2)."""
    wanted = (f"owner_{name}".lower(), f"owner_{name}_2".lower())
    renamed = [other for other in after if other.lower() in wanted and other not in before]
    return renamed[0] if renamed else name


def columns_of(path: Path) -> Columns:
    """The columns of every ordinary table, in order."""
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            " AND sql NOT LIKE 'CREATE VIRTUAL%'"
        ).fetchall()
        query = "SELECT name FROM pragma_table_xinfo(?) WHERE hidden <> 1 ORDER BY cid"
        return {table: [name for (name,) in connection.execute(query, (table,))] for (table,) in tables}


def execute(path: Path, *statements: str) -> None:
    """Change a database by hand, as its owner may."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)


def value(path: Path, query: str) -> Any:
    """The first value that a query gives, read without touching the file."""
    with contextlib.closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True)) as connection:
        found = connection.execute(query).fetchone()
        return found[0] if found else None


def backups_in(folder: Path) -> list[Path]:
    """The backups in a folder, oldest name first."""
    return sorted(
        path for path in folder.glob("*.db") if os.path.lexists(path.with_name(path.name + ".json"))
    )


@contextlib.contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every account can reach and read, for tests with another user."""
    with tempfile.TemporaryDirectory(prefix="daemon-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def as_nobody(act: Callable[[], object]) -> Any:
    """Return what ``act`` returns (JSON values) when a process of the user no one calls it; needs root.

    A forked child, because another user may not be able to start the interpreter that runs the tests: what
    ``act`` needs must be imported already.
    """
    read_end, write_end = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of forking where there are threads
        pid = os.fork()
    if pid == 0:
        status = 1
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(write_end, json.dumps(act()).encode())
            status = 0
        except BaseException:  # noqa: BLE001 - nothing of the child may reach the parent's test run
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        said = pipe.read()
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    return json.loads(said)
