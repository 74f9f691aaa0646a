"""Themes (design tokens). Which colours and typefaces has a page, in light and in dark?

Plain values, of which the stylesheet is made; a test computes the contrast of what meets (WCAG 2.2).
No typeface is loaded: each is one that is on the reader's machine.
"""

from __future__ import annotations

from dataclasses import dataclass

SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif'
SERIF = 'Charter, "Bitstream Charter", "Iowan Old Style", "Sitka Text", Cambria, "Noto Serif", Georgia, serif'
BOOK = '"Iowan Old Style", "Palatino Linotype", Palatino, "URW Palladio L", "Noto Serif", Georgia, serif'
MONO = 'ui-monospace, "Cascadia Mono", Menlo, "DejaVu Sans Mono", "Liberation Mono", monospace'


@dataclass(frozen=True)
class Colours:
    """One scheme: ground, text, quieter text, lines, the ground of code, and the accent of links."""

    ground: str
    text: str
    quiet: str
    line: str
    inset: str


@dataclass(frozen=True)
class Theme:
    """A look; ``body`` and ``heading`` are typefaces."""

    title: str
    light: Colours
    dark: Colours
    body: str
    heading: str
    accent: str  # where the person has chosen none


@dataclass(frozen=True)
class Accent:
    """The colour of links and marks, in light and in dark."""

    light: str
    dark: str


ACCENTS = {
    "blue": Accent("#1f4f9e", "#9cc2ff"),
    "teal": Accent("#0b5c58", "#7fd8cf"),
    "green": Accent("#285f1f", "#9fdb8d"),
    "amber": Accent("#7a4600", "#f2c172"),
    "red": Accent("#9b1f2b", "#ffaba6"),
    "violet": Accent("#5a3a9c", "#ccb6ff"),
    "ink": Accent("#23262b", "#e6e8ec"),
}

THEMES = {
    "plain": Theme(
        "Plain",
        Colours("#ffffff", "#1b1d21", "#575c66", "#d9dce2", "#f4f5f7"),
        Colours("#14161a", "#e7e9ed", "#a5abb6", "#343942", "#1e2127"),
        SANS,
        SANS,
        "blue",
    ),
    "paper": Theme(
        "Paper",
        Colours("#fbf8f1", "#26221b", "#665d4e", "#e2dac8", "#f3eee1"),
        Colours("#1a1814", "#ebe5d8", "#b3a993", "#3b362c", "#24211b"),
        SERIF,
        BOOK,
        "red",
    ),
    "garden": Theme(
        "Garden",
        Colours("#f7faf5", "#1c241c", "#515f50", "#d5dfd1", "#edf3ea"),
        Colours("#131914", "#e2eae0", "#9fb09c", "#2f3b30", "#1b231c"),
        SANS,
        BOOK,
        "green",
    ),
    "ink": Theme(
        "Ink",
        Colours("#ffffff", "#000000", "#4a4a4a", "#c9c9c9", "#f2f2f2"),
        Colours("#000000", "#ffffff", "#b8b8b8", "#444444", "#171717"),
        MONO,
        MONO,
        "ink",
    ),
}
DEFAULT = "paper"


def stylesheet_of_tokens() -> str:
    """Return the rules that give every theme and accent its values."""
    rules = [_scheme(name, theme, is_dark=False) for name, theme in THEMES.items()]
    rules += [f".accent-{name}{{--accent:{accent.light}}}" for name, accent in ACCENTS.items()]
    dark = [_scheme(name, theme, is_dark=True) for name, theme in THEMES.items()]
    dark += [f".accent-{name}{{--accent:{accent.dark}}}" for name, accent in ACCENTS.items()]
    return "".join(rules) + "@media screen and (prefers-color-scheme:dark){" + "".join(dark) + "}"


def _scheme(name: str, theme: Theme, *, is_dark: bool) -> str:
    colours, accent = (
        (theme.dark, ACCENTS[theme.accent].dark)
        if is_dark
        else (
            theme.light,
            ACCENTS[theme.accent].light,
        )
    )
    values = {
        "ground": colours.ground,
        "text": colours.text,
        "quiet": colours.quiet,
        "line": colours.line,
        "inset": colours.inset,
        "accent": accent,
    }
    if not is_dark:
        values |= {"body": theme.body, "heading": theme.heading}
    return f".theme-{name}{{" + ";".join(f"--{key}:{value}" for key, value in values.items()) + "}"
