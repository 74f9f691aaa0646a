"""Card (vCard, QR code). What goes into an address book, and what does a telephone read off a page or paper?

The card says what the head of the page says; the code holds the address of the page.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

from app.formats.content_lines import escaped, line, moment_of, uri_of, written
from app.server.person_lookup import SeenPerson
from app.server.profile_lookup import SeenProfile
from app.web.answers import Document
from app.web.content_security import NOTHING
from app.web.pages.composing import address_of
from app.web.pages.profile_head import Head, head_of
from app.web.public_address import References

VCARD, SVG, PNG = "text/vcard", "image/svg+xml", "image/png"
_SCALE = 8  # pixels of a module


def vcard_of(seen: SeenProfile, person: SeenPerson, to: References, photo: str | None = None) -> Document:
    """Return the card of a person (vCard 4.0); raises what `References.whole` raises. ``photo``: a URI."""
    head = head_of(seen.username, seen.sections).with_lines(seen.wishes.head_lines)
    views = [view for section in seen.sections for view in section.entries]
    updated = max((str(view.get("updated_at") or "") for view in views), default="")
    page = to.whole(address_of(seen.username))
    uid = person.ids.of(f"person {seen.username}")
    body = written(_lines(head, page, uid, photo, moment_of(updated)))
    return Document(body, f"{VCARD}; charset=utf-8", NOTHING)


def _lines(head: Head, page: str, uid: str, photo: str | None, revised: str | None) -> Iterator[str]:
    yield from ("BEGIN:VCARD", "VERSION:4.0", "KIND:individual", line("UID", uid))
    yield line("FN", escaped(head.name))
    if head.does:
        yield line("TITLE", escaped(head.does))
    if head.mail:
        yield line("EMAIL", escaped(head.mail))
    if head.where:
        yield line("ADR", f";;;{escaped(head.where)};;;")
    if head.about:
        yield line("NOTE", escaped(head.about))
    for address in (page, *(link for _label, link in head.links)):
        if found := uri_of(address) or (page if address == page else None):
            yield line("URL", found)
    if photo:
        yield line("PHOTO", photo)
    yield line("SOURCE", f"{page}/card.vcf")
    if revised:
        yield line("REV", revised)
    yield "END:VCARD"


def code_of(person: SeenPerson, media_type: str, to: References) -> Document:
    """Return the QR code of a person's page as SVG or PNG; raises what `References.whole` raises."""
    import segno

    code = segno.make(to.whole(address_of(person.username)), error="m", micro=False)
    out = BytesIO()
    if media_type == SVG:
        code.save(out, kind="svg", scale=_SCALE, dark="#000", light="#fff", svgclass=None, lineclass=None)
    else:
        code.save(out, kind="png", scale=_SCALE, dark="#000", light="#fff")
    return Document(out.getvalue(), media_type, NOTHING)
