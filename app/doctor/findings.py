"""Findings: what the doctor has to say, one sentence each, and the change of a file that mends it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

OLD_NAME, NEW_NAME = "daemon-pmac", "daemon"  # of containers, commands and folders, before and since 0.3
Severity = Literal["danger", "old", "advice"]


@dataclass(frozen=True)
class Place:
    """Where an installation is: its folder, and where unit files and installed programs are."""

    folder: Path
    unit_folders: tuple[Path, ...] = (Path("/etc/systemd/system"),)
    programs: Path = Path("/opt")

    @property
    def is_to_be_moved(self) -> bool:
        """Whether the program is in the folder of the old name, and that of the new one is not there."""
        return (self.programs / OLD_NAME).is_dir() and not (self.programs / NEW_NAME).exists()


@dataclass(frozen=True)
class Change:
    """A file as it is and as it would be. ``mode`` where only its mode is to change, and the text is kept."""

    path: Path
    before: str
    after: str
    mode: int | None = None


@dataclass(frozen=True)
class Finding:
    """One thing: how bad it is, in a sentence, what to type, and the line edits that mend it by `--fix`.

    ``edits`` are pairs of whole lines, (old, new); an old line of "" adds the new one at the end of ``path``.
    """

    code: str
    severity: Severity
    message: str
    hint: str = ""
    path: Path | None = None
    edits: tuple[tuple[str, str], ...] = ()
    mode: int | None = None

    @property
    def can_be_fixed(self) -> bool:
        """Whether `--fix` mends it."""
        return bool(self.edits) or self.mode is not None
