"""Composing of pages. Which sections, entries and links has a page of what was looked up?"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from app.accounts.messages import CONTACT_MOST, NAME_MOST
from app.accounts.messages import TEXT_MOST as TEXT_MOST_OF_MESSAGE
from app.entries import kinds
from app.entries.endpoints import SECOND_ADDRESS
from app.entries.page_wishes import Wishes
from app.entries.pictures import Picture
from app.reserved_names import FILES_OF_PERSON
from app.server.profile_lookup import OF_RESUME, SHORT, Around, Section, SeenProfile
from app.web.answers import Document
from app.web.pages.alternates import alternates_of, twins_of
from app.web.pages.profile_head import Head, head_of, without_head
from app.web.pages.rendering import Frame, rendered
from app.web.pages.shown_entry import NOTHING, ShownEntry, line_of, shown_entry, when_of, without_turns
from app.web.pages.structured_data import profile_page
from app.web.pages.themes import DEFAULT
from app.web.public_address import References
from app.web.said import said
from app.web.words import _, language_of, speak, spoken

TEXT_MOST = 40_000
"""Characters of entries on one page of a person: what comes after that is there by its titles alone."""


@dataclass(frozen=True)
class ShownSection:
    """A kind on a page of a person."""

    title: str
    anchor: str
    address: str
    entries: tuple[ShownEntry, ...]
    has_more: bool
    is_compact: bool
    entry_class: str


def entry_class(kind: str) -> str:
    """Return what an entry of a kind is to programs that read microformats."""
    return "h-resume" if kind == "resume" else "h-entry"


@dataclass(frozen=True)
class ShownPicture:
    """A picture on a page: where it is, where its largest size is, its words, its width and height."""

    address: str
    largest: str
    alt: str
    width: int
    height: int


def shown_picture(picture: Picture, name: str, to: References) -> ShownPicture:
    """Return a picture as a page has it; ``name`` stands for it where nothing is said of it."""
    shown, largest = picture.size("medium"), picture.size("large")
    alt = without_turns(picture.alt) or name
    return ShownPicture(to(shown.path), to(largest.path), alt, shown.width, shown.height)


def address_of(username: str, *below: str) -> str:
    """Return the path of a page: of a person, a kind, an entry.

    A kind that is called as a file beside it is at its second address.
    """
    if below and below[0] in FILES_OF_PERSON:
        below = (f"{SECOND_ADDRESS}{below[0]}", *below[1:])
    return "/@" + "/".join(quote(part, safe="~") for part in (username, *below))


def heading_of(kind: str, title: str) -> str:
    """Return the title of a kind in the language of the page; what a person calls a kind stays as it is."""
    return _(title) if kind.removeprefix("~") in kinds.built_in() else title


def page_of_person(
    seen: SeenProfile, to: References, *, is_whole: bool = False, is_preview: bool = False
) -> Document:
    """Return the page of a person; ``is_whole``: with every entry to its end, whatever its length.

    ``is_preview``: to stand in a frame of the admin, where nothing of it is sent.
    """
    wishes = seen.wishes
    speak(language_of(wishes.language))
    head = head_of(seen.username, seen.sections).with_lines(wishes.head_lines)
    avatar = shown_picture(seen.shown_avatar, head.name, to) if seen.shown_avatar else None
    views = [view for section in seen.sections for view in section.entries]
    updated = max((str(view.get("updated_at") or "") for view in views), default="")
    described = ". ".join(filter(None, (head.does, head.where)))
    has_resume = any(section.kind.name in OF_RESUME for section in seen.sections)
    frame = frame_of(head.name, to, wishes, described)
    frame = replace(
        frame,
        is_preview=is_preview,
        alternates=alternates_of(address_of(seen.username), wishes, is_person=True, has_resume=has_resume),
    )
    return rendered(
        "person.html",
        frame,
        profile_page(head, updated, avatar.largest if avatar else "") if wishes.has("json-ld") else "",
        head=head,
        avatar=avatar,
        address=address_of(seen.username),
        sections=list(_sections(seen, head, is_whole=is_whole)),
        is_empty=not seen.sections,
        updated=when_of(updated),
        takes_messages=seen.takes_messages,
        has_form=seen.takes_messages,
        text_most=TEXT_MOST_OF_MESSAGE,
        name_most=NAME_MOST,
        contact_most=CONTACT_MOST,
    )


def _sections(seen: SeenProfile, head: Head, *, is_whole: bool) -> Iterator[ShownSection]:
    room = TEXT_MOST
    for section in seen.sections:
        entries = []
        for view in section.entries:
            rest = without_head(section.kind.name, view, head)
            one = _entry_in(section, rest, room, is_whole=is_whole)
            room -= len(json.dumps(view.get("data"))) if room > 0 else 0
            if rest is view or one.is_cut or one.record != NOTHING:
                entries.append(one)
        name = section.kind.name
        if section.entries and not entries and not section.has_more:
            continue  # all of it stands at the top of the page
        is_compact = name in SHORT and not any(one.record.text for one in entries)
        yield ShownSection(
            heading_of(name, section.kind.title),
            f"kind-{quote(name, safe='')}",
            address_of(seen.username, name),
            tuple(entries),
            section.has_more,
            is_compact,
            entry_class(name),
        )


def _entry_in(section: Section, view: Mapping[str, Any], room: int, *, is_whole: bool) -> ShownEntry:
    found = shown_entry(view, 3, is_whole=is_whole, heading_above=section.kind.title)
    if room > 0:
        return found
    return found.without_text()


def titled_lengths(seen: SeenProfile) -> Iterator[tuple[str, int]]:
    """Yield for each entry of a page what it is called, and how many characters are in it."""
    for section in seen.sections:
        for view in section.entries:
            title = shown_entry(view, 3, is_whole=False).record.title or section.kind.title
            yield title, len(json.dumps(view.get("data"), ensure_ascii=False))


def frame_of(title: str, to: References, wishes: Wishes, description: str = "") -> Frame:
    """Return what is around a page of a person with these wishes."""
    return Frame(
        title=title,
        to=to,
        canonical=to.canonical,
        description=description,
        language=wishes.language or "en",
        theme=wishes.theme or DEFAULT,
        accent=wishes.accent or "",
        has_open_graph=wishes.has("open-graph"),
    )


def page_of_kind(
    around: Around, page: Mapping[str, Any], to: References, following: str, *, is_further: bool
) -> Document:
    """Return a page with entries of one kind; ``following`` is the reference of the next one, if any."""
    speak(language_of(around.wishes.language))
    username, kind = around.username, around.kind
    title = heading_of(kind, around.title)
    entries = [shown_entry(view, 2, is_whole=False, heading_above=around.title) for view in page["items"]]
    address, frame = address_of(username, kind), frame_of(f"{title} – {username}", to, around.wishes)
    return rendered(
        "kind.html",
        replace(frame, alternates=alternates_of(address, around.wishes)),
        username=username,
        title=title,
        entries=entries,
        entry_class=entry_class(kind),
        address=address,
        person_address=address_of(username),
        following=following,
        is_further=is_further,
    )


def page_of_entry(
    around: Around, view: Mapping[str, Any], to: References, pictures: Sequence[Picture] = ()
) -> Document:
    """Return the page of one entry."""
    speak(language_of(around.wishes.language))
    username, kind = around.username, around.kind
    kind_title = heading_of(kind, around.title)
    one = shown_entry(view, 1, is_whole=True)
    title = one.record.title or kind_title
    words = line_of(one.record.text.striptags())[:200]
    address, frame = (
        address_of(username, kind, one.key),
        frame_of(f"{title} – {username}", to, around.wishes, words),
    )
    return rendered(
        "entry.html",
        replace(frame, alternates=twins_of(address, around.wishes)),
        one=one,
        pictures=[shown_picture(each, "", to) for each in pictures],
        entry_class=entry_class(kind),
        title=title,
        username=username,
        kind_title=kind_title,
        address=address,
        kind_address=address_of(username, kind),
        person_address=address_of(username),
    )


def page_of_people(usernames: Sequence[str], to: References, language: str) -> Document:
    """Return the page of a server on which several people, or nobody, show something, in that language."""
    speak(language)
    title = _("People here") if usernames else _("Nothing is published here yet")
    frame = Frame(title=title, to=to, language=language)
    return rendered("people.html", frame, usernames=usernames, title=title)


def page_of_left_message(username: str, to: Callable[[str], str]) -> Document:
    """Return the page that says where a message waits."""
    frame = Frame(title=_("Your message waits"), to=to, language=spoken())
    return rendered("message_left.html", frame, username=username, address=address_of(username))


def page_of_problem(
    status: int, title: str, detail: str, hint: str, request_id: str, to: Callable[[str], str], language: str
) -> Document:
    """Return the page that says what went wrong, in a language of ours: that of the browser."""
    speak(language)
    told: dict[str, Any] = {
        "title": said(title),
        "detail": said(without_turns(detail)),
        "hint": said(without_turns(hint)),
    }
    frame = Frame(title=told["title"], to=to, language=language)
    return rendered("problem.html", frame, status=status, request_id=request_id, **told)
