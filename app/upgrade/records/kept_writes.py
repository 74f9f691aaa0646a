"""Kept writes. What could not go back with a rollback, as a JSON file beside the database?

docs/upgrade_guide.md tells the format. The file is private (0600). It belongs to the database whose history
does not have the upgrade that was taken back: after a kill before the exchange it has, and the file counts
for nothing. Its first account must be the same, too: another database may be in this place by then.
"""

from __future__ import annotations

import base64
import json
import re
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from app import clock, files, log
from app.disk import real_path
from app.storage.types import Key, Value, Values

if TYPE_CHECKING:
    from app.settings import Settings

FORMAT = 1
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
_logger = log.get_logger(__name__)

What = Literal["added", "changed", "removed"]
Counted = Counter[tuple[str, What]]
"""How many rows, by table and what was done to them."""

LineId = tuple[str | None, str | None, str | None, str | None]  # version, moment, backup, milliseconds


@dataclass(frozen=True)
class KeptRow:
    """One row that was written since the upgrade: as it ``was`` when it was done, and as it is ``now``.

    Of a row that was carried back in part, both hold only the columns that were not.
    """

    table: str
    key: Key
    what: What
    was: Values | None
    now: Values | None
    why: str


ERASED = KeptRow("", (), "removed", None, None, "erased")
"""In the place of a row that was erased for good: those after it keep their numbers (`waiting_writes`)."""


@dataclass(frozen=True)
class KeptWrites:
    """All that one rollback kept. ``undone`` is the history line of the upgrade that was taken back.

    ``installation`` is the row that says which installation it is, if the older version has no place for it.
    """

    id: str
    written_at: str
    undone: dict[str, str | None]
    first_account: list[str] | None
    restored_from: str
    safety: str
    includes: tuple[str, ...] = ()
    counters: dict[str, int] = field(default_factory=dict)
    rows: tuple[KeptRow, ...] = ()
    installation: Values | None = None

    @property
    def undone_line(self) -> LineId:
        """What tells the history line of the upgrade that was taken back from all others."""
        line = self.undone
        return line.get("version"), line.get("at"), line.get("backup"), line.get("duration_ms")


def kept_path(settings: Settings, kept: KeptWrites) -> Path:
    """Return where the file is: beside the database."""
    live = real_path(settings.database_path)
    return live.with_name(f"{live.name}.rollback_{kept.id}.json")


def write(settings: Settings, kept: KeptWrites) -> Path:
    """Write the file, durable when it returns. Raises OSError."""
    path = kept_path(settings, kept)
    said = {"format": FORMAT, "database": settings.database_name, **asdict(kept)}
    said["rows"] = [_spelled(row) for row in kept.rows]
    said["installation"] = _spelled_row(kept.installation)
    files.private_folder(path.parent)
    files.write_atomically(path, json.dumps(said, indent=1).encode(), like=settings.database_path)
    return path


def replace_rows(path: Path, kept: KeptWrites) -> None:
    """Write a file that is there anew, with other rows; without any that says something it is removed.

    Raises OSError, and ValueError for what is no such file.
    """
    if kept.installation is None and not kept.includes and all(row == ERASED for row in kept.rows):
        path.unlink()
        files.sync_folder(path.parent)
        return
    said = json.loads(path.read_bytes())
    said["rows"] = [_spelled(row) for row in kept.rows]
    files.write_atomically(path, json.dumps(said, indent=1).encode(), like=path)


def find_all(database: Path) -> tuple[tuple[Path, KeptWrites | None], ...]:
    """Return the files beside the database, the oldest first; None for one that cannot be read."""
    live = real_path(database)
    found = sorted(live.parent.glob(f"{live.name}.rollback_*.json"))
    return tuple((path, _read(path)) for path in found)


def remove_those_of(settings: Settings, undone: dict[str, str | None]) -> None:
    """Remove the files that a rollback of this upgrade wrote before; where one stays, the log tells."""
    for path, kept in find_all(settings.database_path):
        if kept is not None and kept.undone == undone:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                _logger.warning("%s counts for nothing and could not be removed: %s", path, error)


def by_table(counted: Counted) -> dict[str, dict[What, int]]:
    """Return the same by table: how many rows were added, changed and removed in each."""
    kinds: tuple[What, ...] = ("added", "changed", "removed")
    return {
        table: {kind: counted[table, kind] for kind in kinds}
        for table in sorted({name for name, _ in counted})
    }


def is_moment(value: Value) -> bool:
    """Return whether a value is written as a moment, as the tables have them."""
    return isinstance(value, str) and _MOMENT.match(value) is not None


def new_id() -> str:
    """Return the name of a rollback: its moment, to the microsecond, so that they sort."""
    return clock.now().strftime("%Y%m%d_%H%M%S_%f")


def _read(path: Path) -> KeptWrites | None:
    try:
        said = json.loads(path.read_bytes())
        rows = tuple(_understood(row) for row in said.pop("rows"))
        if said.pop("format") != FORMAT:
            return None
        said.pop("database")
        said["installation"] = _understood_row(said.get("installation"))
        return KeptWrites(**{**said, "includes": tuple(said["includes"]), "rows": rows})
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _spelled(row: KeptRow) -> dict[str, Any]:
    return {
        "table": row.table,
        "key": [_json_of(value) for value in row.key],
        "what": row.what,
        "was": _spelled_row(row.was),
        "now": _spelled_row(row.now),
        "why": row.why,
    }


def _understood(said: dict[str, Any]) -> KeptRow:
    was, now = _understood_row(said["was"]), _understood_row(said["now"])
    key = tuple(_value_of(value) for value in said["key"])
    return KeptRow(said["table"], key, said["what"], was, now, said["why"])


def _spelled_row(row: Values | None) -> dict[str, object] | None:
    return None if row is None else {name: _json_of(value) for name, value in row.items()}


def _understood_row(said: Any) -> Values | None:
    return None if said is None else {name: _value_of(value) for name, value in said.items()}


def _json_of(value: Value) -> object:
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, float):
        return {"real": value.hex()}
    return value


def _value_of(said: Any) -> Value:
    if isinstance(said, dict):
        return base64.b64decode(said["base64"]) if "base64" in said else float.fromhex(said["real"])
    value: Value = said
    return value
