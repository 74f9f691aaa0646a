"""Markdown files (Hugo, Jekyll, Obsidian, plain). Which entry is each, and which were not to be seen?

A text keeps every byte of its body: shortcodes, Liquid, embeds, footnotes and HTML are part of it. Every key
of the front matter stays in `meta.front_matter`; what Daemon does not know is shown to no one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from app.formats.dates import date_of
from app.formats.front_matter import split
from app.formats.items import Choices, Content, Found, LeftOut, Source
from app.formats.texts import text_of

NAME = "Markdown"
SUFFIXES = (".md", ".markdown", ".mdown")
KIND = "ideas"  # where neither the front matter nor the person says another one
_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})-(.+)")
_NOT_TEXTS = frozenset(
    {".obsidian", "templates", "daily", ".trash", ".git", "node_modules", "layouts", "themes"}
)
_NOT_DATA = frozenset({"readme.md", "license.md", "contributing.md"})
_HIDDEN_WORDS = frozenset({"false", "no", "off", "0", "private", "draft"})
_TRUE_WORDS = frozenset({"true", "yes", "on", "1"})
_TAG_KEYS = ("tags", "tag", "keywords", "categories", "category")


def is_markdown(path: str) -> bool:
    """Whether a file's name says that it is Markdown."""
    return path.lower().endswith(SUFFIXES)


def read_files(source: Source, choices: Choices, today: str) -> Iterator[Found | LeftOut]:
    """Yield the entry of each Markdown file; ``today`` is the date after which a text is yet to come."""
    for path, content in source.files.items():
        if not is_markdown(path):
            continue
        folders = [part.lower() for part in PurePosixPath(path).parts[:-1]]
        if _NOT_TEXTS.intersection(folders):
            yield LeftOut(path, "templates, daily notes and settings are no texts to publish")
        elif PurePosixPath(path).name.lower() in _NOT_DATA:
            yield LeftOut(path, "a file about the folder")
        else:
            yield read_file(path, content, choices, today)


def read_file(path: str, content: bytes, choices: Choices, today: str) -> Found:
    """Return the entry of a Markdown file. Raises InvalidContent."""
    matter = split(text_of(content, path, choices.encoding), path, choices)
    values, stem = dict(matter.values), PurePosixPath(path).name.rsplit(".", 1)[0]
    dated = _DATED.fullmatch(stem)
    meta: Content = {}
    title = values.get("title") or _first_heading(matter.body) or (dated[2] if dated else stem)
    meta["title"] = title if isinstance(title, str) else str(title)
    date = values.get("date") or (dated[1] if dated else None)
    if isinstance(date, str) and date.strip():
        meta["date"] = date.strip()
    tags = _tags(values)
    if tags:
        meta["tags"] = tags
    if values:
        meta["front_matter"] = values  # below a name of its own: `draft` there is heard here, and not twice
    visibility = values.get("visibility")
    content_out: Content = {"content": matter.body, "meta": meta}
    return Found(
        path,
        choices.kind or KIND,
        content_out,
        path,
        is_hidden=_is_hidden(path, values, meta.get("date"), today),
        visibility=visibility if visibility in ("public", "unlisted", "private") else None,
        slug=_slug(values, dated[2] if dated else stem),
    )


def _first_heading(body: str) -> str | None:
    for line in body.splitlines():
        if line.startswith("# "):
            return line[2:].strip().rstrip("#").strip() or None
        if line.strip():
            return None
    return None


def _tags(values: dict[str, Any]) -> list[str]:
    """The tags of a list, of a text with commas or blanks, or under Zola's and Hugo's `taxonomies`."""
    found: list[str] = []
    taxonomies = values.get("taxonomies")
    for key in _TAG_KEYS:
        for holder in (values, taxonomies if isinstance(taxonomies, dict) else {}):
            found += _split_tags(holder.get(key))
    return list(dict.fromkeys(found))


def _split_tags(value: Any) -> list[str]:
    if isinstance(value, str):
        parts = value.split(",") if "," in value else value.split()
        return [tag for part in parts if (tag := part.strip().lstrip("#"))]
    if isinstance(value, list):
        return [tag for each in value if each is not None and (tag := str(each).strip().lstrip("#"))]
    return []


def _is_hidden(path: str, values: dict[str, Any], date: Any, today: str) -> bool:
    folders = {part.lower() for part in PurePosixPath(path).parts[:-1]}
    if folders & {"_drafts", "drafts", "private"}:
        return True
    said = {key.lower(): str(value).strip().lower() for key, value in values.items() if value is not None}
    if any(said.get(key) in _TRUE_WORDS for key in ("draft", "private", "archived", "hidden", "headless")):
        return True
    if any(said.get(key) in _HIDDEN_WORDS for key in ("published", "publish")):
        return True
    if said.get("status") in ("draft", "private") or said.get("visibility") in ("private", "unlisted"):
        return True
    when = [
        date_of(str(each)) for each in (date, values.get("publishDate"), values.get("publish_at")) if each
    ]
    ended = [date_of(str(each)) for each in (values.get("expiryDate"), values.get("expires_at")) if each]
    return any(each is not None and each > today for each in when) or any(
        each is not None and each <= today for each in ended
    )


def _slug(values: dict[str, Any], stem: str) -> str | None:
    """A name for the address, if the text has one of its own; whether it can be one is asked later."""
    named = values.get("slug")
    return (named if isinstance(named, str) and named.strip() else stem).strip().lower()
