"""Scope of an API key (kinds, verbs, privacy level). What may it do of what its owner may?

Whatever is stored and cannot be read as a scope allows nothing. A scope never adds to what the owner of the
key may do: that is asked besides, at each use.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Row

from app.errors import Conflict, InvalidContent

Verb = Literal["read", "create", "change", "delete"]
READ: tuple[Verb, ...] = ("read",)
WRITES: tuple[Verb, ...] = ("create", "change", "delete")
VERBS: tuple[Verb, ...] = READ + WRITES
MOST_KINDS = 100
KIND_CHARACTERS = 100


@dataclass(frozen=True)
class Scope:
    """What a key may do with entries of which kinds (None: of every kind).

    ``level``: it sees what strangers see at that level at most, of its owner's entries too; None: what its
    owner sees. A key with a level writes nothing.
    """

    verbs: tuple[Verb, ...] = READ
    kinds: tuple[str, ...] | None = None
    level: str | None = None

    @property
    def can_write(self) -> bool:
        """Whether it may change anything."""
        return any(verb in WRITES for verb in self.verbs)

    @property
    def is_whole(self) -> bool:
        """Whether it reads, or reads and writes, all that its owner does: also beside single entries."""
        return self.verbs in (READ, VERBS) and self.kinds is None and self.level is None

    def allows(self, verb: Verb, kind: str) -> bool:
        """Whether it may do that with entries of that kind."""
        return verb in self.verbs and (self.kinds is None or kind in self.kinds)

    def columns(self) -> dict[str, Any]:
        """Return what is stored of it; verbs only where ``can_write`` does not say them already."""
        verbs = None if self.verbs in (READ, VERBS) else json.dumps(self.verbs)
        kinds = None if self.kinds is None else json.dumps(self.kinds)
        return {
            "can_write": int(self.can_write),
            "verbs": verbs,
            "kinds": kinds,
            "privacy_level": self.level,
        }

    def as_json(self) -> dict[str, object]:
        """Return it as people and programs are told."""
        kinds = None if self.kinds is None else list(self.kinds)
        return {
            "can_write": self.can_write,
            "verbs": list(self.verbs),
            "kinds": kinds,
            "privacy_level": self.level,
        }


WHOLE = Scope()
"""Of a key that reads what its owner reads."""

NOTHING = Scope(verbs=(), kinds=())


def stored_scope(row: Row[Any]) -> Scope:
    """Return the scope of a row of api_keys: the number 1 alone lets a key write."""
    can_write, level = row.can_write == 1, row.privacy_level
    try:
        kinds = None if row.kinds is None else tuple(map(_text, _list(row.kinds)))
        if row.verbs is None:
            verbs = VERBS if can_write else READ
        else:
            said = _list(row.verbs)
            verbs = tuple(verb for verb in VERBS if verb in said and (can_write or verb not in WRITES))
    except (ValueError, TypeError, RecursionError):
        return NOTHING
    if level is not None:
        return Scope(tuple(verb for verb in verbs if verb == "read"), kinds, _text(level))
    return Scope(verbs, kinds)


def new_scope(
    *,
    can_write: bool | None = None,
    verbs: Collection[str] | None = None,
    kinds: Collection[str] | None = None,
    level: str | None = None,
) -> Scope:
    """Return the scope that someone asks for; raises InvalidContent, with the JSON Pointer of what is odd.

    That the kinds and the level exist is for who asks to look at.
    """
    wanted = (VERBS if can_write else READ) if verbs is None else tuple(v for v in VERBS if v in set(verbs))
    for at, verb in enumerate(verbs or ()):
        if verb not in VERBS:
            raise _odd(f"/verbs/{at}", f"a verb is one of {', '.join(VERBS)}")
    if not wanted:
        raise _odd("/verbs", "a key without a verb opens nothing")
    scope = Scope(wanted, None if kinds is None else tuple(dict.fromkeys(kinds)), level)
    if can_write is not None and can_write != scope.can_write:
        raise _odd("/can_write", "verbs say another thing; send one of the two")
    if scope.kinds is not None and not 1 <= len(scope.kinds) <= MOST_KINDS:
        raise _odd("/kinds", f"a key is for 1 to {MOST_KINDS} kinds, or for every kind (null)")
    for at, kind in enumerate(scope.kinds or ()):
        if not 1 <= len(kind) <= KIND_CHARACTERS:
            raise _odd(f"/kinds/{at}", "this is no name of a kind")
    if level is not None and scope.can_write:
        raise _odd("/privacy_level", "a key that sees what strangers see at a level writes nothing")
    return scope


def with_writing(scope: Scope, can_write: bool) -> Scope:
    """Return a scope that writes besides, or no longer; raises Conflict where that cannot be."""
    if can_write and scope.level is not None:
        raise Conflict(
            f"This key sees what strangers see at the level {scope.level}, and writes nothing.",
            hint="daemon key create USERNAME NAME --write",
        )
    allowed = {*scope.verbs, *WRITES} if can_write else {*scope.verbs} - {*WRITES}
    verbs = tuple(verb for verb in VERBS if verb in allowed)
    if not verbs:
        raise Conflict("This key does nothing but write.", hint="daemon key revoke ID ends it.")
    return Scope(verbs, scope.kinds, scope.level)


def _list(text: Any) -> list[Any]:
    found = json.loads(text)
    if not isinstance(found, list):
        raise ValueError(text)
    return found


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _odd(pointer: str, detail: str) -> InvalidContent:
    return InvalidContent(f"{pointer}: {detail}.", errors=[{"pointer": pointer, "detail": detail}])
