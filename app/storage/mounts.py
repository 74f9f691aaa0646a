"""Mounts. On which file system is a path, and can it only be read? Looks at /proc, writes nothing."""

from __future__ import annotations

import shlex
from pathlib import Path

from app.disk import real_path


def mount_kind(path: Path, mounts: str | None = None) -> str:
    """The kind of file system that ``path`` is on ("ext4", "nfs4", "fuse.sshfs"), "" where unknown."""
    if mounts is None:
        try:
            mounts = Path("/proc/self/mounts").read_text(encoding="utf-8", errors="surrogateescape")
        except OSError:
            return ""
    best, kind = "", ""
    for line in mounts.splitlines():
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        point = _unescaped(parts[1])
        if real_path(path).is_relative_to(point) and len(point) >= len(best):
            best, kind = point, parts[2]
    return kind


def _unescaped(text: str) -> str:
    for code, sign in (("\\040", " "), ("\\011", "\t"), ("\\012", "\n"), ("\\134", "\\")):
        text = text.replace(code, sign)
    return text


def read_only_mount(path: Path) -> tuple[Path, str] | None:
    """Return where the file system of ``path`` is mounted to be read only, and what mends that."""
    found = _mount_of(path)
    if found is None:
        return None
    point, own, whole = found
    if "ro" in own.split(","):
        is_bound = "ro" not in whole.split(",")
        return point, f"sudo mount -o remount,{'bind,' if is_bound else ''}rw {shlex.quote(str(point))}"
    return None


def is_mount_point(path: Path) -> bool:
    """Whether something is mounted at this very (real) path; False where the system does not tell.

    A bind mount of the same file system has the same device as the folder: only the table knows it.
    """
    found = _mount_of(path)
    return found is not None and found[0] == path


def _mount_of(path: Path) -> tuple[Path, str, str] | None:
    """Where the file system is mounted, its options there, and those of the whole of it; None if unknown."""
    try:
        real = real_path(path)
        lines = (
            Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
        )
    except OSError:
        return None
    best = None
    for line in lines:  # the last one at a place is on top
        parts = line.split(" ")
        point = Path(_unescaped(parts[4]))
        if real.is_relative_to(point) and (best is None or len(point.parts) >= len(best[0].parts)):
            best = (point, parts[5], parts[-1])
    return best
