"""Types of the storage protocol. Of which values and errors are a database engine's answers made?"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from app.errors import DaemonError, Refused
from app.progress import OnPages, say_nothing
from app.storage.holders import Holder
from app.storage.schema import Schema
from app.storage.typed_rows import Digests, WritableRows
from app.storage.typed_rows import Value as Value

if TYPE_CHECKING:
    import sqlalchemy

EngineName = Literal["sqlite", "postgresql"]
FileKind = Literal["missing", "empty", "database", "other"]
Row = tuple[Any, ...]
Key = tuple[Value, ...]
Values = dict[str, Value]
Orphaned = tuple[str, int | None, str, Value]
Parameters = Mapping[str, object]
NOTHING: Parameters = {}

REPLICAS = "replicas"
"""Under this, a connection that reads for the server has (in `info`) the `Replicas`, or None."""

STATE = "state"
"""Under this, a connection that reads for the server has (in `info`) the number of the state of the database
that it sees: another one in another state, and no other database's in this process. Two connections that see
the same state may have the same one. None where it is not known."""

# About the file, the disk or a lock, and (the last three) about what was asked: broken off by a signal, rows
# against a constraint, all else.
Reason = Literal[
    "busy", "full", "disk", "not_opened", "damaged", "not_a_database", "interrupted", "rows", "statement"
]
_ABOUT_WHAT_WAS_ASKED = ("interrupted", "rows", "statement")
_OF_DAMAGE = ("damaged", "not_a_database")


class StorageError(Exception):
    """What a database engine answered that it could not do; its text is the engine's own words.

    ``reason`` is the same word for every engine, ``orig`` the driver's own error.
    """

    def __init__(self, reason: Reason, orig: BaseException) -> None:
        super().__init__(str(orig))
        self.reason = reason
        self.orig = orig

    @property
    def is_of_the_place(self) -> bool:
        """Whether it is about the file, the disk or a lock, and not about what was asked in SQL."""
        return self.reason not in _ABOUT_WHAT_WAS_ASKED

    @property
    def is_damage(self) -> bool:
        """Whether it says that the file is damaged or is no database."""
        return self.reason in _OF_DAMAGE


class CommitUncertain(DaemonError):
    """COMMIT, or making it durable, ended with an error: only a look at the database tells what is there."""

    code = "commit_uncertain"


@dataclass(frozen=True)
class TableDigest:
    """How many rows, and one hash of them all. Equal digests: equal rows. Compare, do not store."""

    rows: int
    digest: str


@dataclass(frozen=True)
class Orphan:
    """A row that names a row which is not there; ``rowid`` is None in a table without one.

    ``problem`` is set, and the rest is empty, where the keys of a table could not be checked at all.
    """

    table: str
    rowid: int | None
    parent: str
    columns: tuple[str, ...] = ()
    problem: str = ""

    def sentence(self) -> str:
        """Say it in one line."""
        if self.problem:
            return f"the foreign keys of {self.table} cannot be checked: {self.problem}"
        row = "a row" if self.rowid is None else f"row {self.rowid}"
        return (
            f"{self.table}, {row}: {', '.join(self.columns)} names a row of {self.parent} that is not there"
        )


@dataclass(frozen=True)
class UnusableObject:
    """Something in a schema that this engine, as it is here, cannot use, though nothing of it is damaged.

    ``lacks`` names what it needs and is not here ("function", "title_sort"); without any, its very statement
    cannot be read, and ``problem`` is what the engine says of it.
    """

    what: str  # table | index | view | trigger
    name: str
    table: str
    problem: str
    lacks: tuple[tuple[str, str], ...] = ()

    def sentence(self) -> str:
        """Say it in one line, without its full stop."""
        if self.lacks:
            needs = ", ".join(f"the {kind} {name}" for kind, name in self.lacks)
            return f"the {self.what} {self.name} needs {needs}, which only the program that made it has"
        return f"the {self.what} {self.name} is written in SQL that is not understood here ({self.problem})"


@dataclass(frozen=True)
class Soundness:
    """What the engine's own check of every page and row found, sorted by what it means.

    ``damage`` is of pages: what was there may be lost. ``indexes`` are named whose entries are not those of
    their table: they can be made anew from it. ``content`` is of rows against NOT NULL, CHECK, UNIQUE or a
    type: each is there as it was written; ``content_rows`` has the keys of the first few rows of each line.
    ``not_proven`` says what could not be checked here, and why.
    """

    damage: tuple[str, ...] = ()
    indexes: tuple[str, ...] = ()
    content: tuple[str, ...] = ()
    not_proven: tuple[str, ...] = ()
    content_rows: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Mark:
    """What a database says of itself outside its tables: whose it is, and the number of its schema."""

    application_id: int
    schema_number: int


class StorageConnection(Protocol):
    """An open database of any version: what is asked of it, whatever its engine.

    Statements are SQL that every engine runs, their parameters named (``:name``). Every method raises
    StorageError. A table or column that is not there is not found, unless a method says otherwise.
    """

    @property
    def engine_name(self) -> EngineName:
        """Which engine it is."""

    def schema(self) -> Schema:
        """The schema, without the engine's own tables."""

    def digests(self) -> Digests:
        """Count and hash of every table's rows, the same for ever; none where a file's bytes tell as much."""

    def typed_rows(self) -> WritableRows:
        """All its rows, each value with its type; they are written within a transaction that may write."""

    def spelled(self, sheet: Schema) -> Schema:
        """A schema that a sheet says in SQLite's words, as `schema` finds it in a database that has it."""

    def mark(self) -> Mark:
        """What the database says of itself; zeros where it says nothing."""

    def has(self, kind: Literal["table", "index"], name: str) -> bool:
        """Whether there is a table or an index of that name, whatever its case."""

    def tables(self) -> tuple[str, ...]:
        """The tables that hold rows, by name, the owner's too; not the engine's own, nor virtual ones."""

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns that can be read, in their order; none where there is no such table."""

    def primary_key(self, table: str) -> tuple[str, ...]:
        """The columns of the primary key, in their order."""

    def count(self, table: str) -> int:
        """How many rows a table has. Raises StorageError where it is not there."""

    def counters(self) -> dict[str, int]:
        """The highest id that each table has given out, for tables that count."""

    def rows(self, statement: str, parameters: Parameters = ...) -> list[Row]:
        """All rows of a SELECT; bytes that are not UTF-8 become U+FFFD."""

    def each_row(self, statement: str, parameters: Parameters = ...) -> Iterator[Row]:
        """The rows of a SELECT, one by one, as `rows` gives them."""

    def as_written(self, table: str, columns: Iterable[str]) -> list[Row]:
        """These columns of a table, in the order in which its rows were written; a missing one is None."""

    def row_numbers(self, table: str) -> tuple[int, ...] | None:
        """A number for each row that it keeps whatever else changes; None where rows have none."""

    def digest(
        self, table: str, columns: Iterable[str], row_numbers: Iterable[int] | None = ...
    ) -> TableDigest:
        """Count and hash of these columns of a table, or of its rows with these numbers, in any order."""

    def soundness(self) -> Soundness:
        """What the engine's own check of every page and row found."""

    def unusable_objects(self) -> list[UnusableObject]:
        """What in the schema this engine, as it is here, cannot use though nothing is damaged."""

    def has_whole_schema(self) -> bool:
        """Whether the engine understood all of the schema; what it did not is among `unusable_objects`."""

    def placeholders(self) -> AbstractContextManager[None]:
        """While this lasts, something stands for what the owner's objects lack, so that rows can be read."""

    def orphans(self) -> list[Orphan]:
        """Every row whose foreign key names a row that is not there."""

    def orphans_count(self) -> int:
        """How many foreign keys lead nowhere; quicker than `orphans`."""

    def page_bytes(self) -> int:
        """The size of a page."""


