"""Waiting rows. Which rows that a rollback kept come back with an upgrade? Findings, before it is run."""

from __future__ import annotations

from collections.abc import Iterator

from app.upgrade.model import Problem
from app.upgrade.records.waiting_writes import Waiting, WaitingFile, in_words


def about_waiting(waiting: Waiting, *, is_pending: bool) -> Iterator[Problem]:
    """Yield a finding for each file with rows that wait, and for each that is not for this database."""
    for file in waiting.files:
        if file.by_table():
            yield _waits(file, is_pending)
    for note in waiting.notes:
        yield Problem("kept_rows_unreadable", note)


def _waits(file: WaitingFile, is_pending: bool) -> Problem:
    by_table = file.by_table()
    count = sum(by_table.values())
    rows, come, they = ("1 row", "comes", "it fits") if count == 1 else (f"{count} rows", "come", "they fit")
    when = "this upgrade" if is_pending else "the next upgrade"
    return Problem(
        "kept_rows",
        f"Of what the rollback of {file.kept.written_at} kept, {rows} ({in_words(by_table)}) {come} back "
        f"with {when}, as far as {they}; until then {'it is' if count == 1 else 'they are'} in {file.path}.",
        "" if is_pending else "To try now: daemon upgrade run --force",
    )
