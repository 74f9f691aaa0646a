"""What is swept with faults: each operation with the state before, its command, a judge of what follows."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.upgrade.versions.releases import NEWEST
from tests.faults import writers

DATABASE = Path("data/daemon.db")
BACKUPS = Path("backups")
CORE_TABLES = ("users", "endpoints", "data_entries", "api_keys", "audit_logs")

Rows = dict[str, list[tuple[object, ...]]]


@dataclass(frozen=True)
class Operation:
    """One thing that is interrupted at every call that changes a file.

    ``prepare`` fills an empty folder, in which it is called; ``act`` does the thing in that folder and
    returns its exit status; ``judge(folder, before)`` answers "old", "new" or, in words, what third state it
    found, where ``before`` is what ``look`` returned on the prepared folder. After a fault ``act`` is called
    once more and must end in "new".

    What ``takes_its_time`` does as much in one step as there is time for: a call of some number may not come.

    A server acts until it is told to stop: ``begin(folder)`` comes before each of its runs, and
    ``meanwhile(folder, pid)`` uses and stops it. Its threads share the work in a different way each time, so
    that a call with some number may not come. Only calls on the database and what is beside it are counted.
    """

    name: str
    prepare: Callable[[], None]
    act: Callable[[], int]
    judge: Callable[[Path, Rows], str]
    begin: Callable[[Path], None] = lambda folder: None
    meanwhile: Callable[[Path, int], None] | None = None
    takes_its_time: bool = False

    @property
    def is_server(self) -> bool:
        return self.meanwhile is not None


def enter(folder: Path) -> None:
    """Make the folder an operator's folder for this process: working directory and settings."""
    os.chdir(folder)
    os.environ.update(
        DATABASE_URL=f"sqlite:///./{DATABASE}",
        BACKUP_DIR=f"./{BACKUPS}",
        LOG_DIR="./logs",
        UPGRADE_ON_START="manual",
    )


def type_command(*arguments: str) -> int:
    """Run a command line in this process; return its exit status."""
    from app.cli.main import main

    try:
        main(arguments)
    except SystemExit as stop:
        status = stop.code
    return status if isinstance(status, int) else int(status is not None)


def look(path: Path) -> Rows:
    """Every row of every table and the schema, as stored; opening recovers what a crash left behind."""
    connection = sqlite3.connect(path)
    connection.text_factory = bytes
    try:
        faults = connection.execute("PRAGMA integrity_check").fetchall()
        if faults != [(b"ok",)]:
            return {"damage": faults}
        schema = connection.execute(
            "SELECT type, name, sql FROM sqlite_master ORDER BY type, name"
        ).fetchall()
        tables = [name.decode() for kind, name, _ in schema if kind == b"table"]
        return {"schema": schema, **{table: rows_of(connection, table) for table in tables}}
    except sqlite3.Error as error:
        return {"damage": [(str(error),)]}
    finally:
        connection.close()


def rows_of(connection: sqlite3.Connection, table: str) -> list[tuple[object, ...]]:
    return connection.execute(f'SELECT * FROM "{table}" ORDER BY rowid').fetchall()


def keeps(now: Rows, before: Rows) -> bool:
    """Whether every row of the core tables is there, each old column unchanged (new columns come last)."""
    for table in CORE_TABLES:
        was, rows = before[table], now.get(table, [])
        width = len(was[0]) if was else 0
        left = {row[:width] for row in rows}
        if any(row not in left for row in was):
            return False
    return True


# -- upgrade --


def prepare_old() -> None:
    from tests.upgrade.old_databases import build

    DATABASE.parent.mkdir()
    build("layout_a", DATABASE)


def judge_upgrade(folder: Path, before: Rows) -> str:
    now = look(folder / DATABASE)
    if now == before:
        return "old"
    if "damage" in now:
        return f"damaged: {now['damage'][:2]}"
    versions = [(row[1], row[9]) for row in now.get("database_versions", [])]
    settled = [version for version, outcome in versions if outcome == b"done"]
    if settled[-1:] != [NEWEST.encode()]:
        return f"half upgraded: history says {versions}"
    return "new" if keeps(now, before) else "rows lost"


