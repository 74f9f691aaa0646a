"""Sources of an import (file, folder, ZIP). Which files are there, within bounds, and nowhere else?

Bounds hold before anything is unpacked or kept: a ZIP bomb, a link that leads out of the folder, a path with
`..` and a million files are each refused with a sentence. Nothing is fetched.
"""

from __future__ import annotations

import io
import lzma
import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from app.errors import InvalidContent, UsageError
from app.formats.items import Source
from app.sizes import size_in_words

FILES_MOST = 5_000
FILE_BYTES_MOST = 10 * 1024 * 1024
BYTES_MOST = 64 * 1024 * 1024
EXPANSION_MOST = 200  # times the bytes of the archive
DEPTH_MOST = 20
_ZIP = b"PK\x03\x04"
_NOT_UNPACKED = (
    *(zipfile.BadZipFile, RuntimeError, OSError, EOFError, ValueError),
    *(zlib.error, lzma.LZMAError),
)
_OF_SYSTEMS = ("__MACOSX", ".DS_Store", "Thumbs.db")


def read_path(path: Path) -> Source:
    """Return the files of a folder, of a ZIP, or the one file. Raises UsageError, InvalidContent, OSError."""
    if not path.exists():
        raise UsageError(f"There is nothing at {path}: it is no export, and no file of another program.")
    if path.is_dir():
        return Source(path.name, dict(_of_folder(path)))
    if path.stat().st_size > BYTES_MOST:
        raise _too_large(str(path), BYTES_MOST)
    return read_bytes(path.name, path.read_bytes())


def read_bytes(name: str, content: bytes) -> Source:
    """Return the files of a ZIP, or the one file that ``content`` is. Raises InvalidContent."""
    if content.startswith(_ZIP):
        return Source(name, dict(_of_zip(name, content)))
    if len(content) > FILE_BYTES_MOST:
        raise _too_large(name, FILE_BYTES_MOST)
    return Source(name, {PurePosixPath(name).name or "file": content})


def _of_folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    count = size_bytes = 0
    for path in sorted(folder.rglob("*")):
        relative = path.relative_to(folder).as_posix()
        if path.is_symlink() or not path.is_file() or _is_of_systems(relative):
            continue  # a link may lead anywhere
        count, size_bytes = count + 1, size_bytes + path.stat().st_size
        _check(relative, count, size_bytes, path.stat().st_size)
        yield relative, path.read_bytes()


def _of_zip(name: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, ValueError, RuntimeError) as error:
        raise InvalidContent(f"{name} is no ZIP that can be read ({error}); nothing was imported.") from None
    with archive:
        listed = [each for each in archive.infolist() if not each.is_dir()]
        _check_zip(name, listed, len(content))
        for each in listed:
            if not _is_of_systems(each.filename):
                yield each.filename, _unpacked(archive, each, name)


def _check_zip(name: str, listed: list[zipfile.ZipInfo], packed_bytes: int) -> None:
    size_bytes, seen = 0, set()
    for count, each in enumerate(listed, 1):
        size_bytes += each.file_size
        _check(each.filename, count, size_bytes, each.file_size)
        if each.filename in seen:
            raise InvalidContent(f"{name} holds {each.filename!r} twice; nothing was imported.")
        seen.add(each.filename)
        if stat.S_ISLNK(each.external_attr >> 16):
            raise InvalidContent(f"{name}: {each.filename!r} is a link; nothing was imported.")
        if each.flag_bits & 1:
            raise InvalidContent(f"{name}: {each.filename!r} is encrypted; nothing was imported.")
    if size_bytes > EXPANSION_MOST * max(packed_bytes, 1024):
        raise InvalidContent(
            f"{name} would unpack to {size_in_words(size_bytes)}, more than {EXPANSION_MOST} times its size;"
            " nothing was imported."
        )


def _unpacked(archive: zipfile.ZipFile, each: zipfile.ZipInfo, name: str) -> bytes:
    try:
        with archive.open(each) as file:
            content = file.read(each.file_size + 1)  # the list in a ZIP may not tell the truth
    except _NOT_UNPACKED as error:
        raise InvalidContent(
            f"{name}: {each.filename!r} cannot be unpacked ({error}); nothing was imported."
        ) from None
    if len(content) != each.file_size:
        raise InvalidContent(f"{name}: {each.filename!r} is larger than the ZIP says; nothing was imported.")
    return content


def _check(path: str, count: int, size_bytes: int, own_bytes: int) -> None:
    parts = path.replace("\\", "/").split("/")
    if path.startswith(("/", "\\")) or ".." in parts or ":" in parts[0] or "\x00" in path:
        raise InvalidContent(f"{path!r} leads out of the folder; nothing was imported.")
    if len(parts) > DEPTH_MOST:
        raise InvalidContent(f"{path!r} is more than {DEPTH_MOST} folders deep; nothing was imported.")
    if count > FILES_MOST:
        raise InvalidContent(f"There are more than {FILES_MOST} files; nothing was imported.")
    if own_bytes > FILE_BYTES_MOST:
        raise _too_large(path, FILE_BYTES_MOST)
    if size_bytes > BYTES_MOST:
        raise _too_large("The whole", BYTES_MOST)


def _too_large(what: str, most: int) -> InvalidContent:
    return InvalidContent(f"{what} is larger than {size_in_words(most)}; nothing was imported.")


def _is_of_systems(path: str) -> bool:
    return any(part in _OF_SYSTEMS for part in PurePosixPath(path).parts)
