"""Robots exclusion (robots.txt, RFC 9309). What do people here ask programs to leave alone?

One file for a host: of each person the strictest wish, as rules for assistants by name, and as a preference
for everyone (Content-Usage, draft-ietf-aipref-attach: no training). It is a wish, and no protection: an
assistant that says what it is gets nothing of who lets none in, whatever it reads here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.web.answers import Document
from app.web.content_security import NOTHING
from app.web.pages.composing import address_of

MEDIA_TYPE = "text/plain; charset=utf-8"
ASSISTANTS = (
    *("GPTBot", "ChatGPT-User", "OAI-SearchBot", "ClaudeBot", "Claude-User", "Claude-SearchBot"),
    *("anthropic-ai", "PerplexityBot", "Perplexity-User", "Google-Extended", "Applebot-Extended", "CCBot"),
    *("Bytespider", "Amazonbot", "Meta-ExternalAgent", "Meta-ExternalFetcher", "cohere-ai", "DuckAssistBot"),
    *("MistralAI-User", "Diffbot", "AI2Bot", "Timpibot", "YouBot", "PetalBot"),
)
"""Names under which assistants, and those who collect for them, look for a group of their own."""

NO_TRAINING = "train-ai=n"
_ENDS = ("$", "/", ".")  # of a path: itself, what is below, and its other forms
_PROGRAMS = "User-agent: *\nDisallow: /api/\nDisallow: /auth/\nDisallow: /admin/\n"


def robots_file(everyone: Sequence[str], for_assistants: Sequence[str], sitemap: str) -> Document:
    """Return the file; ``for_assistants`` are those of ``everyone`` here who let assistants in."""
    closed = [name for name in everyone if name not in for_assistants]
    text = _PROGRAMS + "".join(_preferences(closed, is_all=not for_assistants))
    if closed:
        text += "\n" + "".join(f"User-agent: {name}\n" for name in ASSISTANTS)
        text += "".join(_rules(closed, for_assistants)) + "Disallow: /api/\n"
    return Document(f"{text}\nSitemap: {sitemap}\n".encode(), MEDIA_TYPE, NOTHING)


def _preferences(closed: Sequence[str], *, is_all: bool) -> Iterator[str]:
    if closed and is_all:
        yield f"Content-Usage: {NO_TRAINING}\n"
        return
    for path in map(address_of, closed):
        yield from (f"Content-Usage: {path}{end} {NO_TRAINING}\n" for end in _ENDS)


def _rules(closed: Sequence[str], open_to_all: Sequence[str]) -> Iterator[str]:
    """Yield what assistants leave alone. A rule is for all that begins so: others' names come first."""
    paths = [address_of(name) for name in closed]
    if not open_to_all:
        yield "Disallow: /\n"
        return
    others = [path for path in map(address_of, open_to_all) if path.startswith(tuple(paths))]
    yield from (f"Allow: {path}\n" for path in others)
    yield from (f"Disallow: {path}\n" for path in paths)
