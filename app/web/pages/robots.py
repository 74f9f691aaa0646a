"""Robots exclusion (robots.txt, RFC 9309). What do people here ask programs to leave alone?

One file for a host: of each person the strictest wish. It is a wish, and no protection: an assistant that
says what it is gets nothing of who lets none in, whatever it reads here.
"""

from __future__ import annotations

from collections.abc import Sequence

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

_PROGRAMS = "User-agent: *\nDisallow: /api/\nDisallow: /auth/\nDisallow: /admin/\n"


def robots_file(everyone: Sequence[str], for_assistants: Sequence[str]) -> Document:
    """Return the file; ``for_assistants`` are those of ``everyone`` here who let assistants in."""
    closed = [name for name in everyone if name not in for_assistants]
    text = _PROGRAMS
    if closed:
        addresses = ["/"] if not for_assistants else [address_of(name) for name in closed]
        text += "\n" + "".join(f"User-agent: {name}\n" for name in ASSISTANTS)
        text += "".join(f"Disallow: {address}\n" for address in addresses) + "Disallow: /api/\n"
    return Document(text.encode(), MEDIA_TYPE, NOTHING)
