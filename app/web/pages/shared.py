"""Page of a share link. What is shown to who opens one in a browser? What its JSON says, and no address more.

It names no person and leads to no other page of theirs: what it shows may have no address of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from app.entries import kinds
from app.entries.page_wishes import Wishes
from app.entries.profiles import words_of
from app.web.answers import Document
from app.web.pages.composing import entry_class, frame_of, heading_of
from app.web.pages.rendering import rendered
from app.web.pages.shown_entry import ShownEntry, shown_entry
from app.web.public_address import References
from app.web.words import _, language_of, speak


@dataclass(frozen=True)
class SharedSection:
    """Entries of one kind, whole."""

    title: str
    entries: tuple[ShownEntry, ...]
    entry_class: str


def page_of_shared(
    views: Sequence[Mapping[str, Any]], wishes: Wishes, to: References, following: str
) -> Document:
    """Return the page with these views, in order; ``following`` is the reference of the next, if any."""
    speak(language_of(wishes.language))
    is_single = len(views) == 1
    heading = 1 if is_single else 3
    sections = [
        SharedSection(
            _title_of(kind),
            tuple(shown_entry(view, heading, is_whole=True) for view in found),
            entry_class(kind),
        )
        for kind, found in groupby(views, key=lambda view: str(view["kind"]))
    ]
    title = _("Shared with you")
    if is_single:
        title = sections[0].entries[0].record.title or sections[0].title
    return rendered(
        "shared.html",
        frame_of(title, to, wishes),
        title=title,
        sections=sections,
        is_single=is_single,
        following=following,
    )


def _title_of(kind: str) -> str:
    built_in = kinds.built_in().get(kind)
    return heading_of(kind, built_in.title if built_in else words_of(kind))
