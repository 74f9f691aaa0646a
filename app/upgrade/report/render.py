"""Rendering. How is a plan, an outcome or a history shown to people (text) and to programs (JSON)?

The JSON shapes are those of the frozen values in `app.upgrade.model`, member for member; members are added in
later versions, never taken away.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING, Any

from app import __version__
from app.control_characters import one_line
from app.sizes import size_in_words
from app.upgrade.legacy.visibility_changes import by_kind
from app.upgrade.model import Outcome, Plan, Problem, Recognition
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
HIDDEN_SHOWN = 20
ALIKE_SHOWN = 3  # more findings of one code are one line with their count


# -- a plan --------------------------------------------------------------------------------------------------


def check_text(plan: Plan, *, everything: bool = False) -> str:
    """Say what the database is, whether it is sound, and what an upgrade would do and hide.

    ``everything``: each entry that strangers would no longer see, not only how many of each kind.
    """
    lines = [*_what_it_is(plan), *_verdict(plan), *_problems("In the way", plan.blockers, everything)]
    lines += _problems("To know", plan.warnings, everything)
    return "\n".join([*lines, *_would_hide(plan.hidden or (), everything)])


def plan_text(plan: Plan, *, everything: bool = False) -> str:
    """Say the same, with every step."""
    return "\n".join([check_text(plan, everything=everything), *_steps(plan)])


def tracker_text(plan: Plan, lines: Sequence[HistoryLine]) -> str:
    """Say the version, the integrity of the schema, the whole history and the path to the newest."""
    parts = [*_what_it_is(plan), *_integrity(plan.current), "", "History:"]
    rows = all_history_rows(lines)
    parts += [f"  {'  '.join(_cell(cell) for cell in row).rstrip()}" for row in rows] or ["  none recorded"]
    parts += ["", *_verdict(plan), *_steps(plan), *_problems("In the way", plan.blockers)]
    return "\n".join(parts)


def plan_as_json(plan: Plan) -> dict[str, Any]:
    """Return a plan as JSON values."""
    said = asdict(plan)
    said["pending"] = plan.pending
    said["exit_code"] = exit_code_of(plan)
    said["sound"] = _is_sound(plan)
    said["hidden_by_kind"] = by_kind(plan.hidden or ())
    said["tool_version"] = __version__
    return said


def _is_sound(plan: Plan) -> bool | None:
    """Whether its pages are whole; None of what is no database, and of what could not be read."""
    if any(problem.code == "damaged" for problem in plan.blockers):
        return False
    return True if plan.current.kind in ("daemon", "newer") else None


def _what_it_is(plan: Plan) -> Iterator[str]:
    known = plan.current
    yield f"Detected:  {known.label}"
    recorded = known.recorded or (f"{known.claims[-1].version} (a claim)" if known.claims else "nothing")
    if known.kind == "daemon":
        yield f"Recorded:  {recorded}"
        entries, users = plan.rows.get("data_entries", 0), plan.rows.get("users", 0)
        yield f"Holds:     {users} users, {entries} entries, {sum(plan.rows.values())} rows in all"
    if known.kind == "daemon" and not any(problem.code == "damaged" for problem in plan.blockers):
        yield "Sound:     yes, every page was read"


def _verdict(plan: Plan) -> Iterator[str]:
    if plan.blockers:
        yield "An upgrade would be refused; nothing would be changed."
    elif plan.pending:
        disk = plan.needs.data_bytes + plan.needs.backup_bytes
        count, seconds = len(plan.steps), plan.needs.seconds
        yield f"An upgrade to {plan.target} is pending: {count} steps, about {seconds:g} s."
        yield f"It needs {size_in_words(disk)} of disk for a while, its backup included."
        yield "To run it: daemon upgrade run"
    else:
        past = (
            "" if plan.current.recorded == plan.target else f" It is past {plan.target}, and is left there."
        )
        yield f"Nothing to do: the database is at {plan.current.recorded}.{past}"


def _steps(plan: Plan) -> Iterator[str]:
    if plan.steps:
        yield f"The path to {plan.target}:"
    for number, step in enumerate(plan.steps, 1):
        yield f"  {number}. {step.title} ({step.id})"


def _problems(heading: str, problems: Sequence[Problem], everything: bool = False) -> Iterator[str]:
    if problems:
        yield f"{heading}:"
    for code, found in groupby(problems, key=lambda problem: problem.code):
        alike = list(found)
        is_short = everything or len(alike) <= ALIKE_SHOWN
        for problem in alike if is_short else alike[:1]:
            yield f"  - {one_line(problem.message)}"
            if problem.hint:
                yield f"    {problem.hint}"
        if not is_short:
            yield f"    and {len(alike) - 1} more of this kind ({code}); --all lists them"


def _integrity(known: Recognition) -> Iterator[str]:
    if known.kind != "daemon":
        yield "Schema integrity: not a Daemon schema"
        return
    yield "Schema integrity: " + ("as known" if not known.drift else f"{len(known.drift)} differences")
    for one in known.drift:
        yield one_line(f"  {one.kind}: {one.what} {one.name}" + (f" ({one.detail})" if one.detail else ""))
    for extra in known.extras:
        more = f" ({extra.detail})" if extra.detail else ""
        yield one_line(f"  yours: {extra.what} {extra.name}{more}")
    if known.contradiction:
        yield f"  {known.contradiction}"


# -- how a run ended -----------------------------------------------------------------------------------------


def outcome_text(outcome: Outcome) -> str:
    """Say how it ended, what was kept, what is hidden now, and what to type next."""
    lines = [
        outcome.message,
        *(f"  - {one_line(note)}" for note in outcome.notes),
        *_hidden(outcome),
        *_holders(outcome),
    ]
    if outcome.hint:
        lines.append(outcome.hint)
    return "\n".join(lines)


def outcome_as_json(outcome: Outcome) -> dict[str, Any]:
    """Return an outcome as JSON values; the plan within as `plan_as_json` gives it."""
    said = asdict(outcome)
    said["plan"] = plan_as_json(outcome.plan) if outcome.plan else None
    return said


def _holders(outcome: Outcome) -> Iterator[str]:
    """Who holds the database, where that is why nothing was done."""
    found = outcome.details.get("holders")
    for one in found if isinstance(found, list) else []:
        yield one_line(f"  held by {one}")


def hidden_in_words(counts: Mapping[str, int]) -> str:
    """Say how many entries of each kind: "12 entries (10 ideas, 2 books)"."""
    total = sum(counts.values())
    kinds = ", ".join(f"{count} {kind}" for kind, count in counts.items())
    return f"{total} {'entry' if total == 1 else 'entries'} ({one_line(kinds)})"


def _would_hide(hidden: Sequence[Mapping[str, object]], everything: bool) -> Iterator[str]:
    if not hidden:
        return
    yield f"Hidden by it from strangers, who see them now: {hidden_in_words(by_kind(hidden))}."
    if everything:
        yield from (_hidden_entry(entry) for entry in hidden)
    else:
        yield "  Each of them, with the reason: --all. Nothing of them is lost; their owners see them."


def _hidden(outcome: Outcome) -> Iterator[str]:
    if not outcome.hidden_now:
        return
    counted = hidden_in_words(by_kind(outcome.hidden_now))
    yield f"  - Strangers could see them before, and not any more: {counted}:"
    yield from (_hidden_entry(entry) for entry in outcome.hidden_now[:HIDDEN_SHOWN])
    if len(outcome.hidden_now) > HIDDEN_SHOWN:
        yield f"      and {len(outcome.hidden_now) - HIDDEN_SHOWN} more (--json lists them all)"


def _hidden_entry(entry: Mapping[str, object]) -> str:
    return one_line(f"      {entry['kind']} {entry['id']} of {entry['owner'] or 'no owner'}: {entry['why']}")


# -- status and history --------------------------------------------------------------------------------------


def status_as_json(settings: Settings) -> dict[str, Any]:
    """Return where things stand: version, pending or not, the hold, the last of the history. Looks only."""
    plan = make_plan(settings)
    held = auto_upgrade_block.find_hold(settings)
    lines, running = read_history(settings), find_running(settings)
    return {
        "tool_version": __version__,
        "newest": NEWEST,
        "database": str(settings.database_path),
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


def _cell(value: object) -> str:
    return "-" if value is None else str(value)
