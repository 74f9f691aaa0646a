"""Storage protocol. What must a database engine be able to do for this project?

`StorageEngine` is that list; `app.storage.types` has the values that its answers are made of, and
`app.storage.registry` finds the engine of a URL. What is particular to one engine is in a folder of its
name: SQLite and PostgreSQL. What they do otherwise is listed in docs/house.md.

Unless a method says otherwise it raises StorageError, with the driver's own error in it, and the system's
OSError as it is; `app.storage.failures` makes one sentence of each.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from app.errors import DaemonError, Refused
from app.full_text import FullText
from app.progress import OnPages
from app.storage.typed_rows import Digests
from app.storage.types import (
    EngineName,
    ExclusiveConnection,
    FileKind,
    MigrationConnection,
    Replicas,
    RowsOfCopy,
    ServingLock,
    SharedCounts,
    SharedJobs,
    StorageConnection,
    Watch,
    Writer,
)

if TYPE_CHECKING:
    import sqlalchemy


class StorageEngine(Protocol):
    """A database at its place. Making one of these opens nothing and writes nothing."""

    path: Path

    @property
    def engine_name(self) -> EngineName:
        """Which engine it is."""

    def process_lock(self) -> ServingLock:
        """The lock between servers and operators; making one opens nothing."""

    # -- said of it as a whole, in no row of it

    def note(self) -> str:
        """What is noted with the database, "" where nothing is."""

    def set_note(self, text: str) -> None:
        """Note it, durable when this returns; "" takes the note away."""

    # -- from outside, without opening it

    def file_kind(self) -> FileKind:
        """What is at the place, by its first bytes only. Raises OSError where they cannot be read, Refused
        where it is no file."""

    def find_misplacement(self) -> Refused | None:
        """Why no database can be in the place, where something else is there: a folder, a link to nowhere."""

    def find_refusal(self) -> Refused | None:
        """Why this account may not write the existing database, what belongs to it, its folder; or None."""

    def left_behind(self) -> list[Path]:
        """Logs and journals that are beside the place of a database which is not there."""

    def companions(self) -> list[Path]:
        """The files beside the database that belong to it and are there."""

    def writes_beside(self) -> list[Path]:
        """Those of the companions that may hold writes which the database's own file has not."""

    def size_bytes(self) -> int:
        """How large it is, with what is in its log and is not yet in its file. Raises OSError."""

    def missing_bytes(self) -> int:
        """How much shorter the file is than it says; 0 or less where nothing is missing. Raises OSError."""

    def holds_the_same_as(self, other: Path) -> bool:
        """Whether two files that need no companion hold the same pages. Raises OSError."""

    def journal_mode(self) -> str:
        """How it keeps its journal, "" where there is none."""

    def mount_kind(self) -> str:
        """The kind of file system that it is on, "" where unknown."""

    def is_locked(self) -> bool:
        """Whether another process holds the write lock at this moment."""

    def explained(self, error: BaseException) -> DaemonError:
        """The sentence for what the engine answered, a StorageError or what SQLAlchemy made of it.

        What is not about the file, the disk or a lock becomes Failed with the engine's own words.
        """

    def is_own(self, error: BaseException) -> bool:
        """Whether the engine raised it, and no other."""

    def is_of_the_place(self, error: BaseException) -> bool:
        """Whether an error of the engine is about the file, the disk or a lock."""

    # -- the engine itself

    def engine_version(self) -> str:
        """The version of the engine's library or server."""

    def find_too_old(self) -> Refused | None:
        """Why that version cannot be used, or None."""

    def find_doubt(self, journal_mode: str) -> Refused | None:
        """A fault of that version that touches a database with such a journal, or None."""

    # -- opened

    def engine_for_serving(self) -> sqlalchemy.Engine:
        """A pooled engine for threads; connecting to what is not there raises UnknownDatabase.

        A connection begins by reading; with the execution option ``writing=True`` it takes the write lock
        first, and with ``reading=True`` it cannot write.
        """

    def engine_for_glances(self) -> sqlalchemy.Engine | None:
        """The same for one thread, which answers everyone: what would have to wait raises Busy at once.

        None where no question is so short that this thread may ask it.
        """

    def engine_for_programs(self) -> sqlalchemy.Engine:
        """An engine for programs of the owner, which ask for whatever SQLAlchemy can do there."""

    def shared_writer(self) -> Writer:
        """What writes for all threads of this process; how they share a commit is the engine's matter."""

    def full_text(self) -> FullText:
        """What finds rows of it by their terms; making it opens nothing."""

    def shared_counts(self) -> SharedCounts | None:
        """What several processes count together; None where each counts for itself."""

    def shared_jobs(self) -> SharedJobs:
        """Which jobs are this process's, of those that one process has to do."""

    def replicas(self, urls: Sequence[str]) -> Replicas:
        """Copies of it, to read from. Raises SettingsError where this engine has none."""

    def watch(self) -> Watch:
        """What tells whether someone has committed. Raises UnknownDatabase where there is none."""

    def migration_connection(self, wait_seconds: float = ...) -> AbstractContextManager[MigrationConnection]:
        """One open transaction with the write lock, rolled back unless committed.

        Raises Busy when the lock is not to be had within ``wait_seconds``.
        """

    def looking(self, wait_seconds: float = ...) -> AbstractContextManager[StorageConnection]:
        """A connection that provably changes nothing: no byte, no file, no time. Raises Busy, Refused."""

    def peek(self, wait_seconds: float = ...) -> AbstractContextManager[StorageConnection]:
        """A read-only connection to the live database, for the process that serves it."""

    def alone(self) -> AbstractContextManager[StorageConnection]:
        """A read-only connection to a private copy that needs no companion; makes no file."""

    def reading_rows(self) -> AbstractContextManager[RowsOfCopy]:
        """The rows of a private copy that needs no companion, for reading."""

    def changing_rows(self) -> AbstractContextManager[RowsOfCopy]:
        """The rows of a private copy, in one transaction that is committed at the end; triggers rest."""

    def exclusive(self, wait_seconds: float = ...) -> AbstractContextManager[ExclusiveConnection]:
        """The live database, held so that no one else reads or writes it until the end.

        Writes nothing unless it is asked to; what a killed program left half done is settled first.
        """

    # -- copied

    def find_no_backup(self) -> Refused | None:
        """Why no backup of it can be made here: a program is missing, or too old. None where it can."""

    def opening_once(self) -> AbstractContextManager[None]:
        """While this lasts, a backup that has to be restored somewhere to be opened is restored once.

        What is changed in it then stays, until the end or until it is put into the place of the live one.
        """

    def find_unprovable(self) -> Refused | None:
        """Why a backup of it cannot be opened here to prove it; None where it can."""

    def copy_online(
        self, target: Path, progress: OnPages | None = ..., *, wait_seconds: float = ...
    ) -> Digests | None:
        """Write one committed state to the new file ``target``, synced, while others go on.

        Returns the digests of that state, read in its very snapshot, where the file is a dump.
        """

    def copy_unseen(self, target: Path, progress: OnPages | None = ..., *, wait_seconds: float = ...) -> None:
        """Write one committed state to the new file ``target`` as `looking` sees it: nothing else changes."""

    def private_copy(self, folder: Path) -> AbstractContextManager[str]:
        """The URL of a copy, as `looking` sees it: a database of this engine that no one else uses.

        It is gone at the end, but for files in ``folder``, which is empty and the caller's. Raises Refused
        where none can be made.
        """

    def clear_leftovers(self) -> int:
        """Remove the private copies of it on its server that processes left which are gone.

        Returns how many are there still, since someone uses them. In bounded time. Raises DaemonErrors.
        """

    def copy_into_live(
        self, source: Path, progress: OnPages | None = ..., *, wait_seconds: float = ...
    ) -> None:
        """Make this the database that is in the file ``source``, in one transaction."""

    def make_self_contained(self) -> str:
        """Fold what is beside a private copy into it, so that it needs no companion ever after.

        Returns the journal mode that it had. Never for a live database.
        """

    def rewrite(self) -> None:
        """Write a private copy anew from the rows that are there, so that nothing deleted is in its pages.

        Of a dump nothing is to be done: it holds rows, and no pages.
        """

    def set_journal_mode(self, mode: str) -> None:
        """Let the database keep its journal so."""
