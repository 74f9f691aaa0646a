"""Soundness findings. Does damage, an index, a row against a rule or an unusable object stop an upgrade?

"Damaged" is said of pages alone. What this SQLite cannot use is named as what it is, and no one is told to
put an old backup over a database that is sound: that would cost what was written since.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from app.errors import Damaged, DriftFound, InvalidContent, UnusableSchema
from app.storage.registry import storage_for
from app.storage.schema import folded, quoted
from app.upgrade.model import Problem, problem_of
from app.upgrade.versions.expected_schema import our_tables

if TYPE_CHECKING:
    from app.settings import Settings
    from app.storage.types import Soundness, UnusableObject

FAULTS_SHOWN = 5


def blockers(settings: Settings, soundness: Soundness, unusable: Iterable[UnusableObject]) -> list[Problem]:
    """Return what stops an upgrade: damage, SQL that is not understood, what our tables need and lack."""
    found = [damaged(settings, listed(soundness.damage))] if soundness.damage else []
    return found + [_unusable(settings, one) for one in unusable if _is_in_the_way(one)]


def warnings(soundness: Soundness, unusable: Iterable[UnusableObject]) -> list[Problem]:
    """Return what its owner should know: rows against a rule, indexes to be made anew, what is not proven."""
    return [
        *_about_content(soundness),
        *(_about_index(name) for name in soundness.indexes),
        *(_about_what_is_the_owners(one) for one in unusable if not _is_in_the_way(one)),
    ]


def damaged(settings: Settings, what: str) -> Problem:
    """Return the finding that pages are damaged, with what says so."""
    return problem_of(
        Damaged,
        f"{settings.database_name} is damaged ({what}); it was left as it is.",
        "Put the newest good backup back: daemon backup list, then daemon backup restore NAME",
    )


def not_proven(settings: Settings, words: str) -> Problem:
    """Return the finding that it cannot be read as a whole, and that nothing says it is damaged."""
    return problem_of(
        UnusableSchema,
        f"{settings.database_name} cannot be read as a whole by SQLite {_version(settings)} ({words}); that "
        "it is damaged is not proven. It was left as it is.",
        "Read it with a newer SQLite; to keep its pages as they are: daemon backup create",
    )


def listed(faults: tuple[str, ...]) -> str:
    """Return the first of them in one line, and how many more there are."""
    more = f"; and {len(faults) - FAULTS_SHOWN} more" if len(faults) > FAULTS_SHOWN else ""
    return "; ".join(faults[:FAULTS_SHOWN]) + more


def unread_sentence(settings: Settings, one: UnusableObject) -> str:
    """Return what is the matter with an object whose statement is not understood."""
    return (
        f"The {one.what} {one.name}, {_whose(one)}, is written in SQL that SQLite {_version(settings)} "
        f"does not understand ({one.problem}), so that it takes no statement on this database; that anything "
        "is damaged is not proven"
    )


def unread_hint(one: UnusableObject) -> str:
    """Return what to do about it."""
    keep = "To keep every page as it is: daemon backup create"
    if folded(one.name) in _ours() or (folded(one.table) in _ours() and one.what == "table"):
        return f"Read it with a newer SQLite, or compare its text with that of a backup. {keep}"
    if one.what == "table":
        return f"Use a newer SQLite, or make the table anew with the program that made it. {keep}"
    drop = f"DROP {one.what.upper()} {quoted(one.name)}"
    return f"Use a newer SQLite, or drop it with the program that made it: {drop}. {keep}"


def _is_in_the_way(one: UnusableObject) -> bool:
    return not one.lacks or (folded(one.table) in _ours() and one.what in ("table", "index"))


def _unusable(settings: Settings, one: UnusableObject) -> Problem:
    if not one.lacks:
        return problem_of(UnusableSchema, f"{unread_sentence(settings, one)}.", unread_hint(one))
    of_table = f" {one.name} " if one.what == "table" else f" {one.name} on {one.table} "
    sentence = one.sentence().replace(f" {one.name} ", of_table, 1)
    what = f"{_with_capital(sentence)}: nothing can be written to {one.table} without it."
    if one.what == "index":
        drop = shlex.quote(f"DROP INDEX {quoted(one.name)}")
        place = shlex.quote(settings.database_name)
        hint = f"sqlite3 {place} {drop}   # that program can make it again afterwards"
    else:
        hint = f"Take that out of the table {one.name} with the program that put it there."
    return problem_of(UnusableSchema, what, hint)


def _about_what_is_the_owners(one: UnusableObject) -> Problem:
    said = _with_capital(one.sentence())
    message = f"{said}; it is yours and stays as it is, and its content is not proven."
    return problem_of(DriftFound, message, code="not_proven")


def _about_content(soundness: Soundness) -> list[Problem]:
    content = soundness.content
    if not content:
        return []
    counted = tuple(
        f"{line}{_which(soundness.content_rows.get(line, ()), count)}"
        for line, count in Counter(content).items()
    )
    rows = "A row does" if len(content) == 1 else f"{len(content)} rows do"
    message = f"{rows} not keep the rules of their table: {listed(counted)}. They are kept as they are."
    return [problem_of(InvalidContent, message, code="content")]


def _which(named: tuple[str, ...], count: int) -> str:
    """Which rows of a finding: those that are named, and how many more there are."""
    if not named:
        return f" ({count} rows)" if count > 1 else ""
    more = f" and {count - len(named)} more" if count > len(named) else ""
    which = ", ".join(named) + more
    return f" (row {which})" if len(named) == 1 and not more else f" (rows {which})"


def _about_index(name: str) -> Problem:
    return problem_of(
        DriftFound,
        f"The index {name} is not what its table holds; the rows are sound. An upgrade makes it anew.",
        "daemon upgrade run --repair",
        code="index",
    )


def _whose(one: UnusableObject) -> str:
    return "which is Daemon's own" if folded(one.name) in _ours() else "which is yours"


def _with_capital(sentence: str) -> str:
    return f"{sentence[0].upper()}{sentence[1:]}"


def _version(settings: Settings) -> str:
    return storage_for(settings.database_url).engine_version()


def _ours() -> frozenset[str]:
    return frozenset(our_tables())
