"""JSON Resume (1.0.0, and the words of 0.0.x). What of it becomes the entry of the kind `resume`?

Source: https://jsonresume.org/schema, and what real files hold that it does not know: names of both versions
side by side, `{}` for basics, ranges in one field, whole sections under names of their own. All of it stays
in the entry, so that an export gives it back; what Daemon does not know is shown to no one. Photos inside the
file and the references of other people are taken out, and said to be.
"""

from __future__ import annotations

import re
from typing import Any

from app.errors import InvalidContent
from app.formats.dates import date_of, is_ongoing, range_of
from app.formats.items import Choices, Content, Found, LeftOut

NAME = "JSON Resume"
_SECTIONS = frozenset(
    {
        *("basics", "work", "education", "skills", "volunteer", "awards", "publications", "languages"),
        *("interests", "references", "projects", "certificates"),
    }
)
_FILE = re.compile(
    r"(?:.*[/.])?resume(?:[.-](?P<language>[a-z]{2}(?:-[A-Za-z]{2,4})?))?\.json", re.IGNORECASE
)
# What 0.0.x called it -> what 1.0.0 calls it, by section.
_NOW_CALLED = {
    "basics": {"picture": "image", "website": "url", "title": "label", "bio": "summary"},
    "work": {"company": "name", "website": "url", "role": "position"},
    "volunteer": {"website": "url"},
    "education": {"website": "url"},
    "publications": {"website": "url"},
    "projects": {"website": "url", "title": "name"},
    "certificates": {"title": "name"},
}
_RANGES = ("period", "dates", "date", "duration")
_DATES = ("startDate", "endDate", "date", "releaseDate")


def is_resume(value: Any) -> bool:
    """Whether a JSON value is, by its sections, a JSON Resume; raises InvalidContent for what looks alike."""
    if not isinstance(value, dict):
        return False
    _refuse_lookalikes(value)
    return len(_SECTIONS & value.keys()) >= 2 or isinstance(value.get("basics"), dict)


def is_named_so(path: str) -> bool:
    """Whether a file is called as a resume is: `resume.json`, `resume.de.json`."""
    return _FILE.fullmatch(path) is not None


def _refuse_lookalikes(value: dict[str, Any]) -> None:
    what = ""
    if "titleNameMap" in value or "educationList" in value:
        what = "the template of a resume builder (titleNameMap, educationList)"
    elif isinstance(value.get("attributes"), list) and any(
        isinstance(each, dict) and "trait_type" in each for each in value["attributes"]
    ):
        what = "a token's metadata (attributes with trait_type)"
    elif isinstance(value.get("basics"), dict) and {"karma", "yearsOfExperience"} & value["basics"].keys():
        what = "a gitconnected profile (basics.karma, basics.yearsOfExperience)"
    if what:
        raise InvalidContent(
            f"This is {what}, and not a JSON Resume; nothing was imported.",
            hint="Export it there as JSON Resume, and import that.",
        )


def read_resume(value: dict[str, Any], path: str, _choices: Choices) -> Found:
    """Return the entry that a JSON Resume makes."""
    left_out: list[LeftOut] = []
    content: Content = {
        key: _section(key, each, path, left_out) for key, each in value.items() if key != "references"
    }
    if value.get("references"):
        left_out.append(LeftOut(f"{path}: references", "what others say is theirs; it stays in the source"))
    basics = content.get("basics")
    content["basics"] = basics if isinstance(basics, dict) else {}
    meta = dict(value["meta"]) if isinstance(value.get("meta"), dict) else {}
    meta.pop("visibility", None)
    language = _FILE.fullmatch(path)
    if language is not None and language["language"]:
        meta["language"] = language["language"]
    content["meta"] = meta
    return Found(f"resume:{meta.get('language', '')}", "resume", content, path, left_out=tuple(left_out))


def _section(name: str, value: Any, path: str, left_out: list[LeftOut]) -> Any:
    if isinstance(value, list):
        return [_item(name, each, f"{path}: {name}", left_out) for each in value]
    return _item(name, value, f"{path}: {name}", left_out)


def _item(section: str, value: Any, place: str, left_out: list[LeftOut]) -> Any:
    if not isinstance(value, dict):
        return value
    found = dict(value)
    for before, now in _NOW_CALLED.get(section, {}).items():
        if before in found and not found.get(now):
            found[now] = found.pop(before)
    if section == "basics":
        _name_of_parts(found)
    for key, each in tuple(found.items()):
        if isinstance(each, str) and each.lstrip().startswith("data:"):
            del found[key]
            left_out.append(LeftOut(f"{place}.{key}", "a picture inside the text; it stays in the source"))
    _dates_of(found)
    return found


def _name_of_parts(basics: Content) -> None:
    parts = [basics.get("firstName"), basics.get("lastName")]
    if not basics.get("name") and any(isinstance(each, str) and each.strip() for each in parts):
        basics["name"] = " ".join(each.strip() for each in parts if isinstance(each, str) and each.strip())


def _dates_of(item: Content) -> None:
    """Write dates as ISO 8601 does, where they are understood; an end that has not come is no date."""
    span = item.get("span")
    if isinstance(span, dict) and "startDate" not in item:
        _set_ends(item, str(span.get("from") or ""), str(span.get("to") or ""))
    for key in _RANGES:
        text = item.get(key)
        if isinstance(text, list) and len(text) == 2 and all(isinstance(each, str) for each in text):
            ends: tuple[str, str] | None = (text[0], text[1])
        else:
            ends = range_of(text) if isinstance(text, str) else None
        if ends is not None and "startDate" not in item:
            _set_ends(item, *ends)
    for key in _DATES:
        text = item.get(key)
        if not isinstance(text, str):
            continue
        if key == "endDate" and (is_ongoing(text) or not text.strip()):
            del item[key]
        elif (date := date_of(text)) is not None:
            item[key] = date


def _set_ends(item: Content, begin: str, end: str) -> None:
    item["startDate"] = date_of(begin) or begin
    if end.strip() and not is_ongoing(end):
        item["endDate"] = date_of(end) or end
