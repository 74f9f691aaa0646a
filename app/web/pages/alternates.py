"""Alternates (rel=alternate). In which other forms is what a page shows, and where?"""

from __future__ import annotations

from dataclasses import dataclass

from app.entries.page_wishes import Wishes
from app.formats import atom, json_feed
from app.formats.pdf_process import is_installed


@dataclass(frozen=True)
class Alternate:
    """Another form of a page: its media type, its path, and what it is called to people."""

    media_type: str
    path: str
    title: str


def twins_of(address: str, wishes: Wishes) -> tuple[Alternate, ...]:
    """Return the twin of a page at a path, where the person wants it."""
    twin = Alternate("text/markdown", f"{address}.md", "Markdown")
    return (twin,) if wishes.has("markdown") else ()


def alternates_of(
    address: str, wishes: Wishes, *, is_person: bool = False, has_resume: bool = False
) -> tuple[Alternate, ...]:
    """Return the forms of the page of a person or of a kind, at a path, that the person wants."""
    found = list(twins_of(address, wishes))
    if wishes.has("feeds"):
        found += [
            Alternate(atom.MEDIA_TYPE, f"{address}/feed.atom", "Atom"),
            Alternate(json_feed.MEDIA_TYPE, f"{address}/feed.json", "JSON Feed"),
        ]
    if is_person and wishes.has("vcard"):
        found.append(Alternate("text/vcard", f"{address}/card.vcf", "vCard"))
    if is_person and wishes.has("qr"):
        found.append(Alternate("image/svg+xml", f"{address}/card.svg", "QR code"))
    if has_resume and wishes.has("pdf") and is_installed():
        found.append(Alternate("application/pdf", f"{address}/resume.pdf", "Resume (PDF)"))
    return tuple(found)
