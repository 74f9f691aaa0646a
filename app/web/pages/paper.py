"""Paper (print, PDF). How is the page of a person set on A4, Letter, one sheet, or a business card?

From the template of the page, and in its order. One sheet is tried at three densities; where it does not fit
at the closest, that is said, with what takes most room.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from app.errors import UsageError
from app.server.profile_lookup import OF_RESUME, SeenProfile
from app.web.answers import Document
from app.web.assets import stylesheet
from app.web.pages.composing import page_of_person, titled_lengths
from app.web.pages.profile_head import Head, head_of
from app.web.pages.rendering import Frame, rendered
from app.web.pages.shown_entry import shown_address
from app.web.pages.themes import DEFAULT
from app.web.public_address import References

PAGES = {"a4": "A4", "letter": "letter"}
CARD_LEVEL = "business_card"
NAMED_MOST = 3
_FOLDER = Path(__file__).parent
_DENSITIES = (("14mm", "9.6pt", "1.42"), ("12mm", "8.9pt", "1.32"), ("10mm", "8.2pt", "1.24"))


def resume_of(seen: SeenProfile) -> SeenProfile:
    """Return what of a page is in a resume, without its picture."""
    sections = tuple(each for each in seen.sections if each.kind.name in OF_RESUME)
    return replace(seen, sections=sections, avatar=None, takes_messages=False)


def html_of(seen: SeenProfile, to: References) -> Document:
    """Return the page that a PDF is made of: that of browsers, with every entry whole."""
    return page_of_person(seen, to, is_whole=True)


def styles_of(page: str, *, one_sheet: bool) -> list[str]:
    """Return the styles to be tried, the loosest first."""
    shared = stylesheet().body.decode() + (_FOLDER / "paper.css").read_text("utf-8")
    return [
        f"{shared}@page{{size:{PAGES[page]};margin:{margin}}}html{{font-size:{size};line-height:{line}}}"
        for margin, size, line in (_DENSITIES if one_sheet else _DENSITIES[:1])
    ]


def check_fits(seen: SeenProfile, sheets: int) -> None:
    """Raise UsageError where more than one sheet is needed: how many, and for what."""
    if sheets == 1:
        return
    longest = sorted(titled_lengths(seen), key=lambda each: -each[1])[:NAMED_MOST]
    named = ", ".join(f"{title} ({length:,} characters)" for title, length in longest)
    raise UsageError(
        f"It does not fit on one sheet: at the closest setting it takes {sheets}. Longest: {named}.",
        hint="Leave kinds out of the page (PUT /api/v1/me/page), shorten these, or ask without one_page.",
    )


# -- the card


def card_of(seen: SeenProfile, to: References) -> tuple[Document, list[str]]:
    """Return the page of a business card, and its styles: what its level shows of how to write to someone."""
    head = head_of(seen.username, seen.sections).with_lines(seen.wishes.head_lines)
    frame = Frame(
        title=head.name,
        to=to,
        language=seen.wishes.language or "en",
        theme=seen.wishes.theme or DEFAULT,
        accent=seen.wishes.accent or "",
        has_open_graph=False,
    )
    document = rendered("card.html", frame, head=head, code=_code(head), shown_address=shown_address)
    tokens = stylesheet().body.decode().partition("*,*::before")[0]
    return document, [tokens + (_FOLDER / "card.css").read_text("utf-8")]


def _code(head: Head) -> object:
    """Return a QR code of the card, for an address book (MeCard), as a drawing within the page."""
    import segno
    from markupsafe import Markup

    file = io.BytesIO()
    made = segno.make("".join(_mecard(head)) + ";", error="m", micro=False)
    made.save(file, kind="svg", xmldecl=False, svgns=True, nl=False, border=0, omitsize=True)
    return Markup(file.getvalue().decode())


def _mecard(head: Head) -> Iterator[str]:
    said = {"MECARD:N": head.name, "EMAIL": head.mail, "URL": head.links[0][1] if head.links else ""}
    for name, value in said.items():
        escaped = "".join(f"\\{each}" if each in '\\;,:"' else each for each in value)
        if value:
            yield f"{name}:{escaped};"
