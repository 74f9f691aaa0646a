"""Markdown to HTML (CommonMark). How is a text that a person wrote shown, so that nothing in it can act?

Twice: the parser lets no HTML of the text through, and an allow-list of elements (nh3) is laid over what it
made. A picture becomes a link: a page asks no other host for anything.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, MutableMapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

LONGEST = 30_000
"""Longer texts are shown as they are written: parsing takes time, while which nothing else is done."""

KEPT_TEXTS = 1_024
LONGEST_KEPT = 2_000
SCHEMES = {"http", "https", "mailto", "tel"}
_TAGS = {
    *("p", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "pre", "code", "em", "strong", "s"),
    *("a", "br", "hr", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES: dict[str, set[str]] = {"a": {"href", "title"}, "ol": {"start"}}


def as_html(text: str, heading: int = 4) -> Markup:
    """Return a text as HTML; its headings begin at level ``heading``, and no level is left out."""
    if len(text) > LONGEST:
        return as_written(text)
    return _kept(text, heading) if len(text) <= LONGEST_KEPT else _made(text, heading)


def as_written(text: str) -> Markup:
    """Return a text as paragraphs, with every character of it."""
    found = (part.strip("\n") for part in text.replace("\r\n", "\n").split("\n\n"))
    return Markup("".join(f'<p class="plain">{html.escape(part)}</p>' for part in found if part.strip()))


def first_heading(text: str) -> tuple[str, str]:
    """Return the heading that a text begins with, and the rest; ("", text) where it begins with none."""
    first, _, rest = text.lstrip("\ufeff\n\r ").partition("\n")
    marks = len(first) - len(first.lstrip("#"))
    said = first[marks:]
    if not 1 <= marks <= 6 or not said.startswith((" ", "\t")) or len(said) > 300:
        return "", text
    return plain(said.strip().rstrip("#").strip()), rest.lstrip("\n")


def plain(text: str) -> str:
    """Return one line of Markdown as its words."""
    found = _parser().parseInline(text)[0].children or []
    return "".join(_words(found)).strip()


def _words(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type in ("text", "code_inline"):
            yield token.content
        elif token.type in ("softbreak", "hardbreak"):
            yield " "
        yield from _words(token.children or [])


@lru_cache(KEPT_TEXTS)
def _kept(text: str, heading: int) -> Markup:
    return _made(text, heading)


def _made(text: str, heading: int) -> Markup:
    import nh3

    parser = _parser()
    tokens = parser.parse(text)
    _shift_headings(tokens, heading)
    rendered = parser.renderer.render(tokens, parser.options, {})
    cleaned = nh3.clean(
        rendered,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=SCHEMES,
        link_rel="noopener noreferrer",
        strip_comments=True,
    )
    return Markup(cleaned)


@lru_cache(1)
def _parser() -> MarkdownIt:
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark", {"html": False, "linkify": False, "maxNesting": 20})
    parser.disable(["html_block", "html_inline"])
    parser.enable(["table", "strikethrough"])
    parser.add_render_rule("image", _picture)
    return parser


def _picture(
    _self: Any, tokens: Sequence[Token], at: int, _options: Any, _env: MutableMapping[str, Any]
) -> str:
    token = tokens[at]
    words = html.escape("".join(_words(token.children or [])) or "Picture")
    return f'<a href="{html.escape(str(token.attrs.get("src", "")))}">{words}</a>'


def _shift_headings(tokens: Sequence[Token], heading: int) -> None:
    """Give the headings of a text their levels below that of the page around it, one step at a time."""
    used = sorted({token.tag for token in tokens if token.type == "heading_open"})
    before = heading - 1
    for token in tokens:
        if token.type == "heading_open":
            before = min(heading + used.index(token.tag), before + 1, 6)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{before}"
