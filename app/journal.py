"""Journal of operations. What did operators and upgrades do to this database, and who was it?

One JSON object a line in ``upgrade_journal.jsonl`` beside the backups: it survives a rollback or a restore,
which takes the database's own history back with everything else. The journal informs; nothing is decided by
it that the database can answer itself, and a line that a crash cut short is passed over.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from app import __version__, clock, files, log
from app.disk import account_name
from app.settings import Settings, sudo_user

JOURNAL_NAME = "upgrade_journal.jsonl"
JOURNAL_FORMAT = 1
LOOK_BYTES = 262_144
UpgradeEvent = Literal[
    "started", "committed", "failed", "rolled_back", "restored", "initialised", "adopted", "repaired", "moved"
]
JournalEvent = UpgradeEvent | Literal["backup", "pruned", "command"]
OF_OPERATORS = frozenset({"backup", "pruned", "command"})
"""What was done without changing which version or which database it is; everything else is history."""

_logger = log.get_logger(__name__)


@dataclass(frozen=True)
class JournalLine:
    """One thing that happened: ``at`` in RFC 3339, ``details`` whatever else there is to say (JSON).

    ``by`` is who ran it, where that was written down: user, uid, sudo_user.
    """

    event: str
    at: str
    database: str = ""
    tool_version: str = ""
    from_version: str | None = None
    to_version: str | None = None
    backup: str | None = None
    message: str = ""
    details: dict[str, object] = field(default_factory=dict)
    by: dict[str, object] = field(default_factory=dict)

    @property
    def who(self) -> str:
        """Who ran it in words, "" where that is not known: "root (sudo by ann)"."""
        user, before = str(self.by.get("user") or ""), self.by.get("sudo_user")
        return f"{user} (sudo by {before})" if before else user


def journal_path(settings: Settings) -> Path:
    """Return where the journal of this installation is."""
    return settings.backup_dir / JOURNAL_NAME


def write_line(
    settings: Settings,
    event: JournalEvent,
    *,
    from_version: str | None = None,
    to_version: str | None = None,
    backup: str | None = None,
    message: str = "",
    **details: object,
) -> None:
    """Add one line to the journal, durable when it returns. Makes the backup folder. Raises OSError."""
    said = {
        "v": JOURNAL_FORMAT,
        "event": event,
        "at": clock.rfc3339(clock.now().replace(microsecond=0)),
        "database": settings.database_name,
        "tool_version": __version__,
        "from_version": from_version,
        "to_version": to_version,
        "backup": backup,
        "message": message,
        "details": details,
        "by": who_runs_this(),
    }
    files.private_folder(settings.backup_dir)
    files.append_line(journal_path(settings), json.dumps(said), settings.database_path)


def try_to_write(settings: Settings, event: JournalEvent, **words: Any) -> None:
    """As `write_line`, for what has happened already: where it cannot be written, the log says so."""
    try:
        write_line(settings, event, **words)
    except OSError as error:
        _logger.warning("the journal could not be written: %s", error)


def who_runs_this() -> dict[str, object]:
    """Return who runs this process: the name and number of the account, and whose sudo it was."""
    number = os.geteuid()
    return {"user": account_name(number), "uid": number, "sudo_user": sudo_user()}


def read_journal(settings: Settings) -> tuple[JournalLine, ...]:
    """Return the lines that can be read, oldest first; no journal, or one that cannot be opened, is empty."""
    try:
        content = journal_path(settings).read_bytes()
    except OSError:
        return ()
    lines = (_understood(line) for line in content.splitlines())
    return tuple(line for line in lines if line is not None)


def is_of_this(line: JournalLine, settings: Settings) -> bool:
    """Return whether a line is about the configured database: another's may be in the same folder."""
    return not line.database or settings.is_this_database(line.database)


def read_back(
    settings: Settings, most: int, before: int | None = None
) -> tuple[tuple[JournalLine, ...], int | None]:
    """Return at most ``most`` lines, newest first, and where the older ones end (None: there are none).

    Reads the last LOOK_BYTES before that place, however long the journal is; a line that is longer than that
    is passed over, and so are those of other databases that have their backups in the same folder.
    """
    block, start = _last_block(settings, before)
    lines = block.split(b"\n")
    found: list[JournalLine] = []
    at = ends = start + len(block)
    at += 1  # as if the last line ended like the others
    for line in reversed(lines[1:] if start else lines):
        if len(found) == most:
            return tuple(found), at
        at -= len(line) + 1
        found += [each for each in (_understood(line),) if each is not None and is_of_this(each, settings)]
    if not start:
        return tuple(found), None
    return tuple(found), at if at < ends else start  # what is before `at` may be cut, or too long for a look


def _last_block(settings: Settings, before: int | None) -> tuple[bytes, int]:
    try:
        with journal_path(settings).open("rb") as journal:
            size = journal.seek(0, os.SEEK_END)
            ends = size if before is None else min(before, size)
            start = max(0, ends - LOOK_BYTES)
            journal.seek(start)
            return journal.read(ends - start), start
    except OSError:
        return b"", 0


def _understood(line: bytes) -> JournalLine | None:
    try:
        said = json.loads(line)
        return JournalLine(
            event=str(said["event"]),
            at=str(said["at"]),
            database=str(said.get("database") or ""),
            tool_version=str(said.get("tool_version") or ""),
            from_version=_text_or_none(said.get("from_version")),
            to_version=_text_or_none(said.get("to_version")),
            backup=_text_or_none(said.get("backup")),
            message=str(said.get("message") or ""),
            details=dict(said.get("details") or {}),
            by=dict(said.get("by") or {}),
        )
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def _text_or_none(value: object) -> str | None:
    return None if value is None else str(value)
