"""Static files (assets). Which files do pages load from this server, and under which names for ever?

The name of each holds a hash of what is in it: it may be kept for a year, and a new version has a new name.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from app.errors import NotFound
from app.web.pages.themes import stylesheet_of_tokens

PREFIX = "/assets/"
_PAGES = Path(__file__).parent / "pages"
_ADMIN = Path(__file__).parent / "admin"
HTMX_SHA256 = "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"
"""Of `htmx.min.js`, version 2.0.11 (https://htmx.org, Zero-Clause BSD), as its makers published it."""


@dataclass(frozen=True)
class Asset:
    """A file as it is answered, and under which path."""

    path: str
    body: bytes
    media_type: str


def find_asset(name: str) -> Asset:
    """Return the file of a name; raises NotFound."""
    found = _by_name().get(name)
    if found is None:
        raise NotFound("There is nothing at this address.")
    return found


def is_asset(path: str) -> bool:
    """Whether a path is that of a file, which is answered while the database is closed, too."""
    return path.startswith(PREFIX) and path.removeprefix(PREFIX) in _by_name()


@cache
def stylesheet() -> Asset:
    """Return the one stylesheet of all pages."""
    text = stylesheet_of_tokens() + (_PAGES / "page.css").read_text("utf-8").replace("\n", "")
    return _asset("page", "css", text.encode(), "text/css; charset=utf-8")


@cache
def icon() -> Asset:
    """Return the icon of all pages."""
    return _asset("icon", "svg", (_PAGES / "icon.svg").read_bytes().strip(), "image/svg+xml")


@cache
def admin_stylesheet() -> Asset:
    """Return the one stylesheet of the admin in the browser."""
    text = stylesheet_of_tokens() + (_ADMIN / "admin.css").read_text("utf-8").replace("\n", "")
    return _asset("admin", "css", text.encode(), "text/css; charset=utf-8")


@cache
def htmx() -> Asset:
    """Return the script by which forms of the admin are sent without leaving the page."""
    return _asset("htmx", "js", (_ADMIN / "htmx.min.js").read_bytes(), "text/javascript; charset=utf-8")


@cache
def form_sizes() -> Asset:
    """Return the script that says of a picture or a text that it is too large, before it is sent."""
    return _asset("forms", "js", (_ADMIN / "forms.js").read_bytes(), "text/javascript; charset=utf-8")


@cache
def _by_name() -> dict[str, Asset]:
    files = (stylesheet(), icon(), admin_stylesheet(), htmx(), form_sizes())
    return {each.path.removeprefix(PREFIX): each for each in files}


def _asset(stem: str, suffix: str, body: bytes, media_type: str) -> Asset:
    digest = hashlib.sha256(body).hexdigest()[:16]
    return Asset(f"{PREFIX}{stem}.{digest}.{suffix}", body, media_type)