class MigrationConnection(StorageConnection, Protocol):
    """One open transaction that holds the write lock."""

    @property
    def connection(self) -> sqlalchemy.Connection:
        """For what speaks SQLAlchemy."""

    @property
    def of_server(self) -> ServerMigration | None:
        """The same transaction, with what only a database on a server can do in it; None of a file."""

    def execute(self, statement: str, parameters: Parameters = ...) -> None:
        """Run a statement that changes something."""

    def tell_statements(self, listener: Callable[[str], None] | None) -> None:
        """Have ``listener`` called with the text of each statement that runs from now on; None: no more."""

    def set_mark(self, mark: Mark) -> None:
        """Write what the database says of itself."""

    def hold_tables(self) -> None:
        """See to it that no one writes a row of any table until the end, whatever lock he asks for."""

    def count_on(self) -> None:
        """Let ids that the database gives by itself go on above those that are there."""

    def drop_triggers(self) -> list[str]:
        """Drop every trigger and view; return the statements that make them again."""

    def create_again(self, statements: Iterable[str]) -> None:
        """Run what `drop_triggers` returned."""

    def rebuild_indexes(self, names: Iterable[str]) -> None:
        """Make these indexes anew from their tables."""

    def commit_durably(self) -> None:
        """Commit, and return when a power cut cannot undo it. Raises Busy, Refused, CommitUncertain."""


