"""JSON Resume 1.0.0, written. Which resume do the fields of an entry make, of those that it may show?

Entries hold Daemon's own words, those of JSON Resume, or both. Of a date only what ISO 8601 writes is a date
there; what is still going on has no end. What cannot be a member of that type in its schema is left out of
it: a number is told as text, an address of the web without `https://` with it, and the rest is not there.
"""

from __future__ import annotations

import re
from typing import Any

from app.formats.content_lines import uri_of
from app.formats.dates import date_of
from app.formats.items import Content

SCHEMA = "https://raw.githubusercontent.com/jsonresume/resume-schema/v1.0.0/schema.json"
_DATES = ("startDate", "endDate", "date", "releaseDate")
_LISTS = ("highlights", "keywords", "courses", "roles")
_DATE = re.compile(r"[12]\d{3}(-[01]\d(-[0-3]\d)?)?")
_SECTIONS = {
    "work": ("experience",),
    "volunteer": (),
    "education": (),
    "awards": (),
    "certificates": (),
    "publications": (),
    "languages": (),
    "interests": (),
    "references": (),
    "projects": (),
}
_FIRST = {
    "work": "name",
    "volunteer": "organization",
    "education": "institution",
    "awards": "title",
    "certificates": "name",
    "publications": "name",
    "skills": "name",
    "languages": "language",
    "interests": "name",
    "references": "name",
    "projects": "name",
}
"""The member that an item of a section is where it is no more than a text."""

_START, _END = {"start_date": "startDate"}, {"end_date": "endDate"}
_CALLED: dict[str, dict[str, str]] = {
    "work": {
        "company": "name",
        "title": "position",
        "role": "position",
        "website": "url",
        "description": "summary",
        "achievements": "highlights",
        "responsibilities": "highlights",
        "technologies": "keywords",
        "city": "location",
        **_START,
        **_END,
    },
    "volunteer": {
        "org": "organization",
        "role": "position",
        "website": "url",
        "description": "summary",
        **_START,
        **_END,
    },
    "education": {
        "school": "institution",
        "degree": "studyType",
        "field": "area",
        "major": "area",
        "gpa": "score",
        "website": "url",
        "year": "endDate",
        **_START,
        **_END,
    },
    "awards": {"name": "title", "description": "summary"},
    "certificates": {"title": "name"},
    "publications": {"title": "name", "website": "url"},
    "languages": {"name": "language", "level": "fluency"},
    "interests": {},
    "references": {},
    "projects": {
        "title": "name",
        "github": "url",
        "website": "url",
        "technologies": "keywords",
        "role": "roles",
        **_START,
        **_END,
    },
}
_TEXTS = frozenset(
    (
        *("address", "area", "awarder", "city", "countryCode", "description", "entity", "fluency", "image"),
        *("institution", "issuer", "label", "language", "lastModified", "level", "location", "name"),
        *("network", "organization", "phone", "position", "postalCode", "publisher", "reference", "region"),
        *("score", "studyType", "summary", "title", "type", "username", "version"),
    )
)
"""Members that are a text wherever the schema has them; `location` of an item, too."""

_ADDRESSES_OF_WEB = ("url", "canonical")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_NETWORKS = ("linkedin", "github", "mastodon", "twitter", "orcid")
_ADDRESSES = ("website", "portfolio", "blog")


def resume_of(data: object) -> Content:
    """Return the resume that the data of an entry makes; members that it does not show are not there."""
    said = data if isinstance(data, dict) else {}
    found: Content = {"$schema": SCHEMA, "basics": _basics(said)}
    for name, others in _SECTIONS.items():
        if items := [_item(name, each) for key in (name, *others) for each in _items(said.get(key))]:
            found[name] = items
    if skills := _skills(said.get("skills")):
        found["skills"] = skills
    meta = said.get("meta")
    kept = {
        key: meta[key]
        for key in ("canonical", "version", "lastModified")
        if isinstance(meta, dict) and meta.get(key)
    }
    if kept:
        found["meta"] = _fitting(kept)
    return found


def _basics(said: Content) -> Content:
    given = said.get("basics")
    found: Content = dict(given) if isinstance(given, dict) else {}
    contact = said.get("contact") if isinstance(said.get("contact"), dict) else {}
    assert isinstance(contact, dict)
    own = {"name": said.get("name"), "label": said.get("title"), "summary": said.get("summary")}
    own |= {key: contact.get(key) for key in ("email", "phone")}
    own["url"] = next((contact[each] for each in _ADDRESSES if contact.get(each)), None)
    for key, value in own.items():
        if isinstance(value, str) and value and not found.get(key):
            found[key] = value
    where = contact.get("location")
    if where and "location" not in found:
        found["location"] = where if isinstance(where, dict) else {"city": str(where)}
    profiles = [_fitting(each) for each in _items(found.pop("profiles", None)) if isinstance(each, dict)]
    profiles += [_profile(each, contact[each]) for each in _NETWORKS if isinstance(contact.get(each), str)]
    where = found.pop("location", None)
    if where is not None:
        where = _fitting(where if isinstance(where, dict) else {"city": str(where)})
    found = _fitting({key: value for key, value in found.items() if value is not None})
    return found | ({"location": where} if where else {}) | ({"profiles": profiles} if profiles else {})


def _profile(network: str, text: str) -> Content:
    is_address = "/" in text or text.startswith("http")
    return {"network": network, "url" if is_address else "username": text}


def _items(value: object) -> list[Any]:
    if isinstance(value, list):
        return [each for each in value if each]
    return [value] if isinstance(value, dict | str) and value else []


def _item(section: str, value: Any) -> Content:
    if not isinstance(value, dict):
        return {_FIRST[section]: str(value)}
    found = {key: each for key, each in value.items() if each is not None}
    for own, theirs in _CALLED[section].items():
        if own in found and not found.get(theirs):
            found[theirs] = found.pop(own)
    for key in _LISTS:
        if key in found and not isinstance(found[key], list):
            found[key] = [str(found[key])]
        elif key in found:
            found[key] = [each if isinstance(each, str) else str(each) for each in found[key]]
    for key in _DATES:
        if key in found and (date := _date(found[key])) is None:
            del found[key]
        elif key in found:
            found[key] = date
    return _fitting(found)


def _fitting(found: Content) -> Content:
    """Return members as the schema wants them, without those that cannot be so."""
    told = {key: _told(key, value) for key, value in found.items()}
    return {key: value for key, value in told.items() if value is not None}


def _told(key: str, value: Any) -> Any:
    if key in _ADDRESSES_OF_WEB:
        return uri_of(value) if isinstance(value, str) else None
    if key == "email":
        return value if isinstance(value, str) and _EMAIL.fullmatch(value) else None
    if key not in _TEXTS:
        return value
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "\n".join(value) or None
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def _date(value: object) -> str | None:
    text = date_of(str(value))
    return text if text is not None and _DATE.fullmatch(text) else None


def _skills(value: object) -> list[Content]:
    """Return skills as JSON Resume lists them: of a list, or of an object of lists."""
    if isinstance(value, dict):
        named = ((name, words) for name, words in value.items() if words)
        return [{"name": name, "keywords": [_word(each) for each in _items(words)]} for name, words in named]
    return [_item_of_skill(each) for each in _items(value)]


def _item_of_skill(value: Any) -> Content:
    if not isinstance(value, dict):
        return {"name": str(value)}
    found = {key: each for key, each in value.items() if each is not None}
    if "keywords" in found:
        found["keywords"] = [_word(each) for each in _items(found["keywords"])]
    return _fitting(found)


def _word(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("name") or next(iter(value.values()), ""))
    return str(value)
