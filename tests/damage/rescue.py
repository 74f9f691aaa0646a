"""Rescue walk. Does every command stay on its feet beside a database that may be anything at all?

`Place` is an installation with one good backup. `Place.walk` puts the bytes of a database there, as the live
one and as a backup without a manifest, types what a person in need would type, and returns what went wrong.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app import log
from app.cli import main as door
from tests.upgrade.old_databases import build

LOOKING = (("upgrade", "check"), ("backup", "list"), ("status",), ("upgrade", "plan", "--repair"))
STATUSES_OF_CHECK = (0, 10, 11, 12, 13, 14)
NEVER_SAID = ("Traceback", "fault of Daemon's own", "Error: This is")


@dataclass(frozen=True)
class Said:
    """What one command answered."""

    status: int
    words: str


class Place:
    """An installation in ``folder``, whose settings are in the environment while `entered`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.live = folder / "data" / "daemon.db"
        self.backups = folder / "backups"
        self.settings = {
            "DATABASE_URL": f"sqlite:///{self.live}",
            "BACKUP_DIR": str(self.backups),
            "LOG_DIR": str(folder / "logs"),
        }
        self.good = ""
        self.good_bytes: dict[str, bytes] = {}

    @contextlib.contextmanager
    def entered(self) -> Iterator[None]:
        """Be there, as a shell would."""
        before, at = dict(os.environ), Path.cwd()
        self.folder.mkdir(parents=True, exist_ok=True)
        os.environ.update(self.settings)
        os.chdir(self.folder)
        try:
            self._make_good()
            yield
        finally:
            os.chdir(at)
            os.environ.clear()
            os.environ.update(before)

    def _make_good(self) -> None:
        self.live.parent.mkdir(exist_ok=True)
        build("layout_b", self.live)
        assert typed("backup", "create").status == 0
        (backup,) = self.backups.glob("*.db")
        self.good = backup.name
        self.good_bytes = {path.name: path.read_bytes() for path in self.backups.iterdir() if path.is_file()}

    def lay(self, content: bytes) -> None:
        """Put that database where the live one is, and among the backups; everything else is as at first."""
        for folder in (self.live.parent, self.backups, self.folder / "logs"):
            for path in sorted(folder.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
        log.release()
        with contextlib.suppress(FileNotFoundError):
            (self.folder / "logs").rmdir()
        for name, kept in self.good_bytes.items():
            (self.backups / name).write_bytes(kept)
        self.live.write_bytes(content)
        (self.backups / "other.db").write_bytes(content)

    def walk(self, content: bytes) -> tuple[int, list[str]]:
        """The status of `upgrade check`, and a sentence for each thing that should not be."""
        self.lay(content)
        before = everything_in(self.folder)
        wrong: list[str] = []
        looked = {words: typed(*words) for words in LOOKING}
        if everything_in(self.folder) != before:
            changed = set(everything_in(self.folder).items()) ^ set(before.items())
            wrong.append(f"looking wrote something: {sorted({name for name, _ in changed})}")
        check = looked["upgrade", "check"].status
        if check not in STATUSES_OF_CHECK:
            wrong.append(f"check ended with {check}: {looked['upgrade', 'check'].words[:300]}")
        for words in (("backup", "list"), ("status",)):
            if looked[words].status != 0:
                wrong.append(
                    f"{' '.join(words)} ended with {looked[words].status}: {looked[words].words[:300]}"
                )
        if self.good not in looked["backup", "list"].words:
            wrong.append("the good backup is not listed")
        said = list(looked.values())
        said.append(typed("backup", "create"))
        said.append(typed("backup", "prove", "other.db"))
        said.append(typed("upgrade", "run"))
        run = said[-1].status
        if (run == 0) != (check in (0, 10)):
            wrong.append(f"check ended with {check}, run with {run}: {said[-1].words[:300]}")
        self.lay(content)
        restored = typed("backup", "restore", self.good, "--yes")
        said.append(restored)
        if restored.status not in (0, 13) or (restored.status == 13 and check != 13):
            wrong.append(f"restore ended with {restored.status} (check {check}): {restored.words[:300]}")
        if restored.status == 0 and (found := typed("upgrade", "check").status) != 10:
            wrong.append(f"after the restore check ends with {found}")
        for one in said:
            if one.status == 1 or any(words in one.words for words in NEVER_SAID):
                wrong.append(f"status {one.status}: {one.words[:400]}")
        return check, wrong


def typed(*words: str) -> Said:
    """One command, as if typed, in this process."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        status = door.run(lambda: door.daemon, words, "daemon")
    return Said(status, out.getvalue())


def everything_in(folder: Path) -> dict[str, tuple[bytes | None, int]]:
    """Every file and folder below it with its bytes and its time."""
    return {
        str(path.relative_to(folder)): (
            path.read_bytes() if path.is_file() else None,
            path.lstat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
    }
