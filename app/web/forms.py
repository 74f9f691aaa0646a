"""Content negotiation (Accept). Is a page asked for as HTML, as Markdown or as JSON?

Who takes anything (`*/*`) is a program, and gets JSON; who names text/html before JSON is a browser. Markdown
gets who names it, and nothing before it.
"""

from __future__ import annotations

from functools import lru_cache

JSON, HTML, MARKDOWN, FILE = b"", b"html", b"markdown", b"file"
"""Forms, as they stand in the address under which an answer is kept."""

FILES = frozenset(
    {
        *("card.png", "card.svg", "card.vcf", "feed.atom", "feed.json", "llms.txt"),
        *("robots.txt", "sitemap.xml"),
    }
)
"""Last parts of addresses that have one form, whatever is asked for."""

API_PREFIX = "/api/"
SHARED_PREFIX = "/api/v1/shared/"
"""Below it are share links: addresses of the API that people open in a browser."""

INDEX_TWIN = "/index.md"
MEDIA_TYPE = "text/html; charset=utf-8"
PERSON_PREFIX = "/@"
RESUME = "/resume.pdf"
MANAGE_PREFIX = "/manage/"
WAITING_PATH = "/manage/waiting"
ACCEPTS_KEPT = 512
LONGEST_ACCEPT = 1_000


def has_page(path: str) -> bool:
    """Whether an address has both forms: the root, those of people, share links; of others refusals alone."""
    return path in ("/", RESUME) or path.startswith((PERSON_PREFIX, SHARED_PREFIX)) or is_managing(path)


def is_managing(path: str) -> bool:
    """Whether an address is one of the admin in the browser."""
    return path.startswith(MANAGE_PREFIX) or path == MANAGE_PREFIX[:-1]


def is_of_operators(path: str) -> bool:
    """Whether an address is one of those that are answered whatever the database is."""
    return path == WAITING_PATH or path.startswith(WAITING_PATH + "/")


def is_for_browser(headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a client would rather have a page, at whatever address."""
    return prefers_html(_accepted_by(headers))


def page_tells_there_is_nothing(path: str, headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether a client is told by a page that no route has this address: below the API none is."""
    return not path.startswith(API_PREFIX) and is_for_browser(headers)


def _accepted_by(headers: list[tuple[bytes, bytes]]) -> str:
    accept = b", ".join(value for name, value in headers if name == b"accept")
    return accept[:LONGEST_ACCEPT].decode("latin-1")


def form_of(path: str, headers: list[tuple[bytes, bytes]]) -> bytes:
    """Return in which form a request is answered; JSON wherever there is no other one."""
    if path.startswith(API_PREFIX):
        return _html_or_json(_accepted_by(headers)) if path.startswith(SHARED_PREFIX) else JSON
    if path[path.rfind("/") + 1 :] in FILES or path == INDEX_TWIN:
        return FILE
    if not has_page(path):
        return JSON
    accept = _accepted_by(headers)
    if not is_managing(path) and prefers_markdown(accept):
        return MARKDOWN
    return _html_or_json(accept)


def _html_or_json(accept: str) -> bytes:
    return HTML if prefers_html(accept) else JSON


@lru_cache(ACCEPTS_KEPT)
def prefers_markdown(accept: str) -> bool:
    """Return whether a client named text/markdown, and wants nothing else more: no browser names it."""
    if "text/markdown" not in accept.lower():
        return False
    ranges = [_range_in(part) for part in accept.split(",") if part.strip()]
    named, wanted = _quality("text", "markdown", ranges)
    others = (_quality("text", "html", ranges), _quality("application", "json", ranges))
    return named == 2 and wanted > 0 and all(wanted >= each for _, each in others)


@lru_cache(ACCEPTS_KEPT)
def prefers_html(accept: str) -> bool:
    """Return whether a client that sent ``accept`` would rather have HTML than JSON (RFC 9110, 12.5.1)."""
    ranges = [_range_in(part) for part in accept.split(",") if part.strip()]
    html, json = _quality("text", "html", ranges), _quality("application", "json", ranges)
    if html[1] == 0:
        return False
    return html[1] > json[1] or (html[1] == json[1] and html[0] > json[0])


def _range_in(part: str) -> tuple[str, str, float]:
    name, *parameters = (each.strip().lower() for each in part.split(";"))
    main, _, sub = name.partition("/")
    quality = 1.0
    for each in parameters:
        key, _, value = each.partition("=")
        if key.strip() == "q":
            try:
                quality = min(max(float(value), 0.0), 1.0)
            except ValueError:
                quality = 0.0
    return main, sub, quality


def _quality(main: str, sub: str, ranges: list[tuple[str, str, float]]) -> tuple[int, float]:
    """Return how closely the best range names a media type (2: itself, 1: its family, 0), and its quality."""
    found = [
        (2 if (one, other) == (main, sub) else 1 if (one, other) == (main, "*") else 0, quality)
        for one, other, quality in ranges
        if (one, other) in ((main, sub), (main, "*"), ("*", "*"))
    ]
    return max(found, default=(0, 0.0))
