"""Dump of a database (pg_dump). How is one committed state of it written into a file, and what was it?

The file is pg_dump's custom format, of the snapshot that this process exports to it: what is read through the
same snapshot is what is in the file.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
from contextlib import closing
from pathlib import Path

from app import files
from app.progress import OnPages, say_nothing
from app.storage.postgresql import programs
from app.storage.postgresql.connection import PostgreSQLConnection
from app.storage.postgresql.driver import connect
from app.storage.postgresql.errors import as_storage_errors
from app.storage.typed_rows import Digests
from app.temporary import temporary_folder

ENDING = ".dump"
MAGIC = b"PGDMP"
NOT_MADE = "no backup was made; the database is as it was"
_RANDOM_LINES = re.compile(rb"^\\(un)?restrict ")
_AN_UNKNOWN_SIZE = 1


def dump(url: str, target: Path, progress: OnPages | None = None) -> Digests:
    """Write one committed state into the new file ``target``, synced; return the digests of that state.

    Others go on writing meanwhile. Raises Refused where pg_dump is missing or too old, Failed with its words.
    """
    with as_storage_errors(), closing(connect(url, application_name="daemon (backup)")) as driver:
        program = programs.get_program("pg_dump", driver.info.server_version // 10000, NOT_MADE)
        driver.execute("BEGIN TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        (snapshot,) = driver.execute("SELECT pg_export_snapshot()").fetchone() or ("",)
        with (
            temporary_folder(".daemon-dump-", target.parent, 1_000_000) as folder,
            programs.conninfo_without_password(url, folder) as conninfo,
        ):
            words: list[str | Path] = [
                program,
                "--format=custom",
                f"--snapshot={snapshot}",
                "--lock-wait-timeout=30s",
            ]
            words += [f"--dbname={conninfo}"]
            told = progress or say_nothing
            programs.run(words, url, target, lambda: told(_AN_UNKNOWN_SIZE, _AN_UNKNOWN_SIZE))
        target.chmod(files.PRIVATE_FILE)
        files.sync_file(target)
        return PostgreSQLConnection(driver).digests()


def is_dump(path: Path) -> bool:
    """Whether a file begins as a dump does. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def read_through(path: Path, server_major: int) -> str:
    """Return the SHA-256 of the SQL that a dump stands for; the same for two dumps of one state.

    Reads and unpacks all of it. Raises Refused without pg_restore, Failed where the dump is damaged.
    """
    program = programs.get_program("pg_restore", server_major, "it was not read")
    digest = hashlib.sha256()
    with subprocess.Popen(
        [program, "--no-owner", "--no-privileges", "--file=-", path],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        assert child.stdout is not None
        for line in child.stdout:
            if not _RANDOM_LINES.match(line):
                digest.update(line)
    return digest.hexdigest() if child.returncode == 0 else ""
