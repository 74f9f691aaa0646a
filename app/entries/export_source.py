"""Files of an export (folder, ZIP). What is in the file of this name, read within bounds?

Links are refused, and a ZIP that holds a name twice, a link or what is encrypted; of any file no more is read
than is expected of it.
"""

from __future__ import annotations

import os
import stat
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, NoReturn

from app.errors import Damaged, UsageError

MANIFEST = "manifest.json"
_OF_EXPORTS = frozenset({MANIFEST, "user.json", "kinds.json"})
NAMES_MOST = 200_000


class FolderSource:
    """A folder; neither it nor a folder in it is followed if it is a link."""

    def __init__(self, folder: Path) -> None:
        if folder.is_symlink():
            raise UsageError(f"{folder} is a link; an import follows none.", hint="Name the folder itself.")
        if not (folder / MANIFEST).exists():
            raise UsageError(
                f"{folder} is no export: there is no {MANIFEST} in it.",
                hint="Name the folder export_... that daemon export-user-data has made.",
            )
        self._folder = folder

    def content(self, path: str, most_bytes: int) -> bytes:
        """Return the bytes of a file. Raises UsageError, and Damaged where it is missing or too large."""
        folder = self._folder
        if path.startswith("entries/") and (folder / "entries").is_symlink():
            raise UsageError(f"{folder / 'entries'} is a link; an import follows none.")
        try:
            opened = os.open(folder / path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        except FileNotFoundError:
            damaged(path, "it is missing")
        except OSError as error:
            if (folder / path).is_symlink():
                raise UsageError(f"{folder / path} is a link; an import follows none.") from None
            raise UsageError(f"{folder / path} cannot be read: {error.strerror}.") from None
        found = os.fstat(opened)
        if not stat.S_ISREG(found.st_mode):
            os.close(opened)
            raise UsageError(f"{folder / path} is no file.")
        with os.fdopen(opened, "rb") as file:
            if found.st_size > most_bytes:
                _too_large(path, found.st_size, most_bytes)
            return file.read(most_bytes + 1)


class ZipSource:
    """A ZIP; nothing of it is unpacked but what is asked for."""

    def __init__(self, name: str, file: Path | IO[bytes]) -> None:
        try:
            self._zip = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, ValueError, RuntimeError, OSError) as error:
            raise UsageError(f"{name} is no ZIP that can be read: {error}.") from None
        listed = self._zip.infolist()
        if len(listed) > NAMES_MOST:
            raise UsageError(
                f"{name} holds more than {NAMES_MOST:,} files; so many are not imported at once."
            )
        self._files: dict[str, zipfile.ZipInfo] = {}
        for each in listed:
            shown = repr(each.filename[:100])
            if each.filename in self._files:
                raise UsageError(f"{name} holds {shown} twice; nothing was imported.")
            if stat.S_ISLNK(each.external_attr >> 16):
                raise UsageError(f"{name}: {shown} is a link; an import follows none.")
            if each.flag_bits & 1:
                raise UsageError(f"{name}: {shown} is encrypted; nothing was imported.")
            self._files[each.filename] = each

    def content(self, path: str, most_bytes: int) -> bytes:
        """Return the bytes of a file. Raises Damaged where it is missing, too large or cannot be unpacked."""
        found = self._files.get(path)
        if found is None:
            damaged(path, "it is missing")
        if found.file_size > most_bytes:
            _too_large(path, found.file_size, most_bytes)
        try:
            with self._zip.open(found) as file:  # the list in a ZIP may not tell the truth
                return file.read(most_bytes + 1)
        except (
            zipfile.BadZipFile,
            RuntimeError,
            OSError,
            EOFError,
            zlib.error,
        ) as error:
            damaged(path, f"it cannot be unpacked ({error})")


class UnpackedSource:
    """Files that were unpacked already, within the bounds of `app.formats.sources`."""

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files

    def content(self, path: str, most_bytes: int) -> bytes:
        """Return the bytes of a file. Raises Damaged where it is missing or too large."""
        found = self._files.get(path)
        if found is None:
            damaged(path, "it is missing")
        if len(found) > most_bytes:
            _too_large(path, len(found), most_bytes)
        return found


Source = FolderSource | ZipSource | UnpackedSource


def is_export(path: Path) -> bool:
    """Whether there is, by its names, what `export` wrote, or a link to some folder, which is refused."""
    if path.is_dir():
        return path.is_symlink() or (path / MANIFEST).exists()
    return path.is_file() and is_export_zip(path)


def is_export_zip(file: Path | IO[bytes]) -> bool:
    """Whether a file is a ZIP that has the names of an export."""
    try:
        with zipfile.ZipFile(file) as archive:
            return has_names_of_export(archive.namelist())
    except (zipfile.BadZipFile, ValueError, RuntimeError, OSError):
        return False


def has_names_of_export(names: Iterable[str]) -> bool:
    """Whether files of these names are what `export` wrote."""
    return set(names) >= _OF_EXPORTS


def source_at(path: Path) -> Source:
    """Return the files of an export: of a folder, or of a ZIP. Raises UsageError for what is neither."""
    return ZipSource(str(path), path) if path.is_file() else FolderSource(path)


def damaged(path: str, why: str) -> NoReturn:
    """Raise Damaged for a file of an export."""
    raise Damaged(
        f"The export is not as it was written: {path}: {why}; nothing was imported.",
        hint="Copy the export again, or make it again: daemon export-user-data USER --output-dir DIR",
    )


def _too_large(path: str, size_bytes: int, most_bytes: int) -> NoReturn:
    damaged(path, f"it has {size_bytes:,} bytes, and {most_bytes:,} at most are expected")
