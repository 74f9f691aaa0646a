"""Feed composing (Atom, JSON Feed). What does a feed say of what was looked up? What its page shows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import quote

from app.entries.pictures import Picture
from app.formats import atom, json_feed
from app.formats.atom import About, FeedEntry, FeedPicture
from app.server.feed_lookup import FedEntry, SeenFeed
from app.web.answers import Document
from app.web.content_security import NOTHING
from app.web.pages.composing import TEXT_MOST, address_of
from app.web.pages.profile_head import head_of
from app.web.pages.rendering import fragment
from app.web.pages.shown_entry import line_of, shown_entry, without_turns
from app.web.public_address import References

ATOM, JSON_FEED = "feed.atom", "feed.json"
LONGEST_TITLE = 80  # of an entry that has none, and is called by its first words
_WRITERS = {
    ATOM: (atom.feed, f"{atom.MEDIA_TYPE}; charset=utf-8"),
    JSON_FEED: (json_feed.feed, json_feed.MEDIA_TYPE),
}


def feed_document(seen: SeenFeed, form: str, to: References, level: str | None) -> Document:
    """Return the feed as ATOM or as JSON_FEED; raises what `References.whole` raises."""
    page = address_of(seen.username, *filter(None, (seen.kind,)))
    name = head_of(seen.username, seen.sections).name
    about = About(
        seen.ids.of(f"feed {seen.username}/{seen.kind}"),
        f"{seen.title} – {name}" if seen.kind else name,
        name,
        to.whole(f"{page}/{form}" + (f"?level={quote(level)}" if level else "")),
        to.whole(page),
        to.whole(address_of(seen.username)),
        seen.wishes.language or "",
        to.whole(seen.avatar.size("medium").path) if seen.avatar else None,
    )
    write, media_type = _WRITERS[form]
    return Document(write(about, _entries(seen, to)), media_type, NOTHING)


def _entries(seen: SeenFeed, to: References) -> Iterator[FeedEntry]:
    room = TEXT_MOST * 5
    for one in seen.entries:
        room -= len(json.dumps(one.view.get("data")))
        yield _entry(seen, one, to, has_room=room > 0)


def _entry(seen: SeenFeed, one: FedEntry, to: References, *, has_room: bool) -> FeedEntry:
    shown = shown_entry(one.view, 2, is_whole=has_room)
    record = shown.record
    words = line_of(record.text.striptags())
    return FeedEntry(
        id=seen.ids.of(f"entry {one.view['id']}"),
        title=record.title or _beginning_of(words) or one.kind_title,
        updated=atom.updated_in(one.view),
        published=atom.time_in(one.view.get("created_at")),
        link=to.whole(address_of(seen.username, one.kind, shown.key)),
        tags=record.tags,
        html=fragment("feed_entry.html", one=shown),
        language=shown.language,
        pictures=tuple(_picture(each, to) for each in one.pictures),
    )


def _picture(picture: Picture, to: References) -> FeedPicture:
    shown = picture.size("large")
    return FeedPicture(to.whole(shown.path), shown.media_type, without_turns(picture.alt))


def _beginning_of(words: str) -> str:
    if len(words) <= LONGEST_TITLE:
        return words
    return re.sub(r"\s+\S*$", "", words[:LONGEST_TITLE]) + " …"
