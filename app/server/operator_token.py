"""Operator token (one-time). Who may check, upgrade and roll back while no account can be read?

The token is kept beside the database (`data/operator`, 0600), where there is one, for an hour. It is
exchanged, once, for a session of an hour at most: a signed value that needs no database and no memory, so
that it is good through an upgrade, a rollback, and a restart of the server. It ends with the hour, when the
database is served, and when its operator leaves: the file says since when all sessions from before are over,
and which of them may still be told how it ended.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from app import clock, database_urls, log
from app.accounts.secret import read_line
from app.errors import NotAllowed
from app.files import private_file, write_atomically

if TYPE_CHECKING:
    from app.settings import Settings

VALID = timedelta(hours=1)
TOKEN_BYTES = 32
USED = "used"
ENDED, LEFT, GIVEN = MARKS = ("sessions ended ", "sessions left ", "session given ")
"""What the file says of sessions, each with the last time: those given until ENDED are over; those given
until LEFT were left, or were told how they ended; GIVEN is when the newest one was given."""
NEVER = datetime(1970, 1, 1, tzinfo=UTC)
HINT = "It was printed where the server runs, and is in the file data/operator beside the database."
_log = log.get_logger(__name__)


@dataclass(frozen=True)
class Held:
    """A token and until when it is good; an empty one is used up."""

    token: str
    until: datetime
    is_in_file: bool = False


class OperatorToken:
    """The token of one installation, and the sessions that it was exchanged for."""

    def __init__(self, settings: Settings, secret: Callable[[], str]) -> None:
        """``secret`` returns what sessions are signed with; it is asked where a token or session came."""
        self._settings = settings
        self._secret = secret
        self._held: Held | None = None  # where there is no place for a file
        self._marks: dict[str, datetime] = {}  # the same of what the file says
        self._lock = threading.Lock()

    def see_to_it(self, now: datetime) -> str:
        """Return the token that is good now, making it where there is none; empty where it is used up.

        Writes ``data/operator`` where the database is there; else only this process knows it.
        """
        with self._lock:
            held = self._find(now) or self._make(now)
        return held.token

    def end(self, now: datetime) -> None:
        """Forget the token, and end all sessions: the database is served, and accounts can be read."""
        with self._lock:
            is_needless = self._is_needless(now)
            self._marks[ENDED] = now
            if is_needless:
                self._remove()
            else:
                self._end(Held("", now))

    def clear(self, now: datetime) -> None:
        """Remove the file where it says nothing any more, an hour after all was over."""
        with self._lock:
            if self._is_needless(now):
                self._remove()

    def _is_needless(self, now: datetime) -> bool:
        """Whether no token is good, and no session left that could be over."""
        last = max(self._marked(ENDED), self._marked(GIVEN))
        return self._find(now) is None and now - last > VALID

    def _remove(self) -> None:
        self._held = None
        with contextlib.suppress(OSError):
            self._settings.operator_path.unlink(missing_ok=True)

    def leave(self, now: datetime) -> None:
        """End all sessions; a token that was not used stays, and for one that was there is another one."""
        with self._lock:
            held = self._find(now)
            self._marks |= {ENDED: now, LEFT: now}
            self._end(held if held is not None and held.token else Held("", now))

    def exchange(self, offered: str, now: datetime) -> str:
        """Return the session that the token is good for, and use it up; raises NotAllowed for a wrong one."""
        with self._lock:
            held = self._find(now)
            expected = "" if held is None else held.token
            is_right = hmac.compare_digest(expected.encode(), offered.encode(errors="replace"))
            if held is None or not expected or not is_right or not self._use_up(held, now):
                sentence = "This is not the operator token, or it was used, or its hour is over."
                raise NotAllowed(sentence, hint=HINT)
        return self.new_session(now)

    def new_session(self, now: datetime) -> str:
        """Return such a session; without a token only for an admin who has just confirmed a rollback.

        Writes to ``data/operator`` that one was given, so that whichever process serves next says it is over.
        """
        with self._lock:
            self._mark(GIVEN, now, now)
        said = f"{_microseconds(now + VALID)}.{secrets.token_hex(16)}"
        return f"{said}.{self._signed('session', said)}"

    def is_session(self, session: str, now: datetime) -> bool:
        """Return whether ``session`` was given here, less than an hour ago, and is not over."""
        given, ended = self._given_at(session, now), self._marked(ENDED)
        if ended > now:  # a clock that was wrong
            ended = NEVER
        return given is not None and given > _microseconds(ended)

    def is_over(self, session: str, now: datetime) -> bool:
        """Return whether ``session`` was good until the database was served, less than an hour ago.

        Not one that was left, nor one that was told how it ended.
        """
        given = self._given_at(session, now)
        is_told = given is not None and given <= _microseconds(self._marked(LEFT))
        return given is not None and not is_told and not self.is_session(session, now)

    def has_told(self, session: str, now: datetime) -> None:
        """Keep that ``session``, and those from before it, were told how they ended: copies hear nothing."""
        given = self._given_at(session, now)
        if given is not None:
            with self._lock:
                self._mark(LEFT, NEVER + timedelta(microseconds=given), now)

    def _given_at(self, session: str, now: datetime) -> int | None:
        said, _, signature = session.rpartition(".")
        expected = self._signed("session", said)
        if not said or not hmac.compare_digest(expected.encode(), signature.encode(errors="replace")):
            return None
        until = int(said.partition(".")[0])
        return until - _microseconds(VALID) if _microseconds(now) < until else None

    def form_token(self, session: str) -> str:
        """Return what every form of a session holds, which no other page can know (CSRF)."""
        return self._signed("form", session)

    def _signed(self, purpose: str, said: str) -> str:
        key = self._secret().encode()
        return hmac.digest(key, f"operator {purpose}:{said}".encode(errors="replace"), "sha256").hex()

    # -- the file

    def _find(self, now: datetime) -> Held | None:
        try:
            lines = self._settings.operator_path.read_text(errors="replace").split("\n")
            until = datetime.fromisoformat(lines[1].removeprefix("until "))
            held: Held | None = Held("" if lines[0] == USED else lines[0], until, is_in_file=True)
        except (OSError, ValueError, IndexError):
            held = self._held
        is_good = held is not None and now < held.until <= now + VALID  # a clock that was wrong gives no more
        return held if is_good else None

    def _marked(self, mark: str) -> datetime:
        """Return the last time that a mark says, here or in the file; long ago where it says none."""
        times = [self._marks.get(mark, NEVER)]
        with contextlib.suppress(OSError, ValueError):
            lines = self._settings.operator_path.read_text(errors="replace").split("\n")
            times += [
                datetime.fromisoformat(each.removeprefix(mark)) for each in lines if each.startswith(mark)
            ]
        return max(times)

    def _mark(self, mark: str, moment: datetime, now: datetime) -> None:
        """Add a mark to the file, whose token stays as it is; where there is none it holds no token."""
        self._marks[mark] = max(moment, self._marks.get(mark, NEVER))
        with contextlib.suppress(OSError):
            try:  # no new file: it could bring back a token that another process uses up meanwhile
                file = os.open(self._settings.operator_path, os.O_WRONLY | os.O_APPEND)
            except FileNotFoundError:
                if self._has_a_place():
                    self._write(Held("", now))
                return
            with os.fdopen(file, "ab") as opened:
                opened.write(_as_line(mark, moment))

    def _end(self, held: Held) -> None:
        """End sessions; the file says so, with what is left of the token, where there is a place for it."""
        self._held = held if held.token else None
        if held.token and not held.is_in_file:
            return
        with contextlib.suppress(OSError):
            if self._has_a_place():
                self._write(held)
            else:
                self._settings.operator_path.unlink(missing_ok=True)

    def _make(self, now: datetime) -> Held:
        held = self._held = Held(secrets.token_urlsafe(TOKEN_BYTES), now + VALID)
        if self._has_a_place():
            try:
                self._write(held)
            except OSError as error:
                _log.warning("The operator token cannot be kept in a file.", extra={"why": error.strerror})
        return self._find(now) or held

    def _has_a_place(self) -> bool:
        """Whether the database is where it should be; nothing is made where it is missing."""
        if database_urls.is_of_server(self._settings.database_url):
            return self._settings.data_dir.is_dir()
        return self._settings.database_path.is_file()

    def _write(self, held: Held) -> None:
        """Of several processes that find none, exactly one makes it."""
        path = self._settings.operator_path
        made = path.with_name(f".{path.name}.{secrets.token_hex(4)}.made")
        marks = {mark: self._marked(mark) for mark in MARKS}  # before the file that says them is gone
        write_atomically(made, _as_file(held, marks), like=None)
        try:
            path.unlink(missing_ok=True)
            with contextlib.suppress(FileExistsError):
                os.link(made, path)
        finally:
            made.unlink(missing_ok=True)
        private_file(path)

    def _use_up(self, held: Held, now: datetime) -> bool:
        """Whether this one uses it up: of two processes at once only one does."""
        self._held = Held("", now + VALID)
        if not held.is_in_file:
            return True
        path = self._settings.operator_path
        taken = path.with_name(f".{path.name}.{secrets.token_hex(4)}.used")
        marks = {mark: self._marked(mark) for mark in MARKS}
        try:
            path.rename(taken)
            is_it = read_line(taken).startswith(held.token)
            self._marks |= marks
            taken.unlink(missing_ok=True)
            self._write(self._held)  # so that no other process makes the next one before the hour is over
        except OSError as error:
            _log.warning("The operator token cannot be used up.", extra={"why": error.strerror})
            return False
        return is_it


def _as_file(held: Held, marks: dict[str, datetime]) -> bytes:
    said = f"{held.token or USED}\nuntil {clock.rfc3339(held.until.replace(microsecond=0))}\n"
    return said.encode() + b"".join(_as_line(mark, at) for mark, at in marks.items() if at > NEVER)


def _as_line(mark: str, moment: datetime) -> bytes:
    return f"{mark}{clock.rfc3339(moment)}\n".encode()


def _microseconds(moment: datetime | timedelta) -> int:
    span = moment - NEVER if isinstance(moment, datetime) else moment
    return span // timedelta(microseconds=1)
