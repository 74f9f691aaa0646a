"""Last attempt. Did the server try to upgrade this file by itself before, and how did that end?

A server that fails at its start is started again; without a memory it would fail for ever, each time with a
backup and minutes of work. The memory is a small file beside the database, written *before* the attempt and
removed when it succeeds: an attempt that was killed half-way is remembered too.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from app import __version__, clock, files

if TYPE_CHECKING:
    from app.settings import Settings

ATTEMPTS_THAT_MAY_BE_CUT_SHORT = 2


@dataclass(frozen=True)
class Attempt:
    """What was tried: which file (device and inode), by which Daemon, how often, and why it failed."""

    file: str
    tool_version: str
    count: int
    at: str
    failure: str = ""  # empty while it runs, and for ever when it was cut short

    @property
    def blocks(self) -> bool:
        """Whether it must not be tried again without someone asking for it."""
        return bool(self.failure) or self.count >= ATTEMPTS_THAT_MAY_BE_CUT_SHORT


def attempt_path(settings: Settings) -> Path:
    """Return where the memory is."""
    return settings.database_path.with_name(settings.database_path.name + ".attempt")


def find_attempt(settings: Settings) -> Attempt | None:
    """Return the attempt on the very file that is there now, by this very Daemon; None if there was none."""
    try:
        said = json.loads(attempt_path(settings).read_bytes())
        attempt = Attempt(
            str(said["file"]),
            str(said["tool_version"]),
            int(said["count"]),
            str(said["at"]),
            str(said["failure"]),
        )
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return Attempt(_identity(settings), __version__, 1, "", "what is remembered of it cannot be read")
    is_this_one = attempt.file == _identity(settings) and attempt.tool_version == __version__
    return attempt if is_this_one else None


def remember_start(settings: Settings) -> None:
    """Write down that an attempt begins. Raises OSError; then nothing may be attempted."""
    before = find_attempt(settings)
    count = 1 if before is None else before.count + 1
    _write(settings, Attempt(_identity(settings), __version__, count, clock.rfc3339(clock.now())))


def remember_failure(settings: Settings, failure: str) -> None:
    """Write down why the attempt that runs has failed. Raises OSError; it then counts as cut short."""
    before = find_attempt(settings)
    count = 1 if before is None else before.count
    at = clock.rfc3339(clock.now())
    _write(settings, Attempt(_identity(settings), __version__, count, at, failure or "it failed"))


def forget(settings: Settings) -> None:
    """Remove the memory, if there is one. Raises OSError."""
    attempt_path(settings).unlink(missing_ok=True)


def _write(settings: Settings, attempt: Attempt) -> None:
    content = json.dumps(asdict(attempt)).encode() + b"\n"
    files.private_folder(settings.data_dir)  # a new machine of a database on a server has none yet
    files.write_atomically(attempt_path(settings), content, like=settings.database_path)


def _identity(settings: Settings) -> str:
    try:
        found = settings.database_path.stat()
    except OSError:
        return "missing"
    return f"{found.st_dev}:{found.st_ino}"
