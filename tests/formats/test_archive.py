"""Archive. Is the ZIP whole, the same each time, and made piece by piece?"""

from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
import zipfile
from collections.abc import Iterator

import pytest

from app.formats.archive import CHECKSUMS, MANIFEST, Member, archive_of, json_pieces


def members() -> Iterator[Member]:
    yield Member("README.md", [b"# What this is\n"])
    yield Member("entries/ideas.json", json_pieces({"format": 1}, "rows", [{"é": "ü"}, {"n": 2}]))


def test_the_same_files_give_the_same_bytes_and_each_is_named_with_its_checksum() -> None:
    made = b"".join(archive_of(members(), {"format": 1}))
    assert made == b"".join(archive_of(members(), {"format": 1}))
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["README.md", "entries/ideas.json", MANIFEST, CHECKSUMS]
        held = {name: archive.read(name) for name in archive.namelist()}
    assert json.loads(held["entries/ideas.json"]) == {"format": 1, "rows": [{"é": "ü"}, {"n": 2}]}
    manifest = json.loads(held[MANIFEST])
    assert manifest["format"] == 1
    for path in ("README.md", "entries/ideas.json"):
        digest = hashlib.sha256(held[path]).hexdigest()
        assert manifest["files"][path] == {"bytes": len(held[path]), "sha256": digest}
        assert f"{digest}  {path}\n" in held[CHECKSUMS].decode()
    assert hashlib.sha256(held[MANIFEST]).hexdigest() in held[CHECKSUMS].decode()


def test_no_rows_are_an_empty_list() -> None:
    assert json.loads(b"".join(json_pieces({}, "rows", []))) == {"rows": []}


def test_what_is_large_is_never_held_whole() -> None:
    size_bytes = 0
    tracemalloc.start()
    try:
        pieces = (bytes([n % 251]) * 65_536 for n in range(640))
        for piece in archive_of([Member("large.bin", pieces)], {}):
            size_bytes += len(piece)
        _now, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 4_000_000 < 640 * 65_536
    assert size_bytes > 0


@pytest.mark.parametrize("path", ["../up", "/root", "a/../b", "a//b", "", "c:/x", "a\\b", "a\nb", "./a"])
def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="no path"):
        list(archive_of([Member(path, [])], {}))


def test_a_path_comes_once() -> None:
    with pytest.raises(ValueError, match="no path"):
        list(archive_of([Member("a", []), Member("a", [])], {}))
