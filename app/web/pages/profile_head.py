"""Head of a page. Who is this, what do they do, where, what do they look for now, how are they written to?

All of it comes out of the sections that are shown below: where those say nothing, nothing is said.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.entries.page_wishes import HEAD_LINES
from app.server.profile_lookup import Section
from app.web.pages.shown_entry import label_of, line_of, link_of, shown_entry, text_of

_MAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9.-]{1,200}\.[A-Za-z]{2,24}")
KINDS_OF_LINES = frozenset(("resume", "about", "contact_info", "currently"))
"""Of which the name, what someone does and where are taken."""

_TEXTS = tuple(name for name in HEAD_LINES if name != "picture")
LOOKED_FOR = 3
LINKS_MOST = 12
LONGEST_LINE = 220


@dataclass(frozen=True)
class Head:
    """What stands above a page; texts are one line each, and empty where nothing is known.

    ``looks_for`` are titles with the ids of their entries; ``links`` labels with addresses of their own.
    """

    name: str
    username: str
    does: str
    where: str
    now: str
    about: str
    mail: str
    looks_for: tuple[tuple[str, str], ...]
    links: tuple[tuple[str, str], ...]

    def with_lines(self, lines: tuple[str, ...] | None) -> Head:
        """Return the same with these of its lines alone; None: with all."""
        if lines is None:
            return self
        gone = {name: type(getattr(self, name))() for name in _TEXTS if name not in lines}
        return replace(self, **gone)


def head_of(username: str, sections: Sequence[Section]) -> Head:
    """Return the head of a page with these sections."""
    of_kind = {section.kind.name: [_card(view) for view in section.entries] for section in sections}
    resume, about = of_kind.get("resume", []), of_kind.get("about", [])
    cards = [*resume, *about, *of_kind.get("contact_info", [])]
    contacts = [_below(card, "contact") for card in resume]
    return Head(
        name=_first(line_of(one.get("name")) for one in [*resume, *about]) or username,
        username=username,
        does=_first(line_of(one.get("title")) for one in [*resume, *about]),
        where=_first(
            _place(one.get("location")) for one in [*contacts, *about, *of_kind.get("currently", [])]
        ),
        now=_first(line_of(one.get("activity")) for one in of_kind.get("currently", [])),
        about=_first(line_of(one.get(name)) for one in [*about, *resume] for name in ("bio", "summary")),
        mail=_first(_mail(one.get("email")) for one in [*contacts, *cards]),
        looks_for=tuple(_looked_for(sections)),
        links=tuple(dict(_links([*contacts, *cards])).items())[:LINKS_MOST],
    )


def without_head(kind: str, view: Mapping[str, Any], head: Head) -> Mapping[str, Any]:
    """Return a view without what the head of its page says already: it is not said twice."""
    if kind not in ("about", "resume"):
        return view
    said = {head.name, head.does, head.where, head.about, head.mail, *(link for _label, link in head.links)}
    return {**view, "data": _without(_data(view), said - {""}, ("basics", "contact", "social_links"))}


def _without(data: Mapping[str, Any], said: set[str], inside: tuple[str, ...]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in data.items():
        if isinstance(value, Mapping) and key in inside:
            below = _without(value, said, ())
            if below:
                kept[key] = below
        elif (_place(value) if key == "location" else line_of(value))[:LONGEST_LINE] not in said:
            kept[key] = value
    return kept


def _data(view: Mapping[str, Any]) -> Mapping[str, Any]:
    data = view.get("data")
    return data if isinstance(data, Mapping) else {}


def _card(view: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a view says; what JSON Resume has of its person in ``basics`` stands beside the rest."""
    data = _data(view)
    basics = _below(data, "basics")
    return {"title": basics.get("label"), **data, **basics} if basics else data


def _below(data: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = data.get(name)
    return found if isinstance(found, Mapping) else {}


def _first(found: Iterator[str]) -> str:
    return next(filter(None, found), "")[:LONGEST_LINE]


def _place(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(filter(None, (line_of(value.get(name)) for name in ("city", "region", "country"))))
    return line_of(value)


def _mail(value: object) -> str:
    text = text_of(value).strip()
    return text if _MAIL.fullmatch(text) else ""


def _looked_for(sections: Sequence[Section]) -> Iterator[tuple[str, str]]:
    found = next((section.entries for section in sections if section.kind.name == "looking_for"), ())
    for view in found[:LOOKED_FOR]:
        entry = shown_entry(view, 3, is_whole=False)
        data = _data(view)
        title = entry.record.title or line_of(data.get("description")) or line_of(data.get("content"))
        if title:
            yield title[:LONGEST_LINE], entry.key


def _links(cards: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    """Yield label and address of pages of the person elsewhere; of each label the first one counts."""
    seen: set[str] = set()
    for card in cards:
        of_profiles = _profiles(card.get("profiles"))
        for key, value in (*card.items(), *_below(card, "social_links").items(), *of_profiles):
            address = link_of(value)
            if address and label_of(str(key)) not in seen:
                seen.add(label_of(str(key)))
                yield label_of(str(key)), address


def _profiles(value: object) -> Iterator[tuple[str, Any]]:
    """Yield network and address of each profile, as JSON Resume has them."""
    for each in value[:LINKS_MOST] if isinstance(value, list) else ():
        if isinstance(each, Mapping):
            yield line_of(each.get("network")), each.get("url")
