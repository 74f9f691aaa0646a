"""Structured data (JSON-LD, schema.org). What does a page say to programs? No more than to people."""

from __future__ import annotations

import json
from typing import Any

from app.web.pages.profile_head import Head

_UNSAFE = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def profile_page(head: Head, modified: str, picture: str = "") -> str:
    """Return the `ProfilePage` of a head, as the text of a script: no tag can begin or end in it."""
    person: dict[str, Any] = {"@type": "Person", "name": head.name, "alternateName": head.username}
    if picture:
        person["image"] = picture
    if head.does:
        person["jobTitle"] = head.does
    if head.where:
        person["homeLocation"] = {"@type": "Place", "name": head.where}
    if head.about:
        person["description"] = head.about
    if head.mail:
        person["email"] = f"mailto:{head.mail}"
    if head.links:
        person["sameAs"] = [address for _label, address in head.links]
    page: dict[str, Any] = {"@context": "https://schema.org", "@type": "ProfilePage", "mainEntity": person}
    if modified:
        page["dateModified"] = modified
    text = json.dumps(page, ensure_ascii=False, separators=(",", ":"))
    return "".join(_UNSAFE.get(each, each) for each in text)
