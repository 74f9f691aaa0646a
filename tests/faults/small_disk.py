"""Small disk (tmpfs). What fills up under a server of databases, and how does it go on afterwards?"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg

from app.disk import free_bytes
from tests.postgresql import START_SECONDS, PostgreSQL

TRIES = 1000  # while others write there, too


@contextlib.contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A disk of so many megabytes that is in memory; needs root."""
    folder = Path(tempfile.mkdtemp(prefix="daemon-disk-"))
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=1777", "tmpfs", folder], check=True
    )
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)
        folder.rmdir()


def fill(disk: Path, left_bytes: int = 0) -> Path:
    """Leave only so much room on the disk, on which others write meanwhile; return the file that takes it."""
    path, taken = disk / "filler", 0
    with path.open("wb") as filler:
        for _ in range(TRIES):
            wanted = free_bytes(disk) - left_bytes
            if wanted <= 0:
                break
            with contextlib.suppress(OSError):  # someone was faster: what is left now
                os.posix_fallocate(filler.fileno(), taken, wanted)
                taken += wanted
    return path


def go_on(server: PostgreSQL) -> None:
    """Wait until the server answers; start it where it has given up, as a service manager does."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            server.execute("SELECT 1")
        except psycopg.OperationalError as error:
            if time.monotonic() > end:
                raise
            if "refused" in str(error):
                with contextlib.suppress(AssertionError):  # it ends only now: once more
                    server.start()
            time.sleep(0.05)
        else:
            return