class MemoryTables(Protocol):
    """Tables in memory, for SQL on rows that are in no database; a row that is added has a number."""

    def columns(self, table: str) -> Sequence[str]:
        """The columns of a table; none where it is not there."""

    def rows(self, statement: str, parameters: Mapping[str, Any] = ...) -> Sequence[Sequence[Any]]:
        """The rows of a SELECT."""

    def execute(self, statement: str, parameters: Mapping[str, Any] = ...) -> object:
        """Change something."""

    def add(self, table: str, values: Values) -> int:
        """Put a row in; return its number."""

    def now(self, table: str, number: int, values: Values) -> Values | None:
        """Return what became of a row that was put in with these values; None where it is gone."""

    def close(self) -> None:
        """Forget all of it."""


class ServerMigration(MigrationConnection, Protocol):
    """What is asked within the transaction of a database on a server, and beside that of a file."""

    def set_note(self, text: str) -> None:
        """Write what is said of the whole database, as `StorageEngine.set_note`, in this transaction."""

    def make_schema(self, sheet: Schema) -> None:
        """Make the tables and indexes that a sheet says, in a database that has none of them."""


class ServingLock(Protocol):
    """Who may use the database now: servers, which share it, or one operator who upgrades or restores."""

    def serve(self, timeout_seconds: float = ...) -> None:
        """Take the database for serving. Raises Busy while an operator has it or waits for it, Refused."""

    def wanted(self) -> bool:
        """Whether an operator has the database or waits for it; for asking every moment."""

    def is_held(self) -> bool:
        """Whether what `serve` took is still held; for asking every moment."""

    def yield_(self) -> None:
        """Let an operator have the database; call it when every connection is closed."""

    def holders(self) -> list[Holder]:
        """Who has the database or waits for it, as far as that is told; this process is not named."""

    def find_refusal(self) -> Refused | None:
        """Why it could not be taken here, or None. Only looks."""

    def exclusive(self, timeout_seconds: float = ...) -> AbstractContextManager[None]:
        """Have the database alone; raises Busy when that does not come about in time, Refused."""


@dataclass
class Counted:
    """What stands for some names: until when, in seconds, and which moment it is now by the same clock."""

    now: float
    until: dict[str, float]


class SharedCounts(Protocol):
    """Moments by name that all processes which serve a database count together."""

    def changing(self, names: Sequence[str]) -> AbstractContextManager[Counted]:
        """What stands for these names; what it is changed to counts for everyone, unless the block raises."""

    def close(self) -> None:
        """Let go of the database."""


class SharedJobs(Protocol):
    """Work that only one of the processes which serve a database has to do."""

    def is_mine(self, job: str) -> bool:
        """Whether this process does it."""

    def close(self) -> None:
        """Leave all of it to others."""


class ExclusiveConnection(Protocol):
    """A live database that no one else reads or writes meanwhile. Methods raise StorageError."""

    @property
    def old_name(self) -> str:
        """What the database that was there is called on its server since `copy_in`; "" where it is gone."""

    def copy_out(self, target: Path, report: OnPages = say_nothing) -> Digests | None:
        """Copy the live database into the new file ``target``, which the caller syncs; as `copy_online`."""

    def copy_in(self, source: Path, report: OnPages = say_nothing) -> None:
        """Make the live database equal to the file ``source``, in one transaction.

        After an error it is as it was, unless the error came from the commit.
        """


