"""Idempotency keys. Was this request carried out already, and what was answered then?

Who may not know whether a request arrived sends it again with the key of the first time, and nothing is made
twice. The row is written in the transaction of what was made: there are both, or neither. The answer in it is
encrypted with the key that the client chose and the installation's secret; neither is in the database, so
that nothing in a copy of it opens an answer, which may hold an API key or the text of an entry.
"""

from __future__ import annotations

import base64
import hmac
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, func, insert, select

from app import clock
from app.errors import Conflict, KeyReused, TooMuch
from app.tables import idempotency_keys

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV

KEPT = timedelta(hours=24)
KEYS_MOST = 10_000  # of one person
CHARACTERS_MOST = 255
ROWS_OF_A_STEP = 1_000
NO_ONE = 0  # who writes through the local door has no account

_KEY = idempotency_keys.c
_OF_WHAT = b"answers that are kept for idempotency keys\0"


@dataclass(frozen=True)
class Answer:
    """What was answered. ``headers``: those of the answer itself, in order."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True)
class KeyedRequest:
    """A request with its key. ``text``: all that tells it from another, its address and its body."""

    key: str
    text: bytes

    @property
    def key_hash(self) -> str:
        """What the key is found by."""
        return sha256(self.key.encode()).hexdigest()

    @property
    def request_hash(self) -> str:
        """What tells the request from another; without the key no text can be tried against it."""
        return hmac.new(self.key.encode(), self.text, "sha256").hexdigest()


def find(
    connection: Connection, secret: str, user_id: int | None, request: KeyedRequest, now: datetime
) -> Answer | None:
    """Return what a person was answered to the same request with the same key; None: it is a new one.

    Raises KeyReused where it was another request, and Conflict where its answer cannot be told any more.
    """
    row = _row(connection, user_id, request)
    if row is None or row.created_at < clock.stored(now - KEPT):
        return None
    if not row.request_hash:
        raise _not_told("What it made was erased since.")
    if not hmac.compare_digest(row.request_hash, request.request_hash):
        raise KeyReused(
            "This Idempotency-Key was sent with another request; nothing was changed.",
            hint="A new request needs a new key; the same one again, all of its body.",
        )
    return _opened(secret, user_id, request, row.outcome.rpartition(" ")[2])


def keep(
    connection: Connection,
    secret: str,
    user_id: int | None,
    request: KeyedRequest,
    answer: Answer,
    now: datetime,
    *,
    entry_ids: Sequence[int] = (),
) -> None:
    """Keep what a person is answered, for a day. ``entry_ids``: of these entries something is in it.

    Raises TooMuch where a person has KEYS_MOST already. Writes idempotency_keys.
    """
    owner_id = NO_ONE if user_id is None else user_id
    is_it = (_KEY.user_id == owner_id, _KEY.key_hash == request.key_hash)
    connection.execute(delete(idempotency_keys).where(*is_it))  # one whose day is over
    _refuse_more(connection, owner_id, now)
    named = ",".join(str(each) for each in entry_ids)
    values = {
        "user_id": owner_id,
        "key_hash": request.key_hash,
        "request_hash": request.request_hash,
        "outcome": f",{named}, {_sealed(secret, user_id, request, answer)}",  # `erasures` looks for ,ID,
        "created_at": clock.stored(now),
    }
    connection.execute(insert(idempotency_keys).values(values))


def is_any_over(connection: Connection, now: datetime) -> bool:
    """Whether `clear` would find anything."""
    old = select(_KEY.key_hash).where(_KEY.created_at < clock.stored(now - KEPT)).limit(1)
    return connection.execute(old).first() is not None


def clear(connection: Connection, now: datetime) -> int:
    """Delete what is kept no longer, ROWS_OF_A_STEP at most; return how many it were."""
    old = select(_KEY.user_id, _KEY.key_hash).where(_KEY.created_at < clock.stored(now - KEPT))
    rows = connection.execute(old.order_by(_KEY.created_at).limit(ROWS_OF_A_STEP)).all()
    for user_id, key_hash in rows:
        is_it = (_KEY.user_id == user_id, _KEY.key_hash == key_hash)
        connection.execute(delete(idempotency_keys).where(*is_it))
    return len(rows)


# -- inside


def _row(connection: Connection, user_id: int | None, request: KeyedRequest) -> Row[Any] | None:
    is_it = (_KEY.user_id == (NO_ONE if user_id is None else user_id), _KEY.key_hash == request.key_hash)
    return connection.execute(select(idempotency_keys).where(*is_it)).first()


def _refuse_more(connection: Connection, owner_id: int, now: datetime) -> None:
    """Raise TooMuch for one too many. Counts no further than that, in the index of the keys."""
    some = select(_KEY.key_hash).where(_KEY.user_id == owner_id).limit(KEYS_MOST).subquery()
    if connection.execute(select(func.count()).select_from(some)).scalar_one() < KEYS_MOST:
        return
    oldest = connection.execute(select(func.min(_KEY.created_at)).where(_KEY.user_id == owner_id)).scalar()
    ends = clock.parse_stored(oldest) or now
    wait = max(int((ends + KEPT - now).total_seconds()) + 1, 1)
    raise TooMuch(
        f"{KEYS_MOST:,} idempotency keys were sent within a day; nothing was changed.",
        hint="Send the request without one, or several entries in one request.",
        retry_after_seconds=wait,
    )


def _sealed(secret: str, user_id: int | None, request: KeyedRequest, answer: Answer) -> str:
    head = json.dumps([answer.status, answer.headers]).encode()
    text = zlib.compress(head + b"\n" + answer.body)
    sealed = _cipher(secret, request).encrypt(text, _bound_to(user_id, request))
    return base64.b64encode(sealed).decode()


def _opened(secret: str, user_id: int | None, request: KeyedRequest, sealed: str) -> Answer:
    from cryptography.exceptions import InvalidTag

    try:
        text = _cipher(secret, request).decrypt(base64.b64decode(sealed), _bound_to(user_id, request))
    except InvalidTag:
        raise _not_told("The installation's secret is another one since.") from None
    head, _, body = zlib.decompress(text).partition(b"\n")
    status, headers = json.loads(head)
    return Answer(status, tuple((name, value) for name, value in headers), body)


def _cipher(secret: str, request: KeyedRequest) -> AESSIV:
    from cryptography.hazmat.primitives.ciphers.aead import AESSIV  # 9 MB: where the first key is sent

    return AESSIV(hmac.digest(secret.encode(), _OF_WHAT + request.key.encode(), "sha512"))


def _bound_to(user_id: int | None, request: KeyedRequest) -> list[bytes]:
    return [b"%d" % (NO_ONE if user_id is None else user_id), request.request_hash.encode()]


def _not_told(why: str) -> Conflict:
    return Conflict(
        f"The request with this Idempotency-Key was carried out; its answer cannot be told again. {why}",
        hint="Look at what is there; a new request needs a new key.",
    )
