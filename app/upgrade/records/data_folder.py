"""Data folder (files). Which does Daemon write beside a database, and what does an erasure do to each?

The one list of them (a test holds it to what is there): whoever adds a file adds a line, and says how an
erasure reaches it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from app.disk import real_path
from app.upgrade.records import kept_writes

if TYPE_CHECKING:
    from app.settings import Settings

Reach = Literal["nothing", "scrubbed", "rows", "removed", "told"]
"""What an erasure does to a file: it never holds an entry; the storage writes it anew; rows of it go; it is
removed; or it is not touched, and the receipt names it."""

_STAMP = r"\d{8}_\d{6}(_\d+)?"
BESIDE: tuple[tuple[str, Reach, str], ...] = (
    (r"", "scrubbed", "the database"),
    (r"-wal|-shm|-journal", "scrubbed", "what SQLite has beside it"),
    (r"\.lock|\.wanted", "nothing", "who may use it"),
    (r"\.hold", "nothing", "why it is not upgraded by itself"),
    (r"\.attempt|\.progress", "nothing", "how an upgrade goes, or went"),
    (r"\.moved", "nothing", "where it was moved to"),
    (r"\.epoch", "nothing", "which server of PostgreSQL it is on"),
    (r"\.rollback_\w+\.json", "rows", "what a rollback kept: `operations.kept_erasures`"),
    (r"\.rollback_\w+\.json\.before-" + _STAMP, "told", "the same, of an earlier life of the folder"),
    (r"\.(empty|left)-" + _STAMP + r"(-wal|-shm|-journal)?", "told", "what `init` moved away"),
)
"""By how the name goes on after that of the database."""

OTHERS: tuple[tuple[str, Reach, str], ...] = (
    (r"claim|operator|secret_key|proxies_seen", "nothing", "tokens, a key, networks"),
    (r"(claim|secret_key|proxies_seen)\.before-" + _STAMP, "nothing", "the same, earlier"),
    (r"exports", "removed", "a folder: archives that people asked for (`accounts.export_files`)"),
    (
        r"backups|logs",
        "nothing",
        "folders with rules of their own: the receipt names backups, logs hold no text",
    ),
    (
        r"\.[\w.-]+\.(part|made|used|new|moving|restoring|making)(-wal|-shm|-journal)?",
        "told",
        "drafts, and what is left",
    ),
    (r"\.daemon-[a-z]+-[a-z0-9_]{8}", "told", "folders of private copies, in work or left by a kill"),
)
"""By the whole name."""


def reach_of(database: Path, name: str) -> Reach | None:
    """Return what an erasure does to a file beside a database; None for a file that is none of Daemon's."""
    if name.startswith(database.name):
        rest = name.removeprefix(database.name)
        found = next((reach for said, reach, _ in BESIDE if re.fullmatch(said, rest)), None)
        if found is not None:
            return found
    return next((reach for said, reach, _ in OTHERS if re.fullmatch(said, name)), None)


def files_that_may_hold_erased(settings: Settings) -> list[str]:
    """Return the names of files in the data folder that an erasure does not reach, by name."""
    return sorted({*_told(settings), *_unreadable(settings)})


def _told(settings: Settings) -> Iterator[str]:
    database = real_path(settings.database_path)
    for folder in {database.parent, real_path(settings.data_dir)}:
        try:
            names = [each.name for each in folder.iterdir()]
        except OSError:
            continue
        yield from (name for name in names if reach_of(database, name) == "told")


def _unreadable(settings: Settings) -> Iterator[str]:
    found = kept_writes.find_all(settings.database_path)
    yield from (path.name for path, kept in found if kept is None)
