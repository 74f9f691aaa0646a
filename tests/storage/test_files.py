"""Is a file looked at from outside without harm, and is what is told of it true?"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from app.errors import Refused
from app.storage import mounts
from app.storage.sqlite import files
from app.storage.sqlite.storage import SQLiteStorage
from tests.storage.conftest import StartProcess, make_database

MOUNTS = """\
/dev/vda / ext4 rw,relatime 0 0
tmpfs /tmp tmpfs rw 0 0
server:/x /srv nfs4 rw 0 0
//box/share /srv/with\\040space cifs rw 0 0
me@host: /home/me/far fuse.sshfs rw 0 0
proc /proc proc rw
broken
"""
TRY_TO_WRITE = """
    import sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None, timeout=0)
    try:
        connection.execute("BEGIN IMMEDIATE")
        print("got the lock")
    except sqlite3.OperationalError as error:
        print(error)
"""
HOLD = """
    import sqlite3, sys
    connection = sqlite3.connect(sys.argv[1], isolation_level=None)
    for line in sys.stdin:
        connection.execute(line).fetchall()
        print("done", flush=True)
"""


def look_into(storage: SQLiteStorage) -> None:
    with storage.looking() as connection:
        assert connection.sqlite.execute("SELECT count(*) FROM thing").fetchone() == (3,)


def test_what_lies_there_by_its_first_bytes(folder: Path) -> None:
    make_database(folder / "ours.db")
    (folder / "zero.db").touch()
    (folder / "short.db").write_bytes(b"SQLite")
    (folder / "text.db").write_text("hello " * 100)
    (folder / "link.db").symlink_to("ours.db")
    kinds = {path.stem: SQLiteStorage(path).file_kind() for path in folder.iterdir()}
    assert kinds == {
        "ours": "database",
        "link": "database",
        "zero": "empty",
        "short": "other",
        "text": "other",
    }
    assert SQLiteStorage(folder / "none.db").file_kind() == "missing"
    assert SQLiteStorage(folder / "ours.db" / "below.db").file_kind() == "missing"


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("folder.db", "is a folder"),
        ("pipe.db", "is a pipe"),
        ("dangling.db", "is a link to"),
        ("volume/ours.db", "is below"),
        ("volume/deeper/ours.db", "is below"),
    ],
)
def test_what_can_be_no_database_is_named(folder: Path, place: str, words: str) -> None:
    (folder / "folder.db").mkdir()
    os.mkfifo(folder / "pipe.db")
    (folder / "dangling.db").symlink_to("nowhere")
    (folder / "volume").symlink_to("not mounted")
    storage = SQLiteStorage(folder / place)
    with pytest.raises(Refused, match=words) as caught:
        storage.file_kind()
    assert caught.value.exit_code == 15
    assert caught.value.hint
    with pytest.raises(Refused, match=words), storage.migration_connection():
        pass


def test_the_journal_mode_is_read_from_the_header(folder: Path) -> None:
    assert SQLiteStorage(make_database(folder / "a.db")).journal_mode() == "delete"
    assert SQLiteStorage(make_database(folder / "b.db", wal=True)).journal_mode() == "wal"
    assert SQLiteStorage(folder / "none.db").journal_mode() == ""


@pytest.mark.parametrize(
    "look",
    [
        SQLiteStorage.file_kind,
        SQLiteStorage.journal_mode,
        SQLiteStorage.is_locked,
        look_into,
        lambda storage: storage.copy_online(storage.path.with_name("copy.db")),
    ],
    ids=["file_kind", "journal_mode", "is_locked", "looking", "copy_online"],
)
def test_looking_drops_no_lock_that_this_process_holds(
    folder: Path, other_process: StartProcess, look: object
) -> None:
    """Closing any descriptor of a file drops all of the process's locks on it (a rule of POSIX)."""
    path = make_database(folder / "daemon.db")
    with SQLiteStorage(path).migration_connection() as migration:
        migration.sqlite.execute("INSERT INTO thing (word) VALUES ('mine')")
        assert callable(look)
        look(SQLiteStorage(path))
        assert other_process(TRY_TO_WRITE, path).hears() == "database is locked"


def test_the_danger_is_real(folder: Path, other_process: StartProcess) -> None:
    path = make_database(folder / "daemon.db")
    with SQLiteStorage(path).migration_connection() as migration:
        migration.sqlite.execute("INSERT INTO thing (word) VALUES ('mine')")
        path.read_bytes()
        assert other_process(TRY_TO_WRITE, path).hears() == "got the lock"


def test_descriptors_are_closed_in_the_end(folder: Path) -> None:
    path = make_database(folder / "daemon.db")

    def descriptors() -> int:
        links = (entry.readlink() for entry in Path("/proc/self/fd").iterdir() if entry.is_symlink())
        return sum(link == path for link in links)

    with SQLiteStorage(path).migration_connection():
        for _ in range(5):
            SQLiteStorage(path).file_kind()
        assert descriptors() > 5
    SQLiteStorage(path).file_kind()
    assert descriptors() == 0


@pytest.mark.parametrize("wal", [False, True])
def test_the_lock_of_another_process_is_seen(folder: Path, other_process: StartProcess, wal: bool) -> None:
    path = make_database(folder / "daemon.db", wal=wal)
    storage = SQLiteStorage(path)
    assert not storage.is_locked()
    other = other_process(HOLD, path)
    for statement, is_locked in (
        ("BEGIN", False),
        ("SELECT * FROM thing", False),
        ("INSERT INTO thing (word) VALUES ('x')", True),
        ("COMMIT", False),
    ):
        other.tell(statement)
        other.hears()
        assert storage.is_locked() == is_locked, statement


def test_the_kind_of_file_system() -> None:
    found = {
        place: mounts.mount_kind(Path(place), MOUNTS)
        for place in (
            "/var/x.db",
            "/tmp/x.db",
            "/srv/x.db",
            "/srv/with space/x.db",
            "/home/me/far/x.db",
            "/srvx",
        )
    }
    assert found == {
        "/var/x.db": "ext4",
        "/tmp/x.db": "tmpfs",
        "/srv/x.db": "nfs4",
        "/srv/with space/x.db": "cifs",
        "/home/me/far/x.db": "fuse.sshfs",
        "/srvx": "ext4",
    }


def test_the_kind_of_this_file_system(folder: Path) -> None:
    assert SQLiteStorage(folder / "daemon.db").mount_kind() != ""


def test_nothing_is_told_of_a_lock_where_there_is_no_file(folder: Path) -> None:
    assert not SQLiteStorage(folder / "none.db").is_locked()
    with closing(sqlite3.connect(":memory:")):
        assert files.header(folder / "none.db") is None


@pytest.mark.parametrize(("mode", "expected"), [("PERSIST", []), ("TRUNCATE", []), ("WAL", ["ours.db-wal"])])
def test_a_journal_that_is_only_left_there_holds_no_writes(
    folder: Path, mode: str, expected: list[str]
) -> None:
    make_database(folder / "ours.db")
    with closing(sqlite3.connect(folder / "ours.db")) as connection:
        connection.execute(f"PRAGMA journal_mode = {mode}")
        connection.execute("CREATE TABLE more (n)")
        connection.commit()
        found = [path.name for path in SQLiteStorage(folder / "ours.db").writes_beside()]
    assert found == expected
