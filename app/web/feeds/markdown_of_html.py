"""HTML to Markdown (CommonMark). How does what a page shows read as a text, so that nothing more is in it?

The HTML is what `pages.markdown` has made and cleaned: a few elements, and addresses of a few schemes. What
was a word there is a word here: marks in it are escaped, and what no reader sees is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

_INLINE = frozenset({"a", "br", "code", "em", "s", "strong"})
_WITHIN = {"em": "*", "strong": "**", "s": "~~"}
_MARKS = re.compile(r"[\\`*\[\]<>&~|]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9])")
_AT_THE_BEGINNING = re.compile(r"^(\s*)([#=+-]|\d{1,9}(?=[.)]))", re.MULTILINE)
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufe00-\ufe0e\ufeff\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\x00-\x08\x0b-\x1f\x7f-\x9f]"
)
_LINKED = re.compile(r"(?:https?|mailto|tel):[^\s<>]+", re.IGNORECASE)
DEPTH_MOST = 30  # of elements in each other


@dataclass
class _Node:
    tag: str
    attributes: dict[str, str] = field(default_factory=dict)
    children: list[_Node | str] = field(default_factory=list)


def words_as_markdown(text: str) -> str:
    """Return one line of words, in which nothing is a mark."""
    line = re.sub(r"\s+", " ", _UNSEEN.sub("", text)).strip()
    return _AT_THE_BEGINNING.sub(_escaped_beginning, _MARKS.sub(r"\\\g<0>", line))


def html_as_markdown(html: str) -> str:
    """Return HTML as Markdown, with a blank line between blocks and none at the end."""
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return "\n\n".join(_blocks(reader.root.children))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = _Node("")
        self._open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin an element."""
        node = _Node(tag, {name: value or "" for name, value in attrs})
        self._open[-1].children.append(node)
        if tag not in ("br", "hr") and len(self._open) < DEPTH_MOST:
            self._open.append(node)

    def handle_endtag(self, tag: str) -> None:
        """End the innermost element of this name, and what is open within it."""
        names = [node.tag for node in self._open]
        if tag in names[1:]:
            del self._open[len(names) - 1 - names[::-1].index(tag) :]

    def handle_data(self, data: str) -> None:
        """Take words."""
        self._open[-1].children.append(_UNSEEN.sub("", data))


def _blocks(children: Sequence[_Node | str]) -> Iterator[str]:
    words: list[_Node | str] = []
    for child in children:
        if isinstance(child, str) or child.tag in _INLINE:
            words.append(child)
            continue
        yield from _paragraph(words)
        words = []
        yield from filter(None, [_block(child)])
    yield from _paragraph(words)


def _paragraph(words: Sequence[_Node | str]) -> Iterator[str]:
    text = "\n".join(line.strip() for line in _inline(words).split("\n")).strip()
    if text:
        yield _AT_THE_BEGINNING.sub(_escaped_beginning, text)


def _escaped_beginning(found: re.Match[str]) -> str:
    before, mark = found[1], found[2]
    return f"{before}{mark}\\" if mark[0].isdigit() else f"{before}\\{mark}"


def _block(node: _Node) -> str:
    if re.fullmatch("h[1-6]", node.tag):
        return f"{'#' * int(node.tag[1])} {_line(node)}"
    if node.tag in ("ul", "ol"):
        return "\n".join(_items(node))
    if node.tag == "blockquote":
        return _before_each_line("> ", "> ", "\n\n".join(_blocks(node.children)))
    if node.tag == "pre":
        return _fenced(_text(node))
    if node.tag == "hr":
        return "---"
    if node.tag == "table":
        return "\n".join(_rows(node))
    return "\n\n".join(_blocks(node.children))


def _items(node: _Node) -> Iterator[str]:
    begin = node.attributes.get("start", "1")
    number = int(begin) if begin.isdigit() and len(begin) < 9 else 1
    for child in node.children:
        if isinstance(child, _Node):
            mark = f"{number}. " if node.tag == "ol" else "- "
            number += 1
            text = "\n".join(_blocks(child.children))
            yield _before_each_line(mark, " " * len(mark), text).rstrip()


def _before_each_line(first: str, others: str, text: str) -> str:
    return first + text.replace("\n", f"\n{others}")


def _fenced(text: str) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{text.rstrip()}\n{fence}"


def _rows(table: _Node) -> Iterator[str]:
    rows = [row for row in _within(table) if row.tag == "tr"]
    for at, row in enumerate(rows):
        cells = [_line(cell) for cell in row.children if isinstance(cell, _Node)]
        yield f"| {' | '.join(cells)} |"
        if at == 0:
            yield f"|{' --- |' * len(cells)}"


def _within(node: _Node) -> Iterator[_Node]:
    for child in node.children:
        if isinstance(child, _Node):
            yield child
            yield from _within(child)


def _line(node: _Node) -> str:
    return re.sub(r"\s+", " ", _inline(node.children).replace("\\\n", " ")).strip()


def _text(node: _Node) -> str:
    return "".join(child if isinstance(child, str) else _text(child) for child in node.children)


def _inline(children: Sequence[_Node | str]) -> str:
    return "".join(_word(child) for child in children).replace(
        "\\\n\n", "\\\n"
    )  # no blank line after a break


def _word(child: _Node | str) -> str:
    if isinstance(child, str):
        return _MARKS.sub(r"\\\g<0>", child)
    if child.tag == "br":
        return "\\\n"
    if child.tag == "code":
        return _code(_text(child))
    inside = _inline(child.children)
    if child.tag == "a":
        address = child.attributes.get("href", "")
        return f"[{inside}](<{address}>)" if inside.strip() and _LINKED.fullmatch(address) else inside
    mark = _WITHIN.get(child.tag, "")
    return f"{mark}{inside}{mark}" if inside.strip() else inside


def _code(text: str) -> str:
    line = re.sub(r"\s+", " ", text)
    if not line.strip():
        return line
    longest = max((len(run) for run in re.findall("`+", line)), default=0)
    fence = "`" * (longest + 1)
    gap = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{gap}{line}{gap}{fence}"
