"""Order of backups. Which is newer, and which number has the next one? Clocks may have been wrong."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from app.backup.manifest import Manifest
from app.backup.ownership import Whose


class Ordered(Protocol):
    """What of a backup says where it stands."""

    @property
    def name(self) -> str: ...
    @property
    def created_at(self) -> datetime: ...
    @property
    def whose(self) -> Whose: ...
    @property
    def manifest(self) -> Manifest | None: ...
    @property
    def number(self) -> int | None: ...


Each = TypeVar("Each", bound=Ordered)


def newest_first(backups: Iterable[Each]) -> list[Each]:
    """Return backups in their order: of each installation the newest first, this one's before all others.

    Their numbers tell what came later, for a clock may have been wrong. One without a number stands after
    those that were made by its time, and among its like by time and name.
    """
    groups: dict[tuple[int, str], list[Each]] = {}
    for backup in backups:
        groups.setdefault(_group(backup), []).append(backup)
    ordered: list[Each] = []
    for group in sorted(groups):
        numbered = [(one.created_at, one.number) for one in groups[group] if one.number is not None]
        ordered += sorted(groups[group], key=lambda one: _place(one, numbered), reverse=True)
    return ordered


def next_number(backups: Sequence[Ordered], made: int) -> int:
    """Return the number of this installation's next backup; its database counted ``made``."""
    numbers = [one.number for one in backups if one.whose == "this" and one.number is not None]
    return 1 + max(made, *numbers) if numbers else 1 + made


def _group(backup: Ordered) -> tuple[int, str]:
    """Which backups stand together: this one's, those of unknown ones, those of each other one."""
    if backup.whose != "another" or backup.manifest is None:
        return ("this", "unknown", "another").index(backup.whose), ""
    return 2, backup.manifest.installation or backup.manifest.database


def _place(backup: Ordered, numbered: list[tuple[datetime, int]]) -> tuple[int, bool, datetime, str]:
    if backup.whose == "unknown":  # they may be of several, so that their numbers tell nothing
        return 0, False, backup.created_at, backup.name
    if backup.number is not None:
        return backup.number, False, backup.created_at, backup.name
    before = max((number for at, number in numbered if at <= backup.created_at), default=0)
    return before, True, backup.created_at, backup.name
