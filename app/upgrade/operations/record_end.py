"""End of an upgrade, recorded. What is written to journal, log and memory when the end is known?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from app import journal, log
from app.upgrade.checks.file_modes import narrow_files
from app.upgrade.legacy import visibility_changes
from app.upgrade.model import Outcome, Plan
from app.upgrade.records import auto_upgrade_block, last_attempt

if TYPE_CHECKING:
    from app.settings import Settings

_logger = log.get_logger(__name__)

_JOURNAL_EVENTS: dict[str, journal.JournalEvent] = {
    "done": "committed",
    "restored": "restored",
    "failed_unchanged": "failed",
    "interrupted": "failed",
    "uncertain": "failed",
}


@dataclass(frozen=True)
class Begun:
    """An upgrade whose beginning stands in the journal; ``highest_ids`` are those that it left."""

    plan: Plan
    started_at: str
    highest_ids: dict[str, int]


def from_version(plan: Plan) -> str:
    """Return what the history says it came from: the lowest version that it can have been."""
    return plan.current.recorded or plan.current.lowest or plan.current.label


def settle(settings: Settings, outcome: Outcome, begun: Begun | None) -> Outcome:
    """Write the end down. It informs only: what cannot be written now is a warning, not a failure.

    Returns the outcome, with what was done about files that others could read among its notes.
    """
    if outcome.state == "done":
        outcome = replace(outcome, notes=(*outcome.notes, *narrow_files(settings)))
    _write_to_log(settings, outcome)
    try:
        if outcome.state in ("done", "nothing_to_do"):
            auto_upgrade_block.clear_hold(settings)
            last_attempt.forget(settings)
        if begun is not None:
            _end_in_journal(settings, outcome, begun)
    except OSError as error:
        _logger.warning("the end of the upgrade could not be written down: %s", error)
    return outcome


def _end_in_journal(settings: Settings, outcome: Outcome, begun: Begun) -> None:
    journal.write_line(
        settings,
        _JOURNAL_EVENTS[outcome.state],
        from_version=from_version(begun.plan),
        to_version=begun.plan.target,
        backup=outcome.backup,
        message=outcome.message,
        started_at=begun.started_at,
        duration_ms=int(outcome.seconds * 1000),
        steps=[done.step.id for done in outcome.applied],
        highest_ids=begun.highest_ids,
        hidden=visibility_changes.by_kind(outcome.hidden_now),
    )


def _write_to_log(settings: Settings, outcome: Outcome) -> None:
    level = "info" if outcome.exit_code == 0 else "error"
    getattr(_logger, level)(
        "upgrade: %s",
        outcome.message,
        extra={
            "database": settings.database_name,
            "state": outcome.state,
            "backup": outcome.backup,
            "seconds": outcome.seconds,
            "notes": list(outcome.notes),  # of an upgrade at start no one else shows them
            "hidden_from_strangers": visibility_changes.by_kind(outcome.hidden_now),
        },
    )
