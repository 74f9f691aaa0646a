"""Files of exports (folder, expiry). Which archives that people asked for are kept, and which are to go?

Each is named by its operation and goes with its row. It goes before where its person erases something: it
may hold what was erased, and can be made again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection

from app import clock, erasures
from app.accounts import operations
from app.erasures import OfToday

_OURS = re.compile(r"\.?(\d{1,19})\.zip(\.[0-9a-f]{8}\.part)?")


def clear(folder: Path, connection: Connection) -> int:
    """Delete files whose operation is over, failed or gone, what a killed process left, and what may hold
    something erased; return how many. Raises OSError.
    """
    found = list(_files_in(folder))
    if not found:
        return 0
    owners = operations.with_files(connection, {number for _, number in found}, clock.now())
    erasing = erasures.not_scrubbed_yet(OfToday(connection))
    past = [path for path, number in found if owners.get(number) in (None, *erasing)]
    for path in past:
        path.unlink(missing_ok=True)
    return len(past)


def _files_in(folder: Path) -> Iterator[tuple[Path, int]]:
    try:
        found = list(folder.iterdir())
    except FileNotFoundError:
        return
    for path in found:
        if is_ours := _OURS.fullmatch(path.name):
            yield path, int(is_ours[1])