# -- backup --


def judge_backup(folder: Path, before: Rows) -> str:
    if look(folder / DATABASE) != before:
        return "the database changed"
    made = sorted((folder / BACKUPS).glob("backup_*.db"))
    complete = [path for path in made if path.with_name(path.name + ".json").is_file()]
    if made != complete:
        return f"a backup without its manifest: {[path.name for path in made]}"
    if any(look(path) != before for path in made):
        return "a backup that differs"
    return "new" if made else "old"


# -- restore --

RESTORED = "backup_20260101_000000.db"


def prepare_restore() -> None:
    """A database with three entries more than the backup that is going to be restored."""
    prepare_old()
    if type_command("backup", "create") != 0:
        raise RuntimeError("the backup for the restore could not be made")
    (made,) = BACKUPS.glob("backup_*.db")
    made.rename(BACKUPS / RESTORED)
    manifest = made.with_name(made.name + ".json")
    manifest.with_name(RESTORED + ".json").write_text(manifest.read_text().replace(made.name, RESTORED))
    manifest.unlink()
    with sqlite3.connect(DATABASE) as connection:
        connection.executemany(
            "INSERT INTO data_entries (endpoint_id, data, is_active) VALUES (1, ?, 1)", [("{}",)] * 3
        )
    connection.close()


def judge_restore(folder: Path, before: Rows) -> str:
    now = look(folder / DATABASE)
    if now == before:
        return "old"
    wanted = look(folder / BACKUPS / RESTORED)
    if now != wanted:
        return f"neither: {list(now)[:3]}"
    kept = [path for path in (folder / BACKUPS).glob("*.db") if path.name != RESTORED]
    return "new" if any(look(path) == before for path in kept) else "the state before was not kept"


# -- the reference which must fail: the same upgrade, one commit a statement --


def act_statement_by_statement() -> int:
    connection = sqlite3.connect(DATABASE, isolation_level=None)
    connection.execute("ALTER TABLE users ADD COLUMN full_name VARCHAR(100)")
    connection.execute("ALTER TABLE data_entries ADD COLUMN visibility VARCHAR(20)")
    connection.execute(
        "CREATE TABLE database_versions (id INTEGER PRIMARY KEY, version, a, b, c, d, e, f, g, outcome)"
    )
    for (identity,) in connection.execute("SELECT id FROM data_entries").fetchall():
        connection.execute("UPDATE data_entries SET visibility = 'private' WHERE id = ?", (identity,))
    connection.execute(f"INSERT INTO database_versions (version, outcome) VALUES ('{NEWEST}', 'done')")
    connection.close()
    return 0


def act_restore() -> int:
    return type_command("backup", "restore", RESTORED)


# -- erasing a person --

OF_BEN = (b"Benedict", b"zebra of ben")


def prepare_person() -> None:
    """An installation with ann, and ben who has written and changed some entries."""
    from app import clock
    from app.accounts import claim
    from app.accounts.users import NewUser
    from app.database import open_database
    from app.entries import write
    from app.privacy.viewer import Viewer
    from app.settings import load_settings

    if type_command("init") != 0:
        raise RuntimeError("the installation could not be made")
    database = open_database(load_settings())
    with database.writing() as connection:
        claim.create_account(connection, NewUser("ann", "ann@x", "hash", is_admin=True), clock.now())
        new = NewUser("ben", "ben@x", "hash", "Benedict")
        ben = Viewer("person", claim.create_account(connection, new, clock.now()).id, "ben")
        for number in range(8):
            content = {"content": f"zebra of ben {number}"}
            made = write.create(connection, ben, "ideas", content).id
            write.merge(connection, ben, "ideas", made, {"more": "and more of it"})
    database.close()


def act_erase_person() -> int:
    return type_command("user", "erase", "ben", "--confirm", "ben", "--now")


