"""vCard 4.0 (RFC 6350), written. Which card does an entry make, of those fields that it may show?"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from app.formats.content_lines import escaped, line, moment_of, texts_of, uri_of, written
from app.formats.items import Content
from app.formats.json_resume_writing import resume_of

_ADDRESS = ("po_box", "extended", "street", "city", "region", "postal_code", "country")
_SITES = ("website", "url", "linkedin", "github", "mastodon", "twitter", "orcid", "portfolio", "blog")
_DAY = re.compile(r"(\d{4}|-)-(\d{2})(?:-(\d{2}))?")


def cards(kind: str, views: Iterable[Content]) -> bytes:
    """Return the cards of entries of a kind, each from what a view of it shows."""
    return b"".join(written(_card(kind, view)) for view in views)


def _card(kind: str, view: Content) -> Iterator[str]:
    data = view.get("data")
    said = _of_resume(data) if kind == "resume" else dict(data) if isinstance(data, dict) else {}
    yield "BEGIN:VCARD"
    yield "VERSION:4.0"
    yield line("UID", escaped(f"daemon-{kind}-{view['id']}"), {"VALUE": ["text"]})
    meta = said["meta"] if isinstance(said.get("meta"), dict) else {}
    names = texts_of(said.get("name")) or texts_of(said.get("title")) or texts_of(meta.get("title"))
    yield line("FN", escaped(names[0] if names else "(no name)"))
    yield from _texts(said, meta)
    yield from _reached_by(said)
    yield from _days(said)
    if moment := moment_of(view.get("updated_at")):
        yield line("REV", moment)
    yield "END:VCARD"


def _texts(said: Content, meta: Content) -> Iterator[str]:
    for name, key in (("NICKNAME", "nickname"), ("ORG", "organization"), ("TITLE", "role")):
        for text in texts_of(said.get(key))[:1]:
            yield line(name, escaped(text))
    for key in ("note", "bio", "content", "summary"):
        for text in texts_of(said.get(key))[:1]:
            yield line("NOTE", escaped(text))
    tags = list(dict.fromkeys([*texts_of(said.get("tags")), *texts_of(meta.get("tags"))]))
    if tags:
        yield line("CATEGORIES", ",".join(map(escaped, tags)))


def _reached_by(said: Content) -> Iterator[str]:
    for name, one, several in (("EMAIL", "email", "emails"), ("TEL", "phone", "phones")):
        for text, types in _valued(said.get(one), said.get(several)):
            yield line(name, escaped(text), {"TYPE": types})
    sites = [each for key in _SITES for each in texts_of(said.get(key))]
    for text in dict.fromkeys([*sites, *(each for each, _ in _valued(None, said.get("urls")))]):
        if address := uri_of(text):
            yield line("URL", address)
    for text, _ in _valued(None, said.get("messengers")):
        if address := uri_of(text) if ":" in text else None:
            yield line("IMPP", address)
    for each in _objects(said.get("addresses")):
        parts = (escaped(" ".join(texts_of(each.get(part)))) for part in _ADDRESS)
        yield line("ADR", ";".join(parts), {"TYPE": texts_of(each.get("types"))})


def _valued(one: object, several: object) -> Iterator[tuple[str, list[str]]]:
    yield from ((text, []) for text in texts_of(one))
    for each in several if isinstance(several, list) else ():
        if isinstance(each, dict):
            yield from ((text, texts_of(each.get("types"))) for text in texts_of(each.get("value")))
        else:
            yield from ((text, []) for text in texts_of(each))


def _objects(value: object) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _days(said: Content) -> Iterator[str]:
    for name, key in (("BDAY", "birthday"), ("ANNIVERSARY", "anniversary")):
        for text in texts_of(said.get(key))[:1]:
            day = _DAY.fullmatch(text)
            if day is None:
                yield line(name, escaped(text), {"VALUE": ["text"]})
            elif day[3] is None:
                yield line(name, f"{day[1]}-{day[2]}")
            else:
                yield line(name, f"{'--' if day[1] == '-' else day[1]}{day[2]}{day[3]}")


def _of_resume(data: object) -> Content:
    """The card of who a resume is about: their name, how they are reached, and where they work."""
    resume = resume_of(data)
    basics, work = resume["basics"], _objects(resume.get("work"))
    place = basics.get("location")
    where = place if isinstance(place, dict) else {}
    address = {
        "street": where.get("address"),
        "city": where.get("city"),
        "region": where.get("region"),
        "postal_code": where.get("postalCode"),
        "country": where.get("countryCode") or where.get("country"),
    }
    profiles = _objects(basics.get("profiles"))
    now = next((each for each in work if not each.get("endDate")), {})
    return {
        **{key: basics.get(key) for key in ("name", "email", "phone", "url", "summary")},
        "role": basics.get("label"),
        "organization": now.get("name"),
        "urls": [each["url"] for each in profiles if each.get("url")],
        "addresses": [address] if any(texts_of(each) for each in address.values()) else [],
    }
