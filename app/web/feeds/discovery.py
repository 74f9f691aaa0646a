"""Discovery (RFC 9727, 7033, 9116). How do programs find the API, a person, and whom to tell of a fault?"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from app import clock
from app.entries.entry import json_bytes
from app.formats import atom
from app.server.person_lookup import SeenPerson
from app.web.answers import Document
from app.web.content_security import NOTHING
from app.web.pages.composing import address_of
from app.web.public_address import References

LINKSET = "application/linkset+json"
PROFILE = "https://www.rfc-editor.org/info/rfc9727"
JRD = "application/jrd+json"
PROFILE_PAGE = "http://webfinger.net/rel/profile-page"
SECURITY_DAYS = 180  # for how long the contact is said to be right; less than a year, as the RFC has it


def api_catalog(to: References) -> Document:
    """Return the catalogue of what programs can ask here."""
    here, api = to.whole("/.well-known/api-catalog"), to.whole("/api/v1")
    of_api = {
        "anchor": api,
        "service-desc": [{"href": to.whole("/openapi.json"), "type": "application/json"}],
        "service-doc": [{"href": to.whole("/docs"), "type": "text/html"}],
        "status": [{"href": to.whole("/health"), "type": "application/json"}],
    }
    listed = {"anchor": here, "item": [{"href": api}, {"href": to.whole("/mcp")}]}
    value = {"linkset": [listed, of_api]}
    return Document(json_bytes(value), f'{LINKSET}; profile="{PROFILE}"', NOTHING)


def name_in(resource: str, to: References) -> str | None:
    """Return the username that a resource names here (`acct:ann@host`, the address of a page), or None."""
    root = to.whole("")
    if resource.startswith(f"{root}/@"):
        named = resource.removeprefix(f"{root}/@")
        return unquote(named) if named and "/" not in named else None
    scheme, _, rest = resource.partition(":")
    name, _, host = rest.rpartition("@")
    if scheme.lower() != "acct" or not name or host.lower() != urlsplit(root).hostname:
        return None
    return unquote(name)


def descriptor_of(seen: SeenPerson, rels: list[str], to: References) -> Document:
    """Return what WebFinger says of a person: links of these relations, of every one where none is named."""
    page = address_of(seen.username)
    links: list[dict[str, Any]] = [
        {"rel": PROFILE_PAGE, "type": "text/html", "href": to.whole(page)},
        {"rel": "alternate", "type": "application/json", "href": to.whole(page)},
    ]
    if seen.wishes.has("feeds"):
        links.append({"rel": "alternate", "type": atom.MEDIA_TYPE, "href": to.whole(f"{page}/feed.atom")})
    if seen.wishes.has("vcard"):
        links.append({"rel": "alternate", "type": "text/vcard", "href": to.whole(f"{page}/card.vcf")})
    host = urlsplit(to.whole("")).hostname
    value = {
        "subject": f"acct:{address_of(seen.username).removeprefix('/@')}@{host}",
        "aliases": [to.whole(page)],
        "links": [link for link in links if not rels or link["rel"] in rels],
    }
    return Document(json_bytes(value), JRD, NOTHING)


def security_file(contacts: tuple[str, ...], public_url: str, now: datetime) -> Document:
    """Return whom to tell of a hole; it counts from today on, for SECURITY_DAYS."""
    until = (now + timedelta(days=SECURITY_DAYS)).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = [f"Contact: {each}" for each in contacts]
    lines.append(f"Expires: {clock.rfc3339(clock.stored(until))}")
    if public_url:
        lines.append(f"Canonical: {public_url}/.well-known/security.txt")
    return Document("".join(f"{each}\n" for each in lines).encode(), "text/plain; charset=utf-8", NOTHING)
