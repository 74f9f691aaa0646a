"""Fix: the edits of findings as changes of files; shown as a diff, undone by putting the kept file back."""

from __future__ import annotations

import difflib
import os
import shlex
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from app import clock, files
from app.doctor.findings import Change, Finding
from app.errors import Refused

HEADING = "# Added by the doctor of this Daemon"


@dataclass(frozen=True)
class Fixed:
    """A file that was changed, the kept file of before (None where none was), and what puts it back."""

    path: Path
    kept: Path | None
    undo: str


def changes_of(findings: Iterable[Finding]) -> tuple[Change, ...]:
    """Return one change for each file that the findings' edits touch. Writes nothing. Raises OSError."""
    by_path: dict[Path, list[Finding]] = {}
    for finding in findings:
        if finding.path is not None and finding.can_be_fixed:
            by_path.setdefault(finding.path, []).append(finding)
    return tuple(_change(path, found) for path, found in by_path.items())


def diff_of(change: Change) -> str:
    """Return the change as a unified diff, or as one line where only the mode changes.

    A line that sets a secret is shown without its value, of which the diff tells only that it is another.
    """
    before, after = change.before.splitlines(), change.after.splitlines()
    lines = difflib.unified_diff(
        [_shown(line) for line in before],
        [_shown(line, is_new=line not in before) for line in after],
        str(change.path),
        f"{change.path} (after)",
        lineterm="",
    )
    mode = [f"{change.path}: mode {change.mode:o}"] if change.mode is not None else []
    return "\n".join([*lines, *mode])


def apply(change: Change) -> Fixed:
    """Keep the file as it is beside itself, then change it.

    Raises Refused where it changed meanwhile, and OSError; whatever fails leaves the file as it was.
    """
    path = change.path
    if _text(path) != change.before:
        raise Refused(f"{path} was changed meanwhile; nothing was done to it.", hint="daemon doctor --fix")
    if not path.exists():
        files.write_atomically(path, change.after.encode(), 0o600)
        return Fixed(path, None, f"rm {shlex.quote(str(path))}")
    kept = _free_name(path)
    known = path.stat()
    mode = known.st_mode & 0o7777 if change.mode is None else change.mode
    shutil.copy2(path, kept)
    _give(kept, known, mode)
    files.sync_file(kept)
    files.write_atomically(path, change.after.encode(), mode)
    _give(path, known, mode)
    return Fixed(path, kept, f"mv {shlex.quote(str(kept))} {shlex.quote(str(path))}")


def _give(path: Path, known: os.stat_result, mode: int) -> None:
    os.chown(path, known.st_uid, known.st_gid)
    path.chmod(mode)


def _change(path: Path, findings: list[Finding]) -> Change:
    before = _text(path)
    newline = "\r\n" if "\r\n" in before else "\n"
    lines = before.splitlines()
    added = []
    for old, new in (edit for finding in findings for edit in finding.edits):
        if old:
            lines = [new if line == old else line for line in lines]
        else:
            added.append(new)
    if added:
        lines += [HEADING, *added]
    mode = next((finding.mode for finding in findings if finding.mode is not None), None)
    after = newline.join([*lines, ""]) if any(finding.edits for finding in findings) else before
    return Change(path, before, after, mode)


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8") if path.exists() else ""


def _free_name(path: Path) -> Path:
    stamp = f"{clock.now():%Y%m%d_%H%M%S}"
    kept = path.with_name(f"{path.name}.before_{stamp}")
    number = 1
    while kept.exists():
        number += 1
        kept = path.with_name(f"{path.name}.before_{stamp}_{number}")
    return kept


def _shown(line: str, *, is_new: bool = False) -> str:
    name, mark, _ = line.partition("=")
    is_secret = mark and "SECRET" in name.upper() and not line.lstrip().startswith("#")
    return f"{name}=({'another, ' if is_new else ''}not shown)" if is_secret else line
