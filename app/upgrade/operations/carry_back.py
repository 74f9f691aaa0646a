"""Rollback that keeps writes. How do rows written since an upgrade come into the database of before it?

Three private copies: *before* (the backup that is put back), *then* (before, upgraded again: the state when
the upgrade was done) and *now*. What differs between then and now was written since. It goes into before
through the steps' ways down; what the older schema cannot hold, or could not protect, is kept as JSON.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app import clock
from app.installation import TABLE as IDENTITY
from app.storage.registry import storage_at
from app.storage.schema import folded
from app.storage.types import Key, RowsOfCopy, StorageError, Value, Values
from app.upgrade.checks.allowed_changes import Allowed, allowed_by, contracts_of
from app.upgrade.detect.recognise import recognise
from app.upgrade.legacy.switches import are_old_servers, find_odd_switches, with_switches
from app.upgrade.model import Plan
from app.upgrade.operations.written_since import Change, WrittenSince
from app.upgrade.records.kept_writes import Counted, KeptRow, What
from app.upgrade.steps.apply import apply, make_room
from app.upgrade.steps.steps import repairs_for, steps_between

if TYPE_CHECKING:
    from pathlib import Path


CANNOT_HOLD = "the older schema has no place for it"
CANNOT_PROTECT = "the older version would show or allow what is not shown or allowed here"
CANNOT_READ = "the older version cannot read it; what it had before is there again"
HID_SINCE = "it was made private or took back rights since: the older version shows nothing of it"


@dataclass
class CarriedBack:
    """What went back and what is kept: rows by table and kind, and the rows themselves."""

    carried: Counted = field(default_factory=Counter)
    kept: list[KeptRow] = field(default_factory=list)
    whole: Counted = field(default_factory=Counter)  # kept, and not only a part of it
    unreadable: list[Value] = field(default_factory=list)  # accounts whose hash the older version cannot read
    installation: Values | None = None  # which one it is, where the older schema has no place for it

    @property
    def parts(self) -> int:
        """Of how many rows that went back a part is kept."""
        return len(self.kept) - self.whole.total()


def carry_back(before: Path, now: Path, then: Path, version: str) -> CarriedBack:
    """Put what was written since the upgrade to ``version`` into the copy ``before``; return what was done.

    ``now`` is the present state; ``then`` is where a copy of before is upgraded again. All three are private.
    Raises DaemonError and StorageError where a step fails or a copy cannot be read; the caller gives up then.
    """
    began = clock.stored(clock.now())
    plan = _upgraded_again(before, then, version)
    with (
        storage_at(then).reading_rows() as rows_then,
        storage_at(now).reading_rows() as rows_now,
        storage_at(before).changing_rows() as rows_before,
    ):
        return _Carrying(plan, rows_before, rows_then, rows_now, began).done()


def _upgraded_again(before: Path, then: Path, version: str) -> Plan:
    storage_at(before).copy_unseen(then)
    with storage_at(then).migration_connection() as migration:
        known = recognise(migration)
        steps = (*repairs_for(known), *steps_between(known, version))
        if are_old_servers(known):
            steps = with_switches(steps, find_odd_switches(migration))
        plan = Plan(known, version, steps)
        made_room = make_room(migration, version)
        set_aside = migration.drop_triggers()
        apply(migration, known, plan, made_room=made_room)
        migration.create_again(set_aside)
        migration.commit_durably()
    storage_at(then).make_self_contained()
    return plan


class _Carrying:
    """One carrying back: the three copies, and what the plan's contracts say."""

    def __init__(self, plan: Plan, before: RowsOfCopy, then: RowsOfCopy, now: RowsOfCopy, began: str) -> None:
        self.before, self.then, self.now = before, then, now
        self.allowed: Allowed = allowed_by(plan)
        contracts = contracts_of(plan.steps)
        self.old_names = {new: old for old, new in self.allowed.renamed.items()}
        self.derived = {name for one in contracts for name, way in one.down.items() if way == "derived"}
        self.written = WrittenSince(then, now, self.derived, began)
        self.readable = {
            tuple(place.split(".")): now.keys_where(place.partition(".")[0], rule)
            for place, rule in _merged([one.readable for one in contracts], " AND ").items()
        }
        withheld = _merged([one.withheld for one in contracts], " OR ")
        self.withheld = {table: self._withheld(now, table, rule) for table, rule in withheld.items()}
        self.withheld_then = {table: self._withheld(then, table, rule) for table, rule in withheld.items()}

    def done(self) -> CarriedBack:
        """Find out what can go back, by trying; then do it."""
        self._make_tables_of_since()
        changes = list(self.written.changes(self._newly_withheld))
        kept: dict[int, str] = {
            number: why for number, change in enumerate(changes) if (why := self._why_kept(change))
        }
        orphaned_before = self.before.orphaned() | self.now.orphaned()
        while True:
            with self.before.attempt():
                failed = self._carry(changes, kept)
                failed |= self._orphans(changes, kept, orphaned_before)
            if not failed:
                break
            kept |= failed
        self._carry(changes, kept)
        return self._told(changes, kept)

    # -- where it can go

    def _withheld(self, rows: RowsOfCopy, table: str, rule: str) -> set[Key]:
        return rows.keys_where(table, rule) if rows.name_of(table) else set()

    def _newly_withheld(self, table: str) -> set[Key]:
        name = folded(table)
        return self.withheld.get(name, set()) - self.withheld_then.get(name, set())

    def _place(self, table: str) -> str | None:
        """The table's name in the older database; None where it has another form there, or is none."""
        old = self.before.name_of(self.old_names.get(folded(table), table))
        if old is None or folded(table) in self.allowed.adopted:
            return None
        rows = self.now if self.now.name_of(table) else self.then
        key = tuple(self._old_column(table, column) for column in rows.key(table))
        return old if key == self.before.key(old) else None

    def _old_column(self, table: str, column: str) -> str | None:
        """What a column is called in the older database; None where the owner's of that name is another."""
        place = f"{folded(table)}.{folded(column)}"
        if place in self.old_names:
            return self.old_names[place].partition(".")[2]
        return None if place in self.allowed.renamed else column

    def _why_kept(self, change: Change) -> str:
        if self._place(change.table) is None:
            return CANNOT_HOLD
        if change.key in self._newly_withheld(change.table) and change.what == "changed":
            return HID_SINCE
        if change.key in self.withheld.get(folded(change.table), set()):
            return CANNOT_PROTECT
        return ""

    def _there(self, change: Change, row: Mapping[str, Value]) -> Values:
        """The part of a row that the older table has columns for, by their names there."""
        place = self._place(change.table)
        assert place is not None
        known = {folded(name): name for name in self.before.columns(place)}
        old = {name: folded(self._old_column(change.table, name) or "") for name in row}
        return {known[old[name]]: value for name, value in row.items() if old[name] in known}

    # -- doing it

    def _carry(self, changes: list[Change], kept: Mapping[int, str]) -> dict[int, str]:
        """Do it: what is removed first, then what is changed, then what is added. Returns what failed."""
        failed: dict[int, str] = {}
        order = {"removed": 0, "changed": 1, "added": 2}
        for number, change in sorted(enumerate(changes), key=lambda one: order[one[1].what]):
            try:
                if number in kept:
                    if kept[number] == HID_SINCE:
                        self._remove(change)
                elif change.what == "removed":
                    self._remove(change)
                else:
                    self._put(change)
            except StorageError as error:
                failed[number] = f"it does not fit there ({error})"
        return failed

    def _remove(self, change: Change) -> None:
        place = self._place(change.table)
        if place is not None:
            self.before.delete(place, change.key)

    def _put(self, change: Change) -> None:
        place = self._place(change.table)
        assert place is not None
        assert change.now is not None
        if change.what == "added":
            self.before.insert(place, self._there(change, change.now))
            return
        assert change.was is not None
        differing = set(self.written.differing(change.was, change.now)) - self._unreadable(change)
        row = self._there(change, {name: value for name, value in change.now.items() if name in differing})
        if row:
            self.before.update(place, change.key, row)

    def _unreadable(self, change: Change) -> set[str]:
        """The columns whose value the older version cannot read."""
        return {
            column
            for (table, column), keys in self.readable.items()
            if table == folded(change.table) and change.key not in keys
        }

    def _orphans(
        self, changes: list[Change], kept: Mapping[int, str], before: set[tuple[str, int | None, str, Value]]
    ) -> dict[int, str]:
        """What would leave a row that names one which is not there: the row, or the removal of the other."""
        new = self.before.orphaned() - before
        if not new:
            return {}
        rows = {(table, number) for table, number, _, _ in new}
        named = {(folded(parent), value) for _, _, parent, value in new}
        failed = {}
        for number, change in enumerate(changes):
            place = self._place(change.table)
            if number in kept or place is None:
                continue
            if change.what == "removed":
                if (folded(place), change.key[0]) in named:
                    failed[number] = "a row that could not be removed names it"
            elif (place, self.before.row_number(place, change.key)) in rows:
                failed[number] = "it belongs to a row that is kept"
        if not failed:
            raise StorageError(
                "rows", ValueError(f"rows would name what is not there: {sorted(map(str, new))}")
            )
        return failed

    def _make_tables_of_since(self) -> None:
        """Make the tables that the owner has made since the upgrade."""
        for table in self.now.tables():
            is_new = self.then.name_of(table) is None and self.before.name_of(table) is None
            if is_new and self.written.counts(table):
                self.before.make(self.now.statements_of(table))

    # -- telling it

    def _told(self, changes: list[Change], kept: Mapping[int, str]) -> CarriedBack:
        result = CarriedBack()
        for number, change in enumerate(changes):
            place = (change.table, change.what)
            if folded(change.table) == IDENTITY:  # it is nothing that somebody wrote
                result.installation = change.now if number in kept else None
                continue
            if number in kept:
                result.whole[place] += 1
                result.kept.append(self._kept_row(change, kept[number]))
                continue
            result.carried[place] += 1
            if change.now is not None:
                result.kept += self._kept_part(change, result)
        return result

    def _kept_row(self, change: Change, why: str) -> KeptRow:
        what: What = "added" if why == HID_SINCE else change.what
        was = None if what == "added" else self._without_moments(change.was)
        return KeptRow(change.table, change.key, what, was, change.now, why)

    def _without_moments(self, row: Values | None) -> Values | None:
        if row is None:
            return None
        return {name: value for name, value in row.items() if not self.written.is_of_the_run(value)}

    def _kept_part(self, change: Change, result: CarriedBack) -> Iterator[KeptRow]:
        """What of a row that was carried the older table has no column for, or its version cannot read."""
        assert change.now is not None
        was = change.was or {}
        unreadable = self._unreadable(change) & change.now.keys()
        place = self._place(change.table)
        assert place is not None
        columns = {folded(name) for name in self.before.columns(place)}
        written = self.written.differing(change.was, change.now) if change.was else list(change.now)
        beyond = {
            name
            for name in written
            if folded(self._old_column(change.table, name) or "") not in columns
            and f"{folded(change.table)}.{folded(name)}" not in self.derived
            and (change.now[name] is not None or change.was)
        }
        unread = unreadable & {*written} if change.was else set()
        if names := beyond | unread:
            yield KeptRow(
                change.table,
                change.key,
                "changed",
                {name: was.get(name) for name in names},
                {name: change.now[name] for name in names},
                CANNOT_READ if unread else CANNOT_HOLD,
            )
        if unreadable & {*written}:
            result.unreadable.append(change.now.get("username"))


def _merged(rules: Sequence[Mapping[str, str]], word: str) -> dict[str, str]:
    """One condition a name: what any step withholds is withheld, and readable is what every one can read."""
    names = dict.fromkeys(name for each in rules for name in each)
    return {name: word.join(f"({each[name]})" for each in rules if name in each) for name in names}
