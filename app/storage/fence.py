"""Who may use the database now: the server that serves it, or the operator who upgrades or restores it?

Two files beside the database, ``<name>.lock`` and ``<name>.wanted``, that are only ever flock()ed. The kernel
lets go of a lock when its process dies, so nothing is left behind; the files are empty and are never removed
(two processes could then hold "the" lock on two files of one name).

    server:    .lock shared; asks every moment whether .wanted is taken; lets go of .lock when it is
    operator:  .wanted (operators queue here), then .lock, both exclusive
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import Busy, Refused

WAIT_SECONDS = 60.0
_PAUSE_SECONDS = 0.05
_MODE = 0o644  # holds nothing; another account must be able to wait for it


class Fence:
    """The fence around the database ``path``; making one opens nothing."""

    def __init__(self, path: Path) -> None:
        real = path.resolve()  # by whatever name it is called, the fence is the same
        self.lock_path = real.with_name(real.name + ".lock")
        self.wanted_path = real.with_name(real.name + ".wanted")
        self._served: int | None = None

    # -- the server's side

    @property
    def is_serving(self) -> bool:
        """Whether this fence lets its owner serve."""
        return self._served is not None

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
            time.sleep(_PAUSE_SECONDS)

    def wanted(self) -> bool:
        """Whether an operator has the database or waits for it. Cheap; for asking every moment.

        Makes nothing: where there is no file yet, nobody ever wanted the database.
        """
        try:
            descriptor = os.open(self.wanted_path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise _cannot_open(self.wanted_path, error) from error
        try:
            return not _try(descriptor, fcntl.LOCK_SH)
        finally:
            os.close(descriptor)

    def yield_(self) -> None:
        """Let an operator have the database; call it when every connection is closed."""
        if self._served is not None:
            os.close(self._served)
            self._served = None

    def _take_for_serving(self) -> bool:
        descriptor = _opened(self.lock_path)
        if _try(descriptor, fcntl.LOCK_SH):
            self._served = descriptor
            return True
        os.close(descriptor)
        return False

    # -- the operator's side

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
        descriptor = _opened(path)
        try:
            while not _try(descriptor, fcntl.LOCK_EX):
                if time.monotonic() >= ends:
                    raise self._busy(who, path)
                time.sleep(_PAUSE_SECONDS)
            yield
        finally:
            os.close(descriptor)

    def _busy(self, who: str, path: Path | None = None) -> Busy:
        holders = _holders(path or self.wanted_path)
        known = f" (process {', '.join(map(str, holders))})" if holders else ""
        return Busy(f"{who}{known}; nothing was changed.", hint="Wait for it, or stop it, and try again.")


def _opened(path: Path) -> int:
    """Open a lock file, made where there is none; reading is all that flock needs."""
    try:
        try:
            return os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            descriptor = os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, _MODE)
            os.fchmod(descriptor, _MODE)  # whatever the umask says
            _give_to_folder_owner(descriptor, path.parent)
            return descriptor
    except OSError as error:
        raise _cannot_open(path, error) from error


def _cannot_open(path: Path, error: OSError) -> Refused:
    return Refused(f"The lock file {path} cannot be opened: {error.strerror}.", hint=f"ls -la {path.parent}")


def _give_to_folder_owner(descriptor: int, folder: Path) -> None:
    if os.geteuid() == 0:
        owner = folder.stat()
        os.fchown(descriptor, owner.st_uid, owner.st_gid)


def _try(descriptor: int, kind: int) -> bool:
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holders(path: Path) -> list[int]:
    """The processes that hold a lock on the file, as far as the system tells."""
    try:
        known = path.stat()
        lines = Path("/proc/locks").read_text(encoding="ascii").splitlines()
    except OSError:
        return []
    place = f"{os.major(known.st_dev):02x}:{os.minor(known.st_dev):02x}:{known.st_ino}"
    found = [line.split() for line in lines]
    holds = {int(parts[4]) for parts in found if len(parts) > 5 and parts[1] == "FLOCK" and parts[5] == place}
    return sorted(pid for pid in holds if pid > 0)
