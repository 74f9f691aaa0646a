"""Primary of several servers (epoch). Which one is it, where one that was it before has come back?

The epoch of a server is its timeline, which every promotion of a standby counts up. Of servers with the same
identifier, the one of the highest epoch is the primary; another one that takes writes was it before, and
lacks whatever was written since. libpq takes the first that lets itself be written to; so what it took is
asked for its epoch, and left where a higher one was seen: by this process, or by one before it that served
here (the file ``NAME.postgresql.epoch``).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from app import files
from app.database_urls import place_of

STANDBY = 0
QUERY = (
    "SELECT (SELECT system_identifier FROM pg_control_system()), CASE WHEN pg_is_in_recovery() THEN 0 ELSE"
    " ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint END"
)


class Epoch(NamedTuple):
    """Of which servers one is, and the epoch that it is in; STANDBY where it takes no writes."""

    system: int
    number: int


_seen: dict[str, Epoch] = {}
_ONE_AT_A_TIME = threading.Lock()


def is_old(url: str, found: Epoch) -> bool:
    """Return whether another server was promoted since this one was the primary, as far as is known here."""
    known = _known(url)
    return known is not None and known.system == found.system and STANDBY < found.number < known.number


def note(url: str, found: Epoch) -> None:
    """Note which epoch there is; for this process."""
    with _ONE_AT_A_TIME:
        if found.number != STANDBY:
            _seen[url] = found


def note_newer(url: str, found: Epoch) -> None:
    """Note an epoch that is higher than what was seen, of the same servers."""
    known = _known(url)
    if known is not None and known.system == found.system and found.number > known.number:
        note(url, found)


def seen(url: str) -> Epoch | None:
    """Return the epoch that was seen of late, by this process or one that served here."""
    return _known(url)


def keep(url: str) -> None:
    """Write down for the processes after this one which epoch there is. Raises OSError."""
    seen, path = _seen.get(url), _file(url)
    if seen is not None and seen != _read(path):
        files.private_folder(path.parent)  # of a machine that has only just come to the others
        files.write_atomically(path, f"{seen.system} {seen.number}\n".encode())


def each_host(given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield the words of a connection for each of the servers that it names."""
    several = {name: str(given[name]).split(",") for name in ("host", "hostaddr", "port") if name in given}
    count = max((len(values) for values in several.values()), default=1)
    for at in range(count):
        yield {**given, **{name: values[at % len(values)] for name, values in several.items()}}


def _known(url: str) -> Epoch | None:
    """What this process has seen, or another one of this machine since: not each of them looks around."""
    with _ONE_AT_A_TIME:
        mine, kept = _seen.get(url), _read(_file(url))
    is_newer = mine is None or (kept is not None and kept.system == mine.system and kept.number > mine.number)
    return kept if is_newer else mine


def _file(url: str) -> Path:
    place = place_of(url)
    return place.with_name(f"{place.name}.epoch")


def _read(path: Path) -> Epoch | None:
    try:
        system, number = path.read_text().split()
        return Epoch(int(system), int(number))
    except (OSError, ValueError):
        return None
