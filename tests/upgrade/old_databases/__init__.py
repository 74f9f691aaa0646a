"""Which old databases can there be? One for every layout, mixture and hazard, made by `build(name, path)`.

Nothing here is a copy of a file: the tables are spelled as the old programs spelled them, the rows are
written by hand, and so is what must come of them (`Facts`).
"""

from __future__ import annotations

from pathlib import Path

from tests.upgrade.old_databases import files, layouts, owners, rows
from tests.upgrade.old_databases.facts import Account, ApiKey, Facts
from tests.upgrade.old_databases.making import BUILDERS, make

__all__ = ["HOMES", "MIXTURES", "NAMES", "Account", "ApiKey", "Facts", "build"]

HOMES = (layouts, rows, owners, files)  # where the builders are; importing them registers these
NAMES = tuple(BUILDERS)
MIXTURES = tuple(layouts.mixtures())


def build(name: str, path: Path) -> Facts:
    """Make the database of that name at ``path``, where nothing may be yet; return what is expected of it.

    What belongs beside it (-wal, -journal) is made too. ``name`` is one of NAMES or MIXTURES.
    """
    assert not path.exists(), path
    path.parent.mkdir(parents=True, exist_ok=True)
    if name in BUILDERS:
        return BUILDERS[name](path, name)
    return make(path, name, layouts.mixtures()[name])
