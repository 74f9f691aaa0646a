"""Looks (background threads). What would an upgrade, a rollback or a restore change?

It takes as long as reading the database. One look of a sort at a time; the last of each is kept in memory,
for whoever asked. Nothing is written.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from app import clock, log
from app.errors import Busy, DaemonError
from app.storage.types import StorageError
from app.typed_commands import in_answer

if TYPE_CHECKING:
    from app.settings import Settings

Sort = Literal["check", "rollback", "restore"]
State = Literal["running", "done", "failed"]
_log = log.get_logger(__name__)


@dataclass(frozen=True)
class Look:
    """A look and what it found: ``lines`` for people, and ``word``, which who confirms has to type."""

    sort: Sort
    backup: str | None
    state: State
    began_at: str
    lines: tuple[str, ...] = ()
    word: str = ""

    def as_json(self) -> dict[str, object]:
        """Return what who asked is told."""
        return {
            "state": self.state,
            "began_at": self.began_at,
            "backup": self.backup,
            "lines": list(self.lines),
            "word": self.word,
        }


class Looks:
    """The looks of one server process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._newest: dict[Sort, Look] = {}

    def begin(self, sort: Sort, backup: str | None = None) -> Look:
        """Begin to look, at ``backup`` where it is put back; returns at once, with one that runs already.

        Raises Busy where another backup is looked at.
        """
        look = Look(sort, backup, "running", clock.rfc3339(clock.now().replace(microsecond=0)))
        with self._lock:
            running = self._newest.get(sort)
            if running is not None and running.state == "running":
                if running.backup == backup:
                    return running
                raise Busy("Another backup is looked at.", hint="Try again in a moment.")
            self._newest[sort] = look
        threading.Thread(target=self._run, args=(look,), name=f"look: {sort}", daemon=True).start()
        return look

    def find(self, sort: Sort, backup: str | None = None) -> Look | None:
        """Return the last look of a sort, if it was at that backup."""
        found = self._newest.get(sort)
        return found if found is not None and found.backup == backup else None

    def forget(self) -> None:
        """Forget what was found: the database is another one now."""
        with self._lock:
            self._newest = {sort: look for sort, look in self._newest.items() if look.state == "running"}

    def _run(self, look: Look) -> None:
        lines: tuple[str, ...] = ("It could not be found out; the log of the server says why.",)
        word = ""
        state: State = "failed"
        try:
            lines, word = _WORK[look.sort](self._settings, look.backup)
            state = "done"
        except DaemonError as error:
            lines = tuple(filter(None, (error.message, error.hint)))
        except (OSError, StorageError) as error:
            _log.warning("A look failed.", extra={"why": str(error)})
        except Exception as error:  # noqa: BLE001 - who asked is told that it failed, the log says why
            _log.error("A look failed.", exc_info=error)
        finally:
            with self._lock:
                said = tuple(map(in_answer, lines))
                self._newest[look.sort] = replace(look, state=state, lines=said, word=word)


def _check(settings: Settings, _backup: str | None) -> tuple[tuple[str, ...], str]:
    from app.upgrade.operations.look_ahead import plan_with_hidden
    from app.upgrade.report.render import plan_text

    return tuple(plan_text(plan_with_hidden(settings), everything=True).split("\n")), ""


def _rollback(settings: Settings, _backup: str | None) -> tuple[tuple[str, ...], str]:
    from app.upgrade.operations.would_be_lost import by_rollback

    found = by_rollback(settings)
    return found.lines, found.version.partition(" ")[0]  # of "0.1.0 to 0.2.1" the first


def _restore(settings: Settings, backup: str | None) -> tuple[tuple[str, ...], str]:
    from app.upgrade.operations.would_be_lost import by_restore

    assert backup is not None
    found = by_restore(settings, backup)
    return found.lines, found.backup if found.can_be_done else ""


_WORK: dict[Sort, Callable[[Settings, str | None], tuple[tuple[str, ...], str]]] = {
    "check": _check,
    "rollback": _rollback,
    "restore": _restore,
}
