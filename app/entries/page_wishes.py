"""Page wishes. How does a person want their page: its look, its language, which kinds in which order?

A wish shows nothing that strangers are not shown anyway, and hides nothing but from the page: what is seen
is decided by visibilities and levels alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from app import clock
from app.entries.entry import invalid
from app.errors import NotFound
from app.snapshot_memory import remembered
from app.tables import page_wishes

THEMES = ("plain", "paper", "garden", "ink")
ACCENTS = ("blue", "teal", "green", "amber", "red", "violet", "ink")
HEAD_LINES = ("picture", "does", "where", "about", "looks_for", "now", "mail", "links")
"""What the head of a page has beside the name."""

FORMATS = ("json-ld", "open-graph", "feeds", "vcard", "qr", "markdown", "webfinger", "pdf")
"""What is said to programs in a form of theirs, unless the person does not want it."""

KINDS_MOST = 200
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
KIND = re.compile(r"~?[a-z][a-z0-9_-]{0,99}")


@dataclass(frozen=True)
class Wishes:
    """What a person wishes of their page; None: what a page has by itself."""

    theme: str | None = None
    accent: str | None = None
    language: str | None = None
    kinds: tuple[str, ...] | None = None
    kinds_left_out: tuple[str, ...] | None = None
    head_lines: tuple[str, ...] | None = None
    formats_off: tuple[str, ...] | None = None

    def has(self, form: str) -> bool:
        """Whether something may be said in a form of FORMATS."""
        return form not in (self.formats_off or ())

    @property
    def has_picture(self) -> bool:
        """Whether the head of the page has the person's picture."""
        return self.head_lines is None or "picture" in self.head_lines

    def as_json(self) -> dict[str, Any]:
        """Return them as they are answered."""
        return {
            name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()
        }

    def in_order(self, names: list[str]) -> list[str]:
        """Return the kinds that a page has of ``names``, in its order: those that were named come first."""
        places = {name: place for place, name in enumerate(self.kinds or ())}
        left_out = self.kinds_left_out or ()
        return sorted(
            (name for name in names if name not in left_out), key=lambda each: places.get(each, len(places))
        )


NONE = Wishes()


def check_wanted(wishes: Wishes, form: str) -> None:
    """Raise NotFound where a person wants nothing said of them in a form: as of who is not there."""
    if not wishes.has(form):
        raise NotFound("There is no such person.")


def wishes_of(connection: Connection, user_id: int) -> Wishes:
    """Return what a person wishes; what cannot be read is wished by no one."""

    def read() -> Wishes:
        row = connection.execute(select(page_wishes).where(page_wishes.c.user_id == user_id)).first()
        return NONE if row is None else _read(dict(row._mapping))

    return remembered(connection, ("page wishes", user_id), read, while_writing=True)


def wish(connection: Connection, user_id: int, said: Mapping[str, Any], now: datetime) -> Wishes:
    """Put these wishes in the place of a person's; raises InvalidContent, naming the member."""
    wanted = checked(said)
    stored = {
        name: json.dumps(value) if isinstance(value, tuple) else value for name, value in vars(wanted).items()
    }
    values = {**stored, "updated_at": clock.stored(now)}
    mine = update(page_wishes).where(page_wishes.c.user_id == user_id).values(values)
    if connection.execute(mine).rowcount == 0:
        connection.execute(insert(page_wishes).values(user_id=user_id, **values))
    return wanted


def checked(said: Mapping[str, Any]) -> Wishes:
    """Return what was said as wishes; raises InvalidContent, naming the member."""
    return Wishes(
        theme=_one_of(said, "theme", THEMES),
        accent=_one_of(said, "accent", ACCENTS),
        language=_language(said),
        kinds=_names(said, "kinds", None),
        kinds_left_out=_names(said, "kinds_left_out", None),
        head_lines=_names(said, "head_lines", HEAD_LINES),
        formats_off=_names(said, "formats_off", FORMATS),
    )


def _one_of(said: Mapping[str, Any], name: str, known: tuple[str, ...]) -> str | None:
    value = said.get(name)
    if value is not None and value not in known:
        raise invalid(f"/{name}", f"one of {', '.join(known)} is needed here, or null")
    return value


def _language(said: Mapping[str, Any]) -> str | None:
    value = said.get("language")
    if value is not None and not (isinstance(value, str) and len(value) <= 35 and _LANGUAGE.fullmatch(value)):
        raise invalid("/language", "a language is needed here, as en, de or pt-BR, or null")
    return value


def _names(said: Mapping[str, Any], name: str, known: tuple[str, ...] | None) -> tuple[str, ...] | None:
    value = said.get(name)
    if value is None:
        return None
    if not isinstance(value, list) or len(value) > KINDS_MOST or len(set(map(str, value))) < len(value):
        raise invalid(f"/{name}", f"a list is needed here, of {KINDS_MOST} different names at most, or null")
    for at, each in enumerate(value):
        if not isinstance(each, str) or (each not in known if known else not KIND.fullmatch(each)):
            words = f"one of {', '.join(known)}" if known else "the name of a kind"
            raise invalid(f"/{name}/{at}", f"{words} is needed here")
    return tuple(value)


def _read(row: dict[str, Any]) -> Wishes:
    said: dict[str, Any] = {}
    for name in vars(NONE):
        value = row.get(name)
        try:
            said[name] = json.loads(value) if name in _LISTS and isinstance(value, str) else value
            checked({name: said[name]})
        except ValueError:  # of an odd row: not JSON
            said[name] = None
        except type(invalid("", "")):
            said[name] = None
    return checked(said)


_LISTS = ("kinds", "kinds_left_out", "head_lines", "formats_off")
