"""Health check: database, disk, clock, backups and installed parts of an installation. Looks only."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from app import clock, installation
from app.backup.catalog import find_newest_good, list_backups
from app.backup.ownership import Identity
from app.clock_leap import CLOCKS_DIFFER, CONFIRM, doubt
from app.doctor.findings import Finding, Severity
from app.errors import DaemonError
from app.installation import Installation
from app.privacy import patterns
from app.settings import Settings
from app.storage.registry import storage_for
from app.upgrade.detect.identity import known_of
from app.upgrade.detect.recognise import describe
from app.upgrade.model import Plan, Problem
from app.upgrade.operations.journal_mode import ROLLBACK, find_wal_refusal
from app.upgrade.plan import make_plan

BACKUP_IS_OLD = timedelta(days=7)
FIRST_RELEASE = datetime(2025, 1, 1)  # no clock that is right is before it
OF_THE_UPGRADE_ALONE = frozenset({"hold", "claim", "words_not_heard"})


def findings_of(settings: Settings) -> Iterator[Finding]:
    """Yield what is to be said of database, disk, clock, backups and what is not installed."""
    plan = make_plan(settings)
    yield from _of_plan(plan)
    identity, found = known_of(settings)
    yield from _of_clock(settings, identity)
    if missing := patterns.missing():
        yield Finding("patterns", "advice", f"{missing}.", "pip install google-re2")
    if plan.current.kind == "daemon":
        yield from _of_installation(settings, found)
        yield from _of_journal(settings)
        yield from _of_backups(settings, identity)


def _of_plan(plan: Plan) -> Iterator[Finding]:
    for problem in plan.blockers:
        yield _finding(problem, "danger")
    for problem in plan.warnings:
        yield _finding(problem, "advice" if problem.code in OF_THE_UPGRADE_ALONE else "old")
    if plan.pending and not plan.blockers:
        yield Finding(
            "upgrade_pending",
            "old",
            f"The database is at {plan.current.recorded or plan.current.label}; {plan.target} is the newest.",
            "daemon upgrade check",
        )


def _finding(problem: Problem, severity: Severity) -> Finding:
    return Finding(problem.code, severity, problem.message, problem.hint)


def _of_clock(settings: Settings, identity: Identity) -> Iterator[Finding]:
    now = clock.now()
    if now.replace(tzinfo=None) < FIRST_RELEASE:
        yield Finding(
            "clock", "danger", f"The clock says {now:%Y-%m-%d}, which is past.", "timedatectl status"
        )
        return
    try:
        backups = list_backups(settings, hashing=False, identity=identity)
        newest = max((each.created_at for each in backups if each.whose != "another"), default=None)
    except DaemonError:
        return  # the backup folder is a finding of its own
    if newest is not None and newest > now + CLOCKS_DIFFER:
        yield Finding(
            "clock",
            "danger",
            f"The newest backup was made at {clock.rfc3339(newest)}, and the clock says {clock.rfc3339(now)}:"
            " one of them is wrong.",
            "timedatectl status",
        )


def _of_installation(settings: Settings, found: Installation | None) -> Iterator[Finding]:
    if found is None:
        return
    if question := found.question(installation.here(settings.database_path)):
        yield Finding("seen_elsewhere", "danger", question, installation.QUESTION_HINT)
    if said := doubt(found.clock, clock.now()):
        yield Finding("clock", "danger", said, f"timedatectl status   # if it is right: {CONFIRM}")


def _of_journal(settings: Settings) -> Iterator[Finding]:
    storage = storage_for(settings.database_url)
    if storage.journal_mode() == ROLLBACK and find_wal_refusal(storage, settings.data_dir) is None:
        words = "The database keeps a rollback journal: who reads waits for who writes."
        yield Finding("rollback_journal", "advice", words, "daemon database wal")


def _of_backups(settings: Settings, identity: Identity) -> Iterator[Finding]:
    now = clock.now()
    try:
        newest = find_newest_good(settings, now + CLOCKS_DIFFER, identity)
        backups = list_backups(settings, describe=describe, hashing=False, identity=identity)
        has_any = bool(newest or [one for one in backups if one.whose != "another"])
    except DaemonError as error:
        yield Finding("backups", "danger", error.message, error.hint)
        return
    if newest is not None and now - newest.created_at <= BACKUP_IS_OLD:
        return
    if newest is not None:
        message = f"The newest good backup is {(now - newest.created_at).days} days old."
    elif has_any:
        message = "None of the backups is known to be good."
    else:
        message = "There is no backup."
    yield Finding("no_recent_backup", "danger", message, "daemon backup create")
