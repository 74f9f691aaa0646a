"""Atom (RFC 4287), written. Which feed do entries make, of what they may show?

Texts are escaped, and what XML 1.0 has no character for is left out; nothing in a value becomes markup.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from app.formats.content_lines import texts_of, uri_of
from app.formats.headings import leading_heading
from app.formats.items import Content

MEDIA_TYPE = "application/atom+xml"
NO_TIME = "1970-01-01T00:00:00Z"
_NO_CHARACTER = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_MARKS = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "\r": "&#13;"}
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})")


@dataclass(frozen=True)
class FeedPicture:
    """A picture in a feed: its address, its media type, and what is to be seen, which may be empty."""

    address: str
    media_type: str
    alt: str = ""


@dataclass(frozen=True)
class FeedEntry:
    """One entry of a feed. ``id`` is an IRI that stays; ``link`` where it is read, if that is known.

    ``html``: what is shown of it, as safe HTML, in the place of ``text``.
    """

    id: str
    title: str
    updated: str
    published: str | None = None
    text: str = ""
    link: str | None = None
    tags: tuple[str, ...] = ()
    html: str = ""
    language: str = ""
    pictures: tuple[FeedPicture, ...] = ()


@dataclass(frozen=True)
class About:
    """What a feed says of itself: where it is, the page that it follows, its language, if known.

    ``icon``: the address of a square picture of its author.
    """

    id: str
    title: str
    author: str
    link: str | None = None
    page: str | None = None
    author_page: str | None = None
    language: str = ""
    icon: str | None = None


def feed_entry(kind: str, view: Content, entry_id: str) -> FeedEntry:
    """Return what a feed has of a view, as text; ``entry_id``: an IRI that stays."""
    data = view.get("data")
    said = data if isinstance(data, dict) else {}
    meta = said["meta"] if isinstance(said.get("meta"), dict) else {}
    titles = [
        each for holder in (said, meta) for key in ("title", "name") for each in texts_of(holder.get(key))
    ]
    texts = [each for key in ("content", "description", "summary") for each in texts_of(said.get(key))]
    text = next((said[key] for key in ("content", "description", "summary") if texts_of(said.get(key))), None)
    titles += [heading for heading, _ in [leading_heading(text)] if heading]
    tags = dict.fromkeys([*texts_of(said.get("tags")), *texts_of(meta.get("tags"))])
    link = next((uri for each in texts_of(said.get("url")) if (uri := uri_of(each))), None)
    return FeedEntry(
        id=entry_id,
        title=titles[0] if titles else f"{kind} {view['id']}",
        updated=updated_in(view),
        published=time_in(view.get("created_at")),
        text=texts[0] if texts else "",
        link=link,
        tags=tuple(tags),
    )


def feed(about: About, entries: Iterable[FeedEntry]) -> bytes:
    """Return a feed, with the entries in the order that they are given in."""
    found = list(entries)
    updated = max((each.updated for each in found), default=NO_TIME)
    uri = f"<uri>{_text(about.author_page)}</uri>" if about.author_page else ""
    page = f'<link rel="alternate" type="text/html" href="{_text(about.page)}"/>' if about.page else ""
    lines = [
        '<?xml version="1.0" encoding="utf-8"?>',
        f'<feed xmlns="http://www.w3.org/2005/Atom"{_language(about.language)}>',
        f"<id>{_text(about.id)}</id>",
        f"<title>{_text(about.title)}</title>",
        f"<updated>{_text(updated)}</updated>",
        *([f"<icon>{_text(about.icon)}</icon>"] if about.icon else []),
        f"<author><name>{_text(about.author)}</name>{uri}</author>",
        *([f'<link rel="self" type="{MEDIA_TYPE}" href="{_text(about.link)}"/>'] if about.link else []),
        *([page] if page else []),
    ]
    for each in found:
        lines += _lines(each)
    return "\n".join([*lines, "</feed>", ""]).encode()


def _lines(entry: FeedEntry) -> list[str]:
    return [
        f"<entry{_language(entry.language)}>",
        f"<id>{_text(entry.id)}</id>",
        f"<title>{_text(entry.title)}</title>",
        f"<updated>{_text(entry.updated)}</updated>",
        *([f"<published>{_text(entry.published)}</published>"] if entry.published else []),
        *([f'<link href="{_text(entry.link)}"/>'] if entry.link else []),
        *map(_enclosure, entry.pictures),
        *(f'<category term="{_text(tag)}"/>' for tag in entry.tags),
        f'<content type="html">{_text(entry.html)}</content>'
        if entry.html
        else f'<content type="text">{_text(entry.text)}</content>',
        "</entry>",
    ]


def _enclosure(picture: FeedPicture) -> str:
    title = f' title="{_text(picture.alt)}"' if picture.alt else ""
    address, media_type = _text(picture.address), _text(picture.media_type)
    return f'<link rel="enclosure" type="{media_type}" href="{address}"{title}/>'


def _language(language: str) -> str:
    return f' xml:lang="{_text(language)}"' if language else ""


def _text(text: str) -> str:
    return "".join(_MARKS.get(each, each) for each in _NO_CHARACTER.sub("", text))


def updated_in(view: Content) -> str:
    """Return when what a view shows changed last."""
    return time_in(view.get("updated_at")) or time_in(view.get("created_at")) or NO_TIME


def time_in(value: object) -> str | None:
    """Return a time as a feed has it; None for what is none."""
    return value if isinstance(value, str) and _TIME.fullmatch(value) else None
