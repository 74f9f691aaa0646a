"""Export as one ZIP (checksums, README). What can be read without Daemon, and taken into another one?"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from app.entries.carried_rows import PICTURES_FILE
from app.entries.export_source import MANIFEST
from app.entries.readable_export import readable_members
from app.formats.archive import Member, archive_of


def archive_of_files(exported: Mapping[str, bytes]) -> Iterator[bytes]:
    """Yield a ZIP of what `export_user` returned, with what people and other programs read beside it."""
    files = dict(exported)
    about = json.loads(files.pop(MANIFEST))
    return archive_of(_members(str(about["username"]), files), about)


def _members(username: str, files: dict[str, bytes]) -> Iterator[Member]:
    of_entries = [path for path in files if path.startswith("entries/")]
    rows = (row for path in of_entries for row in json.loads(files[path])["rows"])
    kinds = json.loads(files["kinds.json"])["rows"]
    pictures = json.loads(files[PICTURES_FILE])["rows"] if PICTURES_FILE in files else ()
    yield from readable_members(username, rows, kinds, pictures)
    yield from (Member(path, [content]) for path, content in files.items())
