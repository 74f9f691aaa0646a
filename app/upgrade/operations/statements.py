"""SQL of an upgrade. Which statements would its steps run? Found by running them on a copy."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy import event

from app.storage.registry import storage_for
from app.upgrade.operations.rehearse import copy_of
from app.upgrade.steps.apply import apply, make_room

if TYPE_CHECKING:
    from app.progress import Event
    from app.settings import Settings
    from app.storage.types import MigrationConnection
    from app.upgrade.model import Plan

BEGIN = {"sqlite": "BEGIN IMMEDIATE;", "postgresql": "BEGIN;"}
COMMIT = "COMMIT;"
_READING = re.compile(r"\s*(SELECT|WITH|EXPLAIN|BEGIN|PRAGMA\s+\w+\s*(\(.*\))?\s*$)", re.IGNORECASE)
_LITERAL = re.compile(r"'(?:[^']|'')*'|\b\d+(?:\.\d+)?\b")


def statements_of(settings: Settings, plan: Plan) -> tuple[str, ...]:
    """Return what the steps of ``plan`` would run, in order, as texts of SQL; nothing where it is blocked.

    A line "-- ID: TITLE" stands before each step; statements that only read are left out, and of alike ones
    in a row the first stands for all, with their count. The database itself is only looked at. Raises OSError
    and StorageError where no copy can be made, DaemonError where a step fails on it.
    """
    if plan.blockers or not plan.pending:
        return ()
    record = _Record()
    with (
        copy_of(settings) as copy,
        storage_for(copy.database_url).migration_connection() as migration,
        record.of(migration),
    ):
        record.say("-- before the steps: names make room, views and triggers rest")
        made_room = make_room(migration, plan.target)
        set_aside = migration.drop_triggers()
        apply(migration, plan.current, plan, record.step, made_room=made_room)
        record.say("-- after the steps: views and triggers again")
        migration.create_again(set_aside)
    return (BEGIN[migration.engine_name], *record.lines(), COMMIT)


@dataclass
class _Record:
    """What was run so far: texts, and how often each ran in a row."""

    found: list[tuple[str, int]] = field(default_factory=list)
    is_announced: bool = False  # SQLAlchemy has told the statement that the engine is about to tell

    @contextmanager
    def of(self, migration: MigrationConnection) -> Iterator[None]:
        """Hear every statement of the connection, no matter who runs it."""
        connection = migration.connection
        event.listen(connection, "before_cursor_execute", self._from_sqlalchemy)
        event.listen(connection, "after_cursor_execute", self._after_sqlalchemy)
        migration.tell_statements(self._from_engine)
        try:
            yield
        finally:
            migration.tell_statements(None)

    def step(self, told: Event) -> None:
        """Note which step begins."""
        self.say(f"-- {told.details['id']}: {told.message}")

    def say(self, line: str) -> None:
        self.found.append((line, 1))

    def lines(self) -> Iterator[str]:
        """Yield the texts, each with its end."""
        for text, count in self.found:
            more = f"  -- and {count - 1} more like it" if count > 1 else ""
            yield text if text.startswith("--") else f"{text};{more}"

    def _from_sqlalchemy(
        self, connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, executemany: bool
    ) -> None:
        self.is_announced = True
        self._add(statement, len(parameters) if executemany else 1)

    def _after_sqlalchemy(self, *_: Any) -> None:
        self.is_announced = False

    def _from_engine(self, statement: str) -> None:
        if not self.is_announced and not statement.startswith("--"):
            self._add(statement, 1)

    def _add(self, statement: str, count: int) -> None:
        if _READING.match(statement):
            return
        text = textwrap.dedent(statement).strip()
        if self.found and _alike(self.found[-1][0], text):
            first, before = self.found[-1]
            self.found[-1] = (first, before + count)
        else:
            self.found.append((text, count))


def _alike(one: str, other: str) -> bool:
    """Whether two statements differ in their values only."""
    return one == other or _LITERAL.sub("?", one) == _LITERAL.sub("?", other)
