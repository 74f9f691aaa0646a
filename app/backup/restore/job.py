"""Restore job. What is a restore to do, and where did it keep what was there before?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app import interrupt
from app.backup.create import Contents
from app.backup.manifest import Describe
from app.backup.ownership import Identity
from app.disk import real_path
from app.progress import Event, OnEvent, pages_reporter
from app.settings import Settings
from app.storage.types import ExclusiveConnection

UNCHANGED = "nothing was changed"

Prepare = Callable[[Path], bool]
"""Changes the private copy of the backup before anything is touched; whether rows went or came."""

Amend = Callable[[Path, Path], None]
"""Changes the private copy of the backup (the first) by what is in the state before (the second)."""


@dataclass(frozen=True)
class Kept:
    """The state before: as a backup (``safety``, holding ``contents``), as bytes in ``folder``, or none."""

    contents: Contents | None = None
    safety: Path | None = None
    folder: Path | None = None
    old_database: str = ""  # what it is called on its server since
    amended: Contents | None = None  # what the copy holds since `Task.amend` has changed it


@dataclass(frozen=True)
class Task:
    """A restore: ``copy`` is the proved private copy of ``source``, and ``wanted`` what it holds.

    ``live`` is the real file: a link to it stays a link, and what belongs to it is beside the file.
    """

    settings: Settings
    source: Path
    copy: Path
    wanted: Contents
    journal_mode: str
    describe: Describe
    on_event: OnEvent
    amend: Amend | None = None
    identity: Identity | None = None

    @property
    def live(self) -> Path:
        return real_path(self.settings.database_path)

    @property
    def folder(self) -> Path:
        return self.live.parent

    def copy_in(self, held: ExclusiveConnection) -> None:
        """Put the copy into the live database, and say so; raises as `ExclusiveConnection.copy_in` does.

        From here on signals change nothing: an interruption could not say what is there.
        """
        interrupt.last_moment()
        what = f"putting {self.source.name} back"
        self.on_event(Event("phase", "restore", what))
        held.copy_in(self.copy, pages_reporter(self.on_event, "restore", what))
