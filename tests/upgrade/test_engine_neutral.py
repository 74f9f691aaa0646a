"""Does what an upgrade asks of a database of ours need no SQLite? Asked of one that is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from typing import Literal

from app.storage.schema import Schema
from app.storage.typed_rows import Digests, WritableRows
from app.storage.types import (
    NOTHING,
    EngineName,
    Mark,
    Orphan,
    Parameters,
    Row,
    Soundness,
    StorageConnection,
    TableDigest,
    UnusableObject,
)
from app.upgrade.checks import verify
from app.upgrade.checks.allowed_changes import Allowed
from app.upgrade.detect.recognise import describe, is_newest, recognise
from app.upgrade.records.history import last_upgrade, rows_of_history
from app.upgrade.steps.steps import steps_between
from app.upgrade.versions.expected_schema import schema_at
from app.upgrade.versions.releases import APPLICATION_ID, NEWEST, SCHEMA_VERSIONS

FIRST_OF_OURS = SCHEMA_VERSIONS[1]


@dataclass
class OtherEngine:
    """A database of ours at a version, on an engine that is not SQLite: values, and no driver."""

    version: str
    held: dict[str, int] = field(default_factory=lambda: {"users": 2})
    engine_name: EngineName = "sqlite"  # by the words in which it says its schema

    def spelled(self, sheet: Schema) -> Schema:
        return sheet

    def schema(self) -> Schema:
        return schema_at(self.version)

    def mark(self) -> Mark:
        number = next(row.user_version for row in SCHEMA_VERSIONS if row.version == self.version)
        return Mark(APPLICATION_ID, number)

    def has(self, kind: Literal["table", "index"], name: str) -> bool:
        return name in (self.schema().tables if kind == "table" else self.schema().indexes)

    def tables(self) -> tuple[str, ...]:
        return tuple(self.schema().tables)

    def columns(self, table: str) -> tuple[str, ...]:
        found = self.schema().tables.get(table)
        return tuple(found.columns) if found else ()

    def primary_key(self, table: str) -> tuple[str, ...]:
        return ("id",)

    def count(self, table: str) -> int:
        return self.held.get(table, 0)

    def counters(self) -> dict[str, int]:
        return {}

    def rows(self, statement: str, parameters: Parameters = NOTHING) -> list[Row]:
        raise AssertionError(f"nothing asks it in SQL: {statement}")

    def each_row(self, statement: str, parameters: Parameters = NOTHING) -> Iterator[Row]:
        raise AssertionError(f"nothing asks it in SQL: {statement}")

    def as_written(self, table: str, columns: Iterable[str]) -> list[Row]:
        line = {
            "version": self.version,
            "applied_at": "2026-01-01 00:00:00",
            "outcome": "done",
            "is_claim": 0,
        }
        line |= {"backup_file": "backup_1.db"}
        return [tuple(line.get(column) for column in columns)]

    def row_numbers(self, table: str) -> tuple[int, ...] | None:
        return None

    def digest(
        self, table: str, columns: Iterable[str], row_numbers: Iterable[int] | None = None
    ) -> TableDigest:
        return TableDigest(self.count(table), " ".join(columns))

    def digests(self) -> Digests:
        return {}

    def typed_rows(self) -> WritableRows:
        raise NotImplementedError

    def soundness(self) -> Soundness:
        return Soundness()

    def unusable_objects(self) -> list[UnusableObject]:
        return []

    def has_whole_schema(self) -> bool:
        return True

    def placeholders(self) -> AbstractContextManager[None]:
        return nullcontext()

    def orphans(self) -> list[Orphan]:
        return []

    def orphans_count(self) -> int:
        return 0

    def page_bytes(self) -> int:
        return 8192


def test_it_is_recognised_by_its_schema_and_its_history() -> None:
    newest: StorageConnection = OtherEngine(NEWEST)
    assert is_newest(newest)
    assert recognise(newest).recorded == NEWEST
    assert describe(newest).version_label == NEWEST
    older = recognise(OtherEngine(FIRST_OF_OURS.version))
    assert (older.kind, older.recorded, older.exact) == ("daemon", FIRST_OF_OURS.version, True)
    wanted = [row.revision for row in SCHEMA_VERSIONS[SCHEMA_VERSIONS.index(FIRST_OF_OURS) + 1 :]]
    assert [step.id for step in steps_between(older, NEWEST)] == wanted


def test_its_history_tells_the_last_upgrade() -> None:
    line = last_upgrade(rows_of_history(OtherEngine(NEWEST)))
    assert line is not None
    assert (line.version, line.backup) == (NEWEST, "backup_1.db")


def test_what_is_lost_or_changed_is_found() -> None:
    database = OtherEngine(NEWEST)
    before = verify.measure(database, (), Allowed())
    assert verify.compare(database, before) == []
    assert verify.schema_faults(database, NEWEST) == []
    database.held["users"] = 1
    assert verify.compare(database, before) == ["table users had 2 rows and has 1"]