class RowsOfCopy(Protocol):
    """A private copy of a database, row by row, each value as it is stored. Methods raise StorageError."""

    def tables(self) -> tuple[str, ...]:
        """The tables that hold rows, by name; neither the engine's own nor virtual ones."""

    def name_of(self, table: str) -> str | None:
        """The table's name as it is written here, whatever its case; None where there is none."""

    def columns(self, table: str) -> tuple[str, ...]:
        """The columns that hold values, in order."""

    def key(self, table: str) -> tuple[str, ...]:
        """The columns by which a row is found."""

    def hashes(self, table: str, columns: Iterable[str]) -> dict[Key, bytes]:
        """A hash of these columns for each row, by key."""

    def row(self, table: str, key: Key) -> Values | None:
        """A row, by column; None where there is none."""

    def keys_where(self, table: str, condition: str) -> set[Key]:
        """The keys of the rows `t` for which a condition of SQL holds."""

    def insert(self, table: str, row: Mapping[str, Value]) -> None:
        """Add a row."""

    def update(self, table: str, key: Key, row: Mapping[str, Value]) -> None:
        """Set these columns of a row."""

    def delete(self, table: str, key: Key) -> None:
        """Remove a row."""

    def statements_of(self, table: str) -> list[str]:
        """The statements that make a table and its indexes."""

    def make(self, statements: Iterable[str]) -> None:
        """Run statements that make a table."""

    def orphaned(self) -> set[Orphaned]:
        """Every foreign key that leads nowhere: table, row number, the other table, and the key it names."""

    def row_number(self, table: str, key: Key) -> int | None:
        """The number of a row; None in a table without them."""

    def attempt(self) -> AbstractContextManager[None]:
        """Take back what is done within, at its end: a trial."""


@dataclass(eq=False)
class WriteJob:
    """Something to be written in a transaction of its own, and what became of it."""

    do: Callable[[sqlalchemy.Connection], Any]
    value: Any = None
    error: Exception | None = None


class CommitNotes(Protocol):
    """Is told what commits of this process have changed; for any thread."""

    def number(self) -> int | None:
        """The number of the present state of the database; None where no one has asked for one yet."""

    def note(self, before: int, after: int, changes: tuple[Any, ...]) -> None:
        """Between the states of these numbers nothing was changed but this."""


class Writer(Protocol):
    """Gives a connection to one writer at a time; for any thread."""

    def tell_of_commits(self, told: CommitNotes) -> None:
        """Tell of each commit what it has changed (`RowChange`), where the engine knows that it was all.

        What it cannot know it tells nothing of.
        """

    def writing(self) -> AbstractContextManager[sqlalchemy.Connection]:
        """A connection that holds the write lock. What was done is on the disk when the block has ended.

        When the block raises, nothing of it is there; nor is it where the commit fails, which raises.
        """

    def paused(self) -> AbstractContextManager[None]:
        """See to it that this neither writes nor folds a log meanwhile. Raises Busy."""

    def write_each(self, jobs: Iterator[WriteJob]) -> list[WriteJob]:
        """Do each job as a block of `writing` would, one after the other; they may share a commit.

        Returns those that were taken, not always all: each has its error, and nothing of it is there, or its
        value, and it is on the disk. Raises where none could be begun.
        """

    def checkpoint(self) -> None:
        """Fold a log that is beside the database into it, where that holds no one up."""

    def scrub(self, tables: Sequence[str]) -> None:
        """See to it that nothing deleted is in the database any more, as far as its engine can tell.

        ``tables`` are those from which rows were deleted. Others wait meanwhile. Raises Busy where someone
        reads an older state for too long; it is to be done again then.
        """

    def break_off(self) -> None:
        """End what would wait for another machine for ever, and begin no more: the process is to end.

        Who waits is told Busy, and whether it was written is not known. May be called from any thread.
        """

    def close(self) -> None:
        """Let go of the database."""


class Replicas(Protocol):
    """Copies of the database elsewhere, each behind it by a time that is not known; for any thread."""

    def revision_of(self, table: str) -> sqlalchemy.ColumnElement[str]:
        """The column that names the version of a row of a table, alike in the database and its copies."""

    def texts(self, table: str, column: str, revisions: Mapping[int, str]) -> dict[int, str]:
        """Return, by id, the column of those versions of rows that a copy has. Raises nothing."""

    def close(self) -> None:
        """Let go of the copies."""


class Watch(Protocol):
    """Tells whether someone has committed; may be asked from any thread, one at a time."""

    def commits(self) -> int:
        """A number that is another one after a commit by anyone; comparable within one watch."""

    def close(self) -> None:
        """Let go of the database."""
