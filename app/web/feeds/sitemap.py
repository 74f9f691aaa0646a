"""Site map (sitemaps.org). How do search engines read which pages there are?"""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from app.server.sitemap_lookup import MappedPage, SeenMap
from app.web.answers import Document
from app.web.content_security import NOTHING
from app.web.pages.composing import address_of
from app.web.public_address import References

FILE = "sitemap.xml"
MEDIA_TYPE = "application/xml"
_NAMESPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"


def map_of_parts(seen: SeenMap, to: References) -> Document:
    """Return the index: the parts, each by its address."""
    return _document(
        "sitemapindex", "sitemap", ((to.whole(f"{_path(one)}/{FILE}"), "") for one in seen.pages)
    )


def map_of_pages(seen: SeenMap, to: References) -> Document:
    """Return a part: the pages, each by its address, and when it changed."""
    return _document("urlset", "url", ((to.whole(_path(one)), one.updated) for one in seen.pages))


def _path(page: MappedPage) -> str:
    return address_of(page.username, *page.below)


def _document(root: str, member: str, found: Iterator[tuple[str, str]]) -> Document:
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<{root} xmlns="{_NAMESPACE}">']
    for address, updated in found:
        said = f"<lastmod>{escape(updated)}</lastmod>" if updated else ""
        lines.append(f"<{member}><loc>{escape(address)}</loc>{said}</{member}>")
    text = "\n".join([*lines, f"</{root}>", ""])
    return Document(text.encode("utf-8", "replace"), f"{MEDIA_TYPE}; charset=utf-8", NOTHING)