def judge_person(folder: Path, before: Rows) -> str:
    """Half of it is "old" as long as the database says that there is something to do."""
    now = look(folder / DATABASE)
    if now == before:
        return "old"
    if "damage" in now:
        return f"damaged: {now['damage'][:2]}"
    ann = [row for row in now["users"] if b"ann" in row]
    if not ann or ann[0] not in before["users"]:
        return "someone else is touched"
    text = repr(now).encode()
    if not any(word in text for word in OF_BEN):
        return "new"
    return "old" if now["departures"] else "half erased, and no one goes on"


# -- many entries at once --

MANY = 60
REPLACED = 20
"""So many of a bulk are there before it."""


def prepare_many() -> None:
    """An installation with ann and entries, a bulk that replaces these and adds others, and a CSV."""
    from app import clock
    from app.accounts import claim
    from app.accounts.users import NewUser
    from app.database import open_database
    from app.settings import load_settings

    if type_command("init") != 0:
        raise RuntimeError("the installation could not be made")
    database = open_database(load_settings())
    with database.writing() as connection:
        claim.create_account(connection, NewUser("ann", "ann@x", "hash", is_admin=True), clock.now())
    database.close()
    texts = [f"zebra {number}: write to z{number}@example.org" for number in range(MANY)]
    items = [{"content": {"content": text}, "slug": f"z-{at}"} for at, text in enumerate(texts)]
    before = [{"content": {"content": "before"}, "slug": item["slug"]} for item in items[:REPLACED]]
    Path("bulk.json").write_text(json.dumps(before))
    if act_bulk() != 0:
        raise RuntimeError("the entries could not be made")
    Path("bulk.json").write_text(json.dumps(items))
    Path("many.csv").write_text("\n".join(["text", *texts]) + "\n")


def act_bulk() -> int:
    return type_command("entry", "bulk", "ann", "ideas", "bulk.json")


def act_import() -> int:
    where = ("--into", "ann", "--kind", "ideas", "--column", "text=content")
    return type_command("import", "many.csv", *where)


def judge_many(folder: Path, before: Rows) -> str:
    """Every entry with all that is written beside it, or nothing of any."""
    now = look(folder / DATABASE)
    if now == before:
        return "old"
    if "damage" in now:
        return f"damaged: {now['damage'][:2]}"
    imports = len(now["imports"])
    created, changed = (
        sum({action, b"data_entries"} <= set(row) for row in now["audit_logs"])
        for action in (b"CREATE", b"UPDATE")
    )
    replaced, entries = (0, REPLACED + MANY) if imports else (REPLACED, MANY)
    counts = [len(now[table]) for table in ("data_entries", "text_findings", "entry_revisions")]
    kept = [len(now[table]) for table in ("imported_entries", "import_files")]
    if [*counts, created, changed, *kept] == [
        *(entries, entries, replaced, entries, replaced, MANY * imports, imports)
    ]:
        return "new"
    return f"by half: {counts}, {created} and {changed} lines of the audit, {imports} imports"


# -- a server that is written to --


def serving(name: str, journal_mode: str) -> Operation:
    return Operation(
        name,
        lambda: writers.prepare(journal_mode),
        writers.serve,
        lambda folder, before: writers.judge(folder / DATABASE),
        writers.choose_port,
        writers.write,
    )


OPERATIONS = {
    operation.name: operation
    for operation in (
        serving("serve", "delete"),
        serving("serve-wal", "wal"),
        Operation("upgrade", prepare_old, lambda: type_command("upgrade", "run"), judge_upgrade),
        Operation("backup", prepare_old, lambda: type_command("backup", "create"), judge_backup),
        Operation("restore", prepare_restore, act_restore, judge_restore),
        Operation("bulk", prepare_many, act_bulk, judge_many),
        Operation("import", prepare_many, act_import, judge_many),
        Operation("erase-person", prepare_person, act_erase_person, judge_person, takes_its_time=True),
        Operation("statement-by-statement", prepare_old, act_statement_by_statement, judge_upgrade),
    )
}
