"""Archive (ZIP, checksums, streaming). How do files become one ZIP, without being held in memory?

The same files give the same bytes: no time of day and no name of this machine is in it, and files stand in
the order in which they come. After them come `manifest.json` (each file's bytes and SHA-256) and
`SHA256SUMS`, which `sha256sum -c` checks.
"""

from __future__ import annotations

import base64
import hashlib
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any, NamedTuple

MANIFEST = "manifest.json"
CHECKSUMS = "SHA256SUMS"
MEDIA_TYPE = "application/zip"
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the first moment that a ZIP can name
_READABLE = 0o100644 << 16
_UNIX = 3
_COMPRESSION = 6


class Member(NamedTuple):
    """A file of an archive: its path, with ``/`` between its parts, and its bytes, piece by piece."""

    path: str
    pieces: Iterable[bytes]


class Written(NamedTuple):
    """What is said of a file that is in the archive."""

    path: str
    size_bytes: int
    sha256: str


def archive_of(members: Iterable[Member], about: Mapping[str, Any]) -> Iterator[bytes]:
    """Yield a ZIP of these files, piece by piece; nothing is asked of a member before its turn.

    ``about`` is what the manifest says besides the files. Raises ValueError for a path that leads out of the
    archive, or that comes twice.
    """
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=_COMPRESSION) as archive:
        written: dict[str, Written] = {}
        for member in members:
            yield from _added(archive, sink, member, written)
        yield from _added(archive, sink, Member(MANIFEST, [_manifest(about, written.values())]), written)
        yield from _added(archive, sink, Member(CHECKSUMS, [_checksums(written.values())]), written)
    yield sink.taken()


def json_pieces(head: Mapping[str, Any], name: str, rows: Iterable[Any]) -> Iterator[bytes]:
    """Yield a JSON object: the members of ``head``, and an array ``name`` of rows, one row at a time.

    Bytes that are no text become ``{"base64": ...}``.
    """
    said = _as_json(dict(head))[1:-1].rstrip()
    yield ("{" + said + ("," if said else "") + f"\n  {json.dumps(name)}: [").encode()
    mark = "\n"
    for row in rows:
        yield (mark + _as_json(row)).encode("utf-8", "backslashreplace")
        mark = ",\n"
    yield b"\n  ]\n}\n"


def _as_json(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, default=_odd)


def _odd(value: object) -> object:
    """A value that JSON has no word for."""
    return {"base64": base64.b64encode(value).decode()} if isinstance(value, bytes) else str(value)


class _Sink:
    """Takes what the ZIP writes, until it is taken away; it cannot go back to what was written before."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def write(self, piece: bytes) -> int:
        self._pieces.append(bytes(piece))
        return len(piece)

    def flush(self) -> None:
        """Nothing waits here."""

    def close(self) -> None:
        """It is nothing that was opened."""

    def taken(self) -> bytes:
        whole = b"".join(self._pieces)
        self._pieces.clear()
        return whole


def _added(
    archive: zipfile.ZipFile, sink: _Sink, member: Member, written: dict[str, Written]
) -> Iterator[bytes]:
    path, digest, size_bytes = member.path, hashlib.sha256(), 0
    if path in written or not _is_inside(path):
        raise ValueError(f"{path!r} is no path of a file in this archive")
    info = zipfile.ZipInfo(path, _EPOCH)
    info.compress_type, info.external_attr, info.create_system = zipfile.ZIP_DEFLATED, _READABLE, _UNIX
    with archive.open(info, "w", force_zip64=True) as file:
        for piece in member.pieces:
            digest.update(piece)
            size_bytes += len(piece)
            file.write(piece)
            if ready := sink.taken():
                yield ready
    written[path] = Written(path, size_bytes, digest.hexdigest())
    yield sink.taken()


def _is_inside(path: str) -> bool:
    parts = path.split("/")
    is_plain = path.isprintable() and "\\" not in path and ":" not in path
    return is_plain and ".." not in parts and PurePosixPath(path).as_posix() == path and parts[0] != ""


def _manifest(about: Mapping[str, Any], written: Iterable[Written]) -> bytes:
    files = {each.path: {"bytes": each.size_bytes, "sha256": each.sha256} for each in written}
    return _as_json({**about, "files": files}).encode() + b"\n"


def _checksums(written: Iterable[Written]) -> bytes:
    return "".join(f"{each.sha256}  {each.path}\n" for each in written).encode()
