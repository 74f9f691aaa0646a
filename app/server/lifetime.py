"""Start and end of the server. What begins with the process, in which order, and what ends with it?"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from app import clock, log, temporary
from app.accounts import proxies
from app.privacy import patterns
from app.server import person_exports
from app.server.daily_backup import back_up_daily
from app.server.idempotency_cleaning import IdempotencyCleaning
from app.server.idle_checkpoint import IdleCheckpoint
from app.server.jobs import Job
from app.server.message_retention import MessageRetention
from app.server.operator_announcement import OperatorAnnouncement
from app.server.revision_retention import RevisionRetention
from app.server.state import ServerState
from app.settings import sqlite_tmpdir

SWITCH_SECONDS = 0.001  # so long at most the loop that answers everyone waits for a thread that computes
LOOK_AT_DISK_SECONDS = 30.0
AUDIT_SECONDS = 30.0
CHECKPOINT_SECONDS = 10.0
SCRUB_LOOK_SECONDS = 10.0
BACKUP_LOOK_SECONDS = 3600.0
JOB_LOOK_SECONDS = 1.0
CLOCK_LOOK_SECONDS = 3600.0
EXPORTS_SECONDS = 10.0
COPIES_SECONDS = 3600.0
LATER_SECONDS = 3.0  # after the start: what only clears away what is old, or writes what requests leave

_log = log.get_logger(__name__)


@contextmanager
def running(server: ServerState) -> Iterator[None]:
    """Run the server for as long as the block lasts; it begins at once, before the database was looked at.

    To be entered once. Sets up the log and, for the whole process, how soon a computing thread gives way.
    """
    sys.setswitchinterval(SWITCH_SECONDS)
    log.configure(server.settings, console=True)
    temporary.prefer(sqlite_tmpdir(), server.settings.backup_dir)
    temporary.clear_leftovers(server.settings.data_dir)
    for warning in server.settings.warnings:
        _log.warning(warning)
    if not patterns.is_installed():
        _log.warning(patterns.NOT_INSTALLED)
    seen = proxies.noted(server.settings, clock.now())
    if seen:
        _log.warning(proxies.in_words(seen))
    for job in jobs_of(server):
        server.jobs.add(job)
    server.supervisor.on_wait = OperatorAnnouncement(server.settings, server.operator_token).see_to_it
    server.supervisor.start()  # the socket opens now: who comes early waits, and is not turned away
    server.jobs.start()
    try:
        yield
    finally:
        with server.supervisor.ending():
            server.operations.close()
            server.exports.close()
            server.jobs.stop()
            server.supervisor.stop()
        if server.shared_counts is not None:
            server.shared_counts.close()
        server.writes.close()
        server.list_workers.close()
        server.hashing.close()
        server.hashing_at_known_places.close()


def jobs_of(server: ServerState) -> list[Job]:
    """Return what the server does by itself, whichever doors it has."""
    writing = Job("write health", LOOK_AT_DISK_SECONDS, server.supervisor.write_health.look)
    is_mine = server.supervisor.is_mine  # of several processes that serve the database one does it
    texts = Job(
        "text search", JOB_LOOK_SECONDS, server.text_backfill.step, is_wanted=lambda: is_mine("text search")
    )
    search = Job(
        "search index", JOB_LOOK_SECONDS, server.search_upkeep.step, is_wanted=lambda: is_mine("text search")
    )
    place_and_time = Job(  # both are noted whenever the database is opened
        "place and time",
        CLOCK_LOOK_SECONDS,
        server.supervisor.note_place_and_time,
        first_after_seconds=CLOCK_LOOK_SECONDS,
    )
    fold = Job("checkpoint", CHECKPOINT_SECONDS, IdleCheckpoint(server.supervisor).look)
    scrub = Job("scrubbing", SCRUB_LOOK_SECONDS, server.scrubbing.look)
    copies = Job(
        "copies left",
        COPIES_SECONDS,
        server.supervisor.clear_leftovers,
        is_wanted=lambda: is_mine("scrubbing"),
    )
    ledger = server.ai_ledger
    read = Job("ai ledger", JOB_LOOK_SECONDS, ledger.write, is_wanted=ledger.has_some, at_end=ledger.write)
    leaving = Job("departures", JOB_LOOK_SECONDS, server.departing.look)
    hooks = server.webhooks
    sent = Job("webhooks", JOB_LOOK_SECONDS, hooks.look, at_end=hooks.stop)
    always = [writing, read, texts, search, place_and_time, fold, scrub, copies, sent, leaving]
    always += _clearing(server)
    if not server.settings.backup_enabled:
        return always

    def back_up() -> None:
        back_up_daily(server.settings)

    # an installation that no one has claimed has nothing to lose yet
    backup = Job(
        "backup", BACKUP_LOOK_SECONDS, back_up, is_wanted=lambda: server.is_claimed and is_mine("backup")
    )
    return [*always, backup]


def _clearing(server: ServerState) -> list[Job]:
    """Return what clears away what is old, and what writes the audit of the minutes that are over."""
    keeping_up = partial(Job, every_seconds=AUDIT_SECONDS, first_after_seconds=LATER_SECONDS)
    audit, settings, supervisor = server.pending_audit, server.settings, server.supervisor
    return [
        keeping_up("audit", work=audit.keep_up, at_end=audit.write),
        keeping_up("revisions", work=RevisionRetention(settings, supervisor).clear),
        keeping_up("messages", work=MessageRetention(settings, supervisor).clear),
        keeping_up("idempotency keys", work=IdempotencyCleaning(supervisor).clear),
        keeping_up("ai ledger, old", work=server.ai_ledger.clear),
        keeping_up("webhooks, old", work=server.webhooks.clear),
        keeping_up("operator token", work=lambda: server.operator_token.clear(clock.now())),
        keeping_up("exports", every_seconds=EXPORTS_SECONDS, work=partial(person_exports.clear, server)),
    ]
