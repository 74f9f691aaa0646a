"""Preview image (Open Graph, 1200 x 630). What do other programs show beside a link to a page of a person?

The name, what they do and where, as the head of the page says it, in the colours of its theme: nothing else
is asked for, so nothing else can be in it. It is kept by all that it shows, and drawn once for that: after a
write (`preview_upkeep`), or else when it is asked for.
"""

from __future__ import annotations

import io
from functools import lru_cache
from pathlib import Path
from threading import Condition
from typing import TYPE_CHECKING, NamedTuple

from cachetools import LRUCache, cached

from app.server.profile_lookup import SeenProfile
from app.web.pages.profile_head import head_of
from app.web.pages.shown_entry import without_turns
from app.web.pages.themes import ACCENTS, BOOK, DEFAULT, SERIF, THEMES

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

WIDTH, HEIGHT = 1200, 630
MEDIA_TYPE = "image/png"
MARGIN = 96
KEPT_COUNT = 128  # of some 20 kB each
FORM = 1  # how it is drawn: another number for another drawing of the same words
_FONTS = Path(__file__).parent / "fonts"
_NAME_SIZES = (104, 88, 72, 60, 48)
_NO_CHARACTER = "\U0010fffd"


class Preview(NamedTuple):
    """All that a picture shows and is kept by: three lines of text, names of a theme and an accent."""

    name: str
    does: str
    where: str
    theme: str
    accent: str
    form: int = FORM


def preview_of(seen: SeenProfile) -> Preview:
    """Return what the picture of a page shows: what its head says to whoever looked."""
    wishes = seen.wishes
    head = head_of(seen.username, seen.sections).with_lines(wishes.head_lines)
    theme = wishes.theme or DEFAULT
    return Preview(head.name, head.does, head.where, theme, wishes.accent or THEMES[theme].accent)


_kept: LRUCache[Preview, bytes] = LRUCache(KEPT_COUNT)


@cached(_kept, key=lambda preview: preview, condition=Condition())
def preview_image(preview: Preview) -> bytes:
    """Return the picture as PNG, drawn where none is kept; who comes while it is drawn waits for it."""
    return draw(preview)


def draw(preview: Preview) -> bytes:
    """Draw the picture, as PNG. What the typeface has no sign for is left out."""
    from PIL import Image, ImageDraw

    looks, colour = THEMES[preview.theme], ACCENTS[preview.accent].light
    heading = "DejaVuSerif.ttf" if looks.heading in (SERIF, BOOK) else "DejaVuSans.ttf"
    picture = Image.new("RGB", (WIDTH, HEIGHT), looks.light.ground)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, HEIGHT - 18, WIDTH, HEIGHT), fill=colour)
    font = _fitting(heading, preview.name)
    lines = [(line, font, looks.light.text) for line in _lines(preview.name, font, 2)]
    smaller = _font("DejaVuSans.ttf", 42)
    lines += [(line, smaller, looks.light.text) for line in _lines(preview.does, smaller, 2)]
    last = _font("DejaVuSans.ttf", 36)
    lines += [(line, last, looks.light.quiet) for line in _lines(preview.where, smaller, 1)]
    heights = [round(font.size * 1.32) for _line, font, _colour in lines]
    top = max(MARGIN // 2, (HEIGHT - 18 - sum(heights)) // 2)
    for (line, font, ink), height in zip(lines, heights, strict=True):
        pen.text((MARGIN, top), line, font=font, fill=ink)
        top += height
    file = io.BytesIO()
    picture.quantize(64).save(file, "PNG", optimize=True)
    return file.getvalue()


@lru_cache(maxsize=16)
def _font(name: str, size: int) -> FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(_FONTS / name, size, layout_engine=ImageFont.Layout.BASIC)


def _fitting(name: str, text: str) -> FreeTypeFont:
    """Return the largest font in which a text is one line, or else the smallest."""
    shown = _shown(text, _font(name, _NAME_SIZES[0]))
    for size in _NAME_SIZES:
        if _font(name, size).getlength(shown) <= WIDTH - 2 * MARGIN:
            return _font(name, size)
    return _font(name, _NAME_SIZES[-1])


def _lines(text: str, font: FreeTypeFont, most: int) -> list[str]:
    """Return a text in lines that fit; what is beyond the last one is left out, and said to be by a mark."""
    lines: list[str] = []
    for word in _shown(text, font).split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and font.getlength(longer) <= WIDTH - 2 * MARGIN:
            lines[-1] = longer
        else:
            lines.append(word)
    cut = [_cut(line, font) for line in lines[:most]]
    return [*cut[:-1], _cut(f"{cut[-1]}…", font)] if len(lines) > most else cut


def _cut(line: str, font: FreeTypeFont) -> str:
    while line and font.getlength(line) > WIDTH - 2 * MARGIN:
        line = f"{line[:-2].rstrip()}…"
    return line


def _shown(text: str, font: FreeTypeFont) -> str:
    known = (each for each in without_turns(text)[:300] if each.isspace() or _has_sign(each, font))
    return " ".join("".join(known).split())


@lru_cache(maxsize=2_000)
def _has_sign(character: str, font: FreeTypeFont) -> bool:
    missing = font.getmask(_NO_CHARACTER)
    found = font.getmask(character)
    return found.size != missing.size or bytes(found) != bytes(missing)
