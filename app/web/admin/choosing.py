"""Choosing entries. Which of one's own are meant? By titles or words, a few at a time; never by a number.

A list of check boxes or options: those that were chosen before, and those that were found, with a button for
more. All of it works by forms alone.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from app.web.admin.api import path_of_kind
from app.web.admin.language import _
from app.web.admin.shown import title_of
from app.web.pages.markdown import first_heading, plain

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

_MEMBERS = re.compile(r'"(\w+)"\s*:\s*"((?:[^"\\]|\\.)+)')
_SAY_MOST = ("title", "name", "content", "summary", "bio", "description")
_SAY_NOTHING = ("visibility", "status", "language", "date", "publish_at", "expires_at")
OWN = "/api/v1/me/entries"
AT_ONCE = 20
IDS_AT_ONCE = 100
TITLE_CHARACTERS = 80


@dataclass(frozen=True)
class Choice:
    """An entry to be chosen: its id (the value of its box or option), and what is said of it."""

    id: str
    kind: str
    title: str
    day: str


@dataclass(frozen=True)
class Choices:
    """Entries to choose from, what was searched for in which kind, and how it goes on; empty: it does not."""

    found: tuple[Choice, ...] = ()
    words: str = ""
    following: str = ""
    kind: str = ""


async def choices(visit: Visit, words: str = "", cursor: str = "", kind: str = "") -> Choices:
    """Return entries with these words, or the newest of a kind; of every kind, where none is said, by id."""
    asked: dict[str, Any] = {"limit": AT_ONCE, "cursor": cursor or None}
    mine = visit.person.user.username
    if words:
        searched = {"q": _with_beginning(words), "kind": kind or None, "user": mine}
        found = await visit.api.call("GET", "/api/v1/search", query=asked | searched)
    elif kind:
        path = path_of_kind(kind, "users", mine)
        found = await visit.api.call("GET", path, query=asked | {"sort": "-created"})
    else:
        found = await visit.api.call("GET", OWN, query=asked)
    if not found.is_ok and cursor:  # of other words than those that stand there now
        return await choices(visit, words, kind=kind)
    if not found.is_ok:  # words of which none can be searched for, say
        return Choices(words=words, kind=kind)
    items = [{"kind": kind, **each} for each in found.body["items"]]
    return Choices(tuple(map(_choice, items)), words, found.body["next"] or "", kind)


async def named(visit: Visit, ids: Iterable[object]) -> dict[str, Choice]:
    """Return those of one's own entries that are there, by their ids as texts."""
    wanted = list(dict.fromkeys(str(each) for each in ids if str(each).isdecimal()))
    found: dict[str, Choice] = {}
    for first in range(0, len(wanted), IDS_AT_ONCE):
        part = wanted[first : first + IDS_AT_ONCE]
        query = {"ids": ",".join(part), "limit": len(part)}
        answer = await visit.api.call("GET", OWN, query=query)
        items = answer.body["items"] if answer.is_ok else ()
        found |= {each.id: each for each in map(_choice, items)}
    return found


def called(entry: Mapping[str, Any]) -> str:
    """Return by what an entry of the API's list is called: its title, or how it begins."""
    title = str(entry.get("title") or "").strip()
    return title[:TITLE_CHARACTERS] or _one_line(_excerpt_of(entry))


def words_of_json(begin: str) -> str:
    """Return what people read of the beginning of a JSON text, which may break off anywhere: its words."""
    members = [(name, text) for name, text in _MEMBERS.findall(begin) if name not in _SAY_NOTHING]
    members.sort(key=lambda one: _SAY_MOST.index(one[0]) if one[0] in _SAY_MOST else len(_SAY_MOST))
    text = _unescaped(members[0][1]) if members else ""
    return _one_line(text)


def _unescaped(text: str) -> str:
    try:
        return str(json.loads(f'"{text}"', strict=False))
    except ValueError:  # broken off within an escape
        return text.replace("\\", " ")


def _one_line(text: str) -> str:
    said = first_heading(text)[0] or plain(" ".join(text.split()))
    return said[:TITLE_CHARACTERS] or _("without words")


def _with_beginning(words: str) -> str:
    """Return what is searched for: the last word may be the beginning of one."""
    return f"{words}*" if words[-1].isalnum() else words


def _excerpt_of(entry: Mapping[str, Any]) -> str:
    if "excerpt" in entry:
        return str(entry["excerpt"])
    if entry.get("snippets"):
        return str(entry["snippets"][0]["text"])
    return ""


def _choice(entry: Mapping[str, Any]) -> Choice:
    title = title_of(entry) if "data" in entry else called(entry)
    return Choice(str(entry["id"]), str(entry["kind"]), title, str(entry.get("created_at") or "")[:10])
