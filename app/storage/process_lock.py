"""Process lock (flock). Who may use the database now: the server, or an operator who upgrades or restores?

Two files beside the database, ``<name>.lock`` and ``<name>.wanted``, that are only ever flock()ed. The kernel
lets go of a lock when its process dies, so nothing is left behind; the files are empty and are never removed
(two processes could then hold "the" lock on two files of one name). They belong to whom the database belongs
to, and its group may use them where it may write the database: who cannot write it has nothing to wait for.

    server:    .lock shared; asks every moment whether .wanted is taken; lets go of .lock when it is
    operator:  .wanted (operators queue here), then .lock, both exclusive
"""

from __future__ import annotations

import fcntl
import os
import shlex
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from app import interrupt, log
from app.disk import real_path
from app.errors import Busy, Refused
from app.storage.holders import Holder, holders_of

WAIT_SECONDS = 60.0
_PAUSE_SECONDS = 0.05
_ALONE = 0o600
_WITH_GROUP = 0o660

_logger = log.get_logger(__name__)


class ProcessLock:
    """The fence around the database ``path``; making one opens nothing."""

    def __init__(self, path: Path) -> None:
        real = real_path(path)  # by whatever name it is called, the fence is the same
        self._database = real
        self.lock_path = real.with_name(real.name + ".lock")
        self.wanted_path = real.with_name(real.name + ".wanted")
        self._served: int | None = None

    # -- the server's side

    def serve(self, timeout_seconds: float = 0.0) -> None:
        """Take the database for serving, together with other servers.

        Raises Busy when an operator has it or waits for it, Refused when the files cannot be made.
        """
        if self._served is not None:
            return
        ends = time.monotonic() + timeout_seconds
        while self.wanted() or not self._take_for_serving():
            if time.monotonic() >= ends:
                raise self._busy("An upgrade or a restore is at work on the database")
            interrupt.stop_if_asked()
            time.sleep(_PAUSE_SECONDS)

    def wanted(self) -> bool:
        """Whether an operator has the database or waits for it. Cheap; for asking every moment.

        Makes nothing: where there is no file yet, no one ever wanted the database.
        """
        try:
            descriptor = os.open(self.wanted_path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except PermissionError:  # an account that may only read: the system tells it all the same
            return bool(holders_of(self.wanted_path))
        except OSError as error:
            raise _cannot_open(self.wanted_path, error) from error
        try:
            return not _try(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def is_held(self) -> bool:
        """Whether what `serve` took is still held: the kernel takes it from no one that lives."""
        return self._served is not None

    def yield_(self) -> None:
        """Let an operator have the database; call it when every connection is closed."""
        if self._served is not None:
            os.close(self._served)
            self._served = None

    def holders(self) -> list[Holder]:
        """Who has the database or waits for it, as far as the system tells; this process is not named."""
        return holders_of(self.wanted_path, self.lock_path)

    def _take_for_serving(self) -> bool:
        _mended(self.wanted_path, self._database)
        descriptor = _opened(self.lock_path, self._database)
        if _try(descriptor, fcntl.LOCK_SH):
            self._served = descriptor
            return True
        os.close(descriptor)
        return False

    # -- the operator's side

    def find_refusal(self) -> Refused | None:
        """Why this account could not take it, or None. Only looks: what is not there is not made."""
        for path in (self.wanted_path, self.lock_path):
            try:
                os.close(os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK))
            except FileNotFoundError:
                continue
            except OSError as error:
                return _cannot_open(path, error, self._database)
        return None

    @contextmanager
    def exclusive(self, timeout_seconds: float = WAIT_SECONDS) -> Iterator[None]:
        """Have the database alone: servers are asked to let go and waited for, other operators queue.

        Raises Busy when that does not come about in time (nothing was changed), Refused when the files cannot
        be made.
        """
        if self._served is not None:
            raise RuntimeError("who serves the database must yield it before taking it alone")
        ends = time.monotonic() + timeout_seconds
        with (
            self._held(self.wanted_path, ends, "Another upgrade or restore is at work on the database"),
            self._held(self.lock_path, ends, "A server uses the database and does not let go of it"),
        ):
            yield

    @contextmanager
    def _held(self, path: Path, ends: float, who: str) -> Iterator[None]:
        descriptor = _opened(path, self._database)
        try:
            while not _try(descriptor, fcntl.LOCK_EX):
                if time.monotonic() >= ends:
                    raise self._busy(who, path)
                interrupt.stop_if_asked()
                time.sleep(_PAUSE_SECONDS)
            yield
        finally:
            os.close(descriptor)

    def _busy(self, who: str, path: Path | None = None) -> Busy:
        """Who it is stands in the details: they are for the operator, and no stranger's business."""
        known = holders_of(path) if path else self.holders()
        told = [str(one) for one in known]
        if told:
            _logger.info("the database is held", extra={"holders": told})
        hint = "Wait for it, or stop it, and try again."
        return Busy(f"{who}; nothing was changed.", hint=hint, holders=told)


def _opened(path: Path, database: Path) -> int:
    """Open a lock file, made where there is none; reading is all that flock needs."""
    try:
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            flags = os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(path, flags, _ALONE)
    except OSError as error:
        raise _cannot_open(path, error, database) from error
    _mend(descriptor, database)
    return descriptor


def _mended(path: Path, database: Path) -> None:
    """Mend a lock file that is there; what cannot be opened is no matter here."""
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            _mend(descriptor, database)
        finally:
            os.close(descriptor)


def _mend(descriptor: int, database: Path) -> None:
    """Give a lock file the owner, group and mode of the database, as far as this account may do that.

    Only what can be nothing but a lock file: in a folder that a group may write, root must not be led by a
    name to give someone another file.
    """
    try:
        known, wanted = os.fstat(descriptor), _owner_like(database)
    except OSError:
        return
    if not stat.S_ISREG(known.st_mode) or known.st_size or known.st_nlink != 1:
        return
    mode = _WITH_GROUP if wanted.st_mode & stat.S_IWGRP and stat.S_ISREG(wanted.st_mode) else _ALONE
    with suppress(PermissionError):
        if os.geteuid() == 0 and (known.st_uid, known.st_gid) != (wanted.st_uid, wanted.st_gid):
            os.fchown(descriptor, wanted.st_uid, wanted.st_gid)
        elif known.st_gid != wanted.st_gid and stat.S_ISREG(wanted.st_mode):
            os.fchown(descriptor, -1, wanted.st_gid)
    with suppress(PermissionError):
        if stat.S_IMODE(known.st_mode) != mode:
            os.fchmod(descriptor, mode)


def _owner_like(database: Path) -> os.stat_result:
    """The database's own, or its folder's where there is none yet."""
    try:
        return database.stat()
    except FileNotFoundError:
        return database.parent.stat()


def _cannot_open(path: Path, error: OSError, database: Path | None = None) -> Refused:
    hint = f"ls -la {shlex.quote(str(path.parent))}"
    if isinstance(error, PermissionError) and database is not None and path.exists():
        hint = f"sudo chown --reference={shlex.quote(str(database))} {shlex.quote(str(path))}"
    return Refused(f"The lock file {path} cannot be opened: {error.strerror}.", hint=hint)


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
