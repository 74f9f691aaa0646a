"""Rendering. How is a plan or an outcome shown to people (text) and to programs (JSON)?

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
from app.upgrade.plan import exit_code_of
from app.upgrade.report.fold import ALIKE_SHOWN, folded_lines
from app.upgrade.report.status_text import all_history_rows, hidden_in_words

if TYPE_CHECKING:
    from app.upgrade.records.history import HistoryLine

HIDDEN_SHOWN = 20


# -- a plan --------------------------------------------------------------------------------------------------


def check_text(plan: Plan, *, everything: bool = False) -> str:
    """Say what the database is, whether it is sound, and what an upgrade would do and hide.

    ``everything``: each of many alike findings, and each entry that strangers would no longer see.
    """
    lines = [*_what_it_is(plan), *_verdict(plan), *_problems("In the way", plan.blockers, everything)]
    lines += _problems("To know", plan.warnings, everything)
    lines += _integrity(plan.current) if everything and plan.current.drift else ()
    return "\n".join([*lines, *_would_hide(plan.hidden or (), everything)])


def plan_text(plan: Plan, *, everything: bool = False) -> str:
    """Say the same, with every step."""
    return "\n".join([check_text(plan, everything=everything), *_steps(plan)])


def tracker_text(plan: Plan, lines: Sequence[HistoryLine], *, everything: bool = False) -> str:
    """Say the version, the integrity of the schema, the whole history and the path to the newest."""
    parts = [*_what_it_is(plan), *_integrity(plan.current), "", "History:"]
    rows = all_history_rows(lines)
    parts += [f"  {'  '.join('-' if cell is None else str(cell) for cell in row).rstrip()}" for row in rows]
    parts += [] if rows else ["  none recorded"]
    parts += ["", *_verdict(plan), *_steps(plan), *_problems("In the way", plan.blockers, everything)]
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
        users = counted(plan.rows.get("users", 0), "user", "users")
        entries = counted(plan.rows.get("data_entries", 0), "entry", "entries")
        yield f"Holds:     {users}, {entries}, {counted(sum(plan.rows.values()), 'row', 'rows')} in all"
    if known.kind == "daemon" and not any(problem.code == "damaged" for problem in plan.blockers):
        yield "Sound:     yes, every page was read"


def _verdict(plan: Plan) -> Iterator[str]:
    if plan.blockers:
        yield "An upgrade would be refused; nothing would be changed."
    elif plan.pending:
        disk = plan.needs.data_bytes + plan.needs.backup_bytes
        steps = counted(len(plan.steps), "step", "steps")
        yield f"An upgrade to {plan.target} is pending: {steps}, about {plan.needs.seconds:g} s."
        yield f"It needs {size_in_words(disk)} of disk for a while, its backup included."
        yield "To run it: daemon upgrade run"
    else:
        past = (
            "" if plan.current.recorded == plan.target else f" It is past {plan.target}, and is left there."
        )
        yield f"Nothing to do: the database is at {plan.current.recorded}.{past}"


def counted(count: int, one: str, many: str) -> str:
    """Say how many there are: "1 row", "2 rows"."""
    return f"{count} {one if count == 1 else many}"


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


def outcome_text(outcome: Outcome, *, everything: bool = False) -> str:
    """Say how it ended, what was kept, what is hidden now, and what to type next.

    ``everything``: each of many alike notes, and each entry that is hidden now.
    """
    lines = [
        outcome.message,
        *(f"  - {one_line(note)}" for note in folded_lines(outcome.notes, everything=everything)),
        *_hidden(outcome, everything),
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


def _would_hide(hidden: Sequence[Mapping[str, object]], everything: bool) -> Iterator[str]:
    if not hidden:
        return
    yield f"Hidden by it from strangers, who see them now: {hidden_in_words(by_kind(hidden))}."
    if everything:
        yield from (_hidden_entry(entry) for entry in hidden)
    else:
        yield "  Each of them, with the reason: --all. Nothing of them is lost; their owners see them."


def _hidden(outcome: Outcome, everything: bool) -> Iterator[str]:
    if not outcome.hidden_now:
        return
    counted = hidden_in_words(by_kind(outcome.hidden_now))
    yield f"  - Strangers could see them before, and not any more: {counted}:"
    shown = outcome.hidden_now if everything else outcome.hidden_now[:HIDDEN_SHOWN]
    yield from (_hidden_entry(entry) for entry in shown)
    if len(outcome.hidden_now) > len(shown):
        yield f"      and {len(outcome.hidden_now) - len(shown)} more; --all lists them"


def _hidden_entry(entry: Mapping[str, object]) -> str:
    return one_line(f"      {entry['kind']} {entry['id']} of {entry['owner'] or 'no owner'}: {entry['why']}")
