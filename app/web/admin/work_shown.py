"""Work on the database as it is shown. How far is it, and how did it end?"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from app import clock
from app.accounts.operations import DONE, RUNNING
from app.server.health import progress_of as progress_told
from app.web.admin.language import _, mark, ngettext
from app.web.admin.waiting_words import phase_in_words

if TYPE_CHECKING:
    from app.server.going_back import Told
    from app.server.state import ServerState

LATELY = timedelta(seconds=15)  # so soon the server has noticed that the database is another one

WITHIN = timedelta(hours=1)

_RUNNING = {
    "upgrade": mark("The upgrade runs"),
    "rollback": mark("The rollback runs"),
    "restore": mark("A backup is put back"),
}
_ENDED = {
    ("upgrade", True): mark("The upgrade ended well"),
    ("upgrade", False): mark("The upgrade did not succeed"),
    ("rollback", True): mark("The rollback ended well"),
    ("rollback", False): mark("The rollback did not succeed"),
    ("restore", True): mark("The backup was put back"),
    ("restore", False): mark("The backup was not put back"),
}


@dataclass(frozen=True)
class ProgressShown:
    """How far something is; ``percent`` None where that is not known."""

    words: str
    percent: int | None
    rest: str


@dataclass(frozen=True)
class OutcomeShown:
    """How something ended, in the words of the command line: its notes are a list between the other lines."""

    title: str
    mood: str
    before: tuple[str, ...]
    notes: tuple[str, ...]
    after: tuple[str, ...]


def progress_of(server: ServerState) -> ProgressShown | None:
    """Return how far an upgrade, a rollback or a restore is; None where nothing tells."""
    told = progress_told(server)
    if not told:
        return None
    percent, seconds = told.get("percent"), told.get("eta_seconds")
    return ProgressShown(
        phase_in_words(str(told.get("phase"))),
        round(percent) if isinstance(percent, (int, float)) else None,
        rest_in_words(seconds if isinstance(seconds, (int, float)) else None),
    )


def rest_in_words(seconds: float | None) -> str:
    """Say how long the rest takes, "" where that is not known."""
    if seconds is None:
        return ""
    if seconds < 90:
        return ngettext("About %(num)s second to go", "About %(num)s seconds to go", max(1, round(seconds)))
    return ngettext("About %(num)s minute to go", "About %(num)s minutes to go", round(seconds / 60))


def work_of(told: Told | None) -> str:
    """Return what is being done to the database now, in words; "" where nothing is."""
    is_running = told is not None and told.operation.state == RUNNING
    return _(_RUNNING.get(told.operation.name, mark("Working"))) if told and is_running else ""


def outcome_of(told: Told | None) -> OutcomeShown | None:
    """Return how the last of it ended, within the hour; None where nothing did."""
    ended = (
        None if told is None else clock.parse_stored(told.operation.finished_at or told.operation.created_at)
    )
    if told is None or ended is None or told.operation.state == RUNNING or clock.now() - ended > WITHIN:
        return None
    is_well = told.operation.state == DONE
    title = _(_ENDED.get((told.operation.name, is_well), mark("It has ended")))
    text = told.report or told.operation.fault or ""
    lines = [line for line in text.split("\n") if line]
    listed = [at for at, line in enumerate(lines) if line.startswith(" ")]  # as `outcome_text` sets them in
    first, end = (listed[0], listed[-1] + 1) if listed else (len(lines), len(lines))
    notes = tuple(_without_mark(line) for line in lines[first:end])
    mood = "good" if is_well else "bad"
    return OutcomeShown(title, mood, tuple(lines[:first]), notes, tuple(lines[end:]))


def _without_mark(line: str) -> str:
    """Return a line of a list without its mark; one of a list within stays set in, as it is said by that."""
    return line.removeprefix("  - ")


def ended_lately(told: Told | None, *, is_open: bool) -> bool:
    """Whether something has just ended, and the server has not seen yet what became of the database."""
    ended = None if told is None or is_open else clock.parse_stored(told.operation.finished_at)
    return ended is not None and clock.now() - ended < LATELY
