"""Markdown files, written. What does a person read of an entry, and what a program in the front matter?

The front matter is YAML in which every text is quoted as JSON quotes it, so that nothing in a value ends it,
starts another one or is taken for a date, a number or a tag. A text that is long, and what holds further
fields, stands below it, each field once. Read again, it gives the same content (for entries that are a text).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from app.formats.headings import leading_heading
from app.formats.items import Content

_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_YAML_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null"})
_UNSEEN = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_LONG = 200
_DEPTH_MOST = 6  # of headings in Markdown
_TEXT = "content"
_ABOUT = ("id", "created_at", "updated_at", "visibility", "slug", "owner")


def entry(kind: str, view: Content) -> bytes:
    """Return an entry as a file: front matter, and the text of it."""
    matter = _front_matter(kind, view)
    return f"{_fenced(matter)}\n{_body(view, matter, 1)}".encode("utf-8", "replace")


def entries(kind: str, views: Iterable[Content]) -> bytes:
    """Return a list of entries as one text to read.

    What each is stands in the front matter, which no text below it can change.
    """
    found = list(views)
    matters = [_front_matter(kind, view) for view in found]
    parts = [_fenced({"kind": kind, "entries": matters})]
    for view, matter in zip(found, matters, strict=True):
        title, below = _titled(view)
        parts.append(f"# {_line(title)}\n\n{_body(below, matter, 2)}")
    return "\n".join(parts).encode("utf-8", "replace")


def _fenced(matter: Content) -> str:
    return "\n".join(["---", *_yaml(matter, 0), "---", ""])


def yaml_text(text: str) -> str:
    """Return a text as a scalar of YAML, in double quotes."""
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", quoted)


def _front_matter(kind: str, view: Content) -> Content:
    data = view.get("data")
    found: Content = {"kind": kind} | {key: view[key] for key in _ABOUT if view.get(key) is not None}
    said = data if isinstance(data, dict) else {}
    meta = said.get("meta")
    found |= {key: each for key, each in _small(meta) if key not in found}
    return found | {key: each for key, each in _small(said) if key not in (*found, "meta", _TEXT)}


def _small(value: object) -> Iterator[tuple[str, Any]]:
    """Yield the members that fit into the front matter: short texts, numbers, and lists of these."""
    for key, each in value.items() if isinstance(value, dict) else ():
        if _is_small(each) or (isinstance(each, list) and each and all(map(_is_small, each))):
            yield key, each


def _is_small(value: object) -> bool:
    if isinstance(value, str):
        return len(value) <= _LONG and "\n" not in value
    return value is None or isinstance(value, bool | int | float)


def _yaml(values: Content, depth: int) -> Iterator[str]:
    before = "  " * depth
    for key, value in values.items():
        name = key if _PLAIN_KEY.fullmatch(key) and key.lower() not in _YAML_WORDS else yaml_text(key)
        if isinstance(value, list) and value and isinstance(value[0], dict):
            yield f"{before}{name}:"
            for each in value:
                inner = list(_yaml(each, 0))
                yield f"{before}  - {inner[0]}"
                yield from (f"{before}    {line}" for line in inner[1:])
        elif isinstance(value, list):
            yield f"{before}{name}: [{', '.join(map(_scalar, value))}]"
        else:
            yield f"{before}{name}: {_scalar(value)}"


def _scalar(value: object) -> str:
    return yaml_text(value) if isinstance(value, str) else json.dumps(value)


# -- what is below it


def _body(view: Content, matter: Content, depth: int) -> str:
    data = view.get("data")
    if not isinstance(data, dict):
        return f"{_inline(data)}\n"
    text = data.get(_TEXT)
    parts = [text if text.endswith("\n") else f"{text}\n"] if isinstance(text, str) else []
    rest = {key: each for key, each in data.items() if key != "meta" and _is_below(key, each, matter)}
    if parts:
        del rest[_TEXT]
    meta = data.get("meta")
    said = meta if isinstance(meta, dict) else {}
    about = {key: each for key, each in said.items() if _is_below(key, each, matter)}
    return "\n".join([*parts, *_sections({**rest, "meta": about} if about else rest, depth)])


def _is_below(key: str, value: object, matter: Content) -> bool:
    """Whether a member does not stand in the front matter: it is too large, or another has its name."""
    return key not in matter or matter[key] != value or key == "kind"


def _sections(values: Content, depth: int) -> Iterator[str]:
    for key, value in values.items():
        heading, text = "#" * min(depth + 1, _DEPTH_MOST), "\n".join(_lines(value, 0))
        yield f"{heading} {_line(key)}\n\n{text}\n"


def _lines(value: object, depth: int) -> Iterator[str]:
    before = "  " * depth
    if isinstance(value, dict):
        for key, each in value.items():
            if isinstance(each, dict | list) and each:
                yield f"{before}- {_line(key)}:"
                yield from _lines(each, depth + 1)
            else:
                yield f"{before}- {_line(key)}: {_indented(each, before)}"
    elif isinstance(value, list):
        for each in value:
            if isinstance(each, dict) and each and all(map(_is_small, each.values())):
                yield f"{before}- {'; '.join(f'{_line(key)}: {_inline(one)}' for key, one in each.items())}"
            elif isinstance(each, dict | list) and each:
                inner = list(_lines(each, depth + 1))
                yield f"{before}- {inner[0].strip().removeprefix('- ')}"
                yield from inner[1:]
            else:
                yield f"{before}- {_indented(each, before)}"
    else:
        yield _inline(value)


def _indented(value: object, before: str) -> str:
    return _inline(value).replace("\n", f"\n{before}  ")


def _inline(value: object) -> str:
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def _titled(view: Content) -> tuple[str, Content]:
    """Return the title of a view, and the view without it where its text begins with that."""
    data = view.get("data")
    said = data if isinstance(data, dict) else {}
    meta = said["meta"] if isinstance(said.get("meta"), dict) else {}
    for each in (said.get("title"), meta.get("title"), said.get("name")):
        if isinstance(each, str) and each.strip():
            return each, view
    heading, rest = leading_heading(said.get(_TEXT))
    if heading:
        return heading, view | {"data": said | {_TEXT: rest}}
    return str(view.get("slug") or view.get("id")), view


def _line(text: str) -> str:
    return " ".join(text.split())
