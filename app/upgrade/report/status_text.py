"""Status and history, in words and as JSON. Where do things stand, and what was done when?

The JSON shapes are those of the frozen values, member for member; members are added, never taken away.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from app import __version__
from app.control_characters import one_line
from app.upgrade.plan import exit_code_of, make_plan
from app.upgrade.records import auto_upgrade_block
from app.upgrade.records.history import HistoryLine, operations_of, read_history
from app.upgrade.records.running import Running, find_running
from app.upgrade.versions.releases import NEWEST

if TYPE_CHECKING:
    from app.settings import Settings

HISTORY_COLUMNS = ("when (UTC)", "what", "version", "backup", "run by")
ALL_HISTORY_COLUMNS = (
    *("when (UTC)", "what", "from", "to", "outcome", "backup", "ms", "Daemon"),
    *("recorded in", "run by", "words"),
)


def status_as_json(settings: Settings) -> dict[str, Any]:
    """Return where things stand: version, pending or not, the hold, the last of the history. Looks only."""
    plan = make_plan(settings)
    held = auto_upgrade_block.find_hold(settings)
    lines, running = read_history(settings), find_running(settings)
    return {
        "tool_version": __version__,
        "newest": NEWEST,
        "database": settings.database_name,
        "kind": plan.current.kind,
        "detected": plan.current.label,
        "recorded": plan.current.recorded,
        "pending": plan.pending,
        "exit_code": exit_code_of(plan),
        "blockers": [asdict(problem) for problem in plan.blockers],
        "warnings": [asdict(problem) for problem in plan.warnings],
        "hold": asdict(held) if held else None,
        "running": any(problem.code in ("locked", "upgrade_running") for problem in plan.warnings),
        "progress": asdict(running) if running else None,
        "last": asdict(lines[-1]) if lines else None,
    }


def status_text(settings: Settings) -> str:
    """Say the same in words."""
    said = status_as_json(settings)
    lines = [f"Database:  {said['database']}", f"Detected:  {said['detected']}"]
    lines.append(f"Recorded:  {said['recorded'] or 'nothing'} (the newest is {said['newest']})")
    if said["blockers"]:
        lines.append(f"Upgrade:   refused: {said['blockers'][0]['message']}")
    else:
        lines.append(
            "Upgrade:   pending; daemon upgrade run" if said["pending"] else "Upgrade:   nothing to do"
        )
    lines.append(f"Held:      {said['hold']['reason'] if said['hold'] else 'no'}")
    running = running_text(find_running(settings)) or ("yes" if said["running"] else "no")
    lines.append(f"Running:   {running}")
    if said["last"]:
        lines.append(
            f"Last:      {said['last']['at']} {said['last']['event']} {said['last']['message']}".rstrip()
        )
    return "\n".join(lines)


def running_text(running: Running | None) -> str:
    """Say how far an upgrade of another process is: "verify, 64 %, about 3 s to go"; "" where none runs."""
    if running is None:
        return ""
    parts = [running.phase]
    parts += [f"{running.percent:.0f} %"] if running.percent is not None else []
    parts += [f"about {running.eta_seconds:.0f} s to go"] if running.eta_seconds is not None else []
    return ", ".join(parts)


def history(settings: Settings, *, with_operators: bool = False) -> tuple[HistoryLine, ...]:
    """Return every recorded line, of the database and of the journal, oldest first."""
    return read_history(settings, with_operators=with_operators)


def history_rows(lines: Sequence[HistoryLine]) -> list[tuple[object, ...]]:
    """Return a row for each upgrade, rollback, restore and claim, under HISTORY_COLUMNS."""
    return [
        (
            _minute(one.at),
            one.what,
            f"{one.from_version} -> {one.version}" if one.from_version else one.version,
            one.backup,
            one.by or None,
        )
        for one in operations_of(lines)
    ]


def hidden_by_upgrades(lines: Sequence[HistoryLine]) -> str:
    """Say which of the upgrades hid entries from strangers; "" where none did."""
    return "\n".join(
        f"The upgrade of {_minute(one.at)} hid from strangers what they saw before: "
        f"{hidden_in_words(one.hidden)}."
        for one in operations_of(lines)
        if one.hidden
    )


def _minute(at: str) -> str:
    return at.replace("T", " ")[:16]


def all_history_rows(lines: Sequence[HistoryLine]) -> list[tuple[object, ...]]:
    """Return a row for each recorded line, under ALL_HISTORY_COLUMNS."""
    return [
        (
            line.at,
            line.step or line.event,
            line.from_version,
            line.version,
            line.outcome or ("a claim" if line.event == "claim" else line.event),
            line.backup,
            line.duration_ms,
            line.tool_version,
            line.source,
            line.by or None,
            line.message,
        )
        for line in lines
    ]


def history_as_json(lines: Sequence[HistoryLine]) -> list[dict[str, Any]]:
    """Return the lines as JSON values."""
    return [asdict(line) for line in lines]


def hidden_in_words(counts: Mapping[str, int]) -> str:
    """Say how many entries of each kind: "12 entries (ideas: 10, books: 2)"."""
    total = sum(counts.values())
    kinds = ", ".join(f"{kind}: {count}" for kind, count in counts.items())
    return f"{total} {'entry' if total == 1 else 'entries'} ({one_line(kinds)})"
