"""JSON Feed 1.1 (jsonfeed.org), written. Which feed do entries make, of what they may show?"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from app.formats.atom import About, FeedEntry, FeedPicture

MEDIA_TYPE = "application/feed+json"
VERSION = "https://jsonfeed.org/version/1.1"


def feed(about: About, entries: Iterable[FeedEntry]) -> bytes:
    """Return a feed, with the entries in the order that they are given in."""
    author = {"name": about.author} | _said(url=about.author_page, avatar=about.icon)
    value: dict[str, Any] = {"version": VERSION, "title": about.title}
    value |= _said(home_page_url=about.page, feed_url=about.link, icon=about.icon, language=about.language)
    value |= {"authors": [author], "items": [_item(each) for each in entries]}
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _item(entry: FeedEntry) -> dict[str, Any]:
    content = {"content_html": entry.html} if entry.html else {"content_text": entry.text}
    return {
        "id": entry.id,
        "title": entry.title,
        **content,
        **_said(url=entry.link, image=next((each.address for each in entry.pictures), None)),
        **_said(date_published=entry.published, language=entry.language),
        "date_modified": entry.updated,
        **_said(tags=list(entry.tags), attachments=[_attachment(each) for each in entry.pictures]),
    }


def _attachment(picture: FeedPicture) -> dict[str, Any]:
    return {"url": picture.address, "mime_type": picture.media_type, **_said(title=picture.alt)}


def _said(**members: Any) -> dict[str, Any]:
    """Return the members that say anything."""
    return {name: value for name, value in members.items() if value}
