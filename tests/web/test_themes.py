"""Themes: can what a page shows be read, in every theme and accent, in light and in dark (WCAG 2.2, AA)?"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from app.web.assets import stylesheet
from app.web.pages.themes import ACCENTS, DEFAULT, THEMES, Colours

ENOUGH = 4.5  # for text of any size


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def schemes() -> Iterator[tuple[str, Colours, str]]:
    for name, theme in THEMES.items():
        for accent_name, accent in ACCENTS.items():
            yield f"{name}, {accent_name}, light", theme.light, accent.light
            yield f"{name}, {accent_name}, dark", theme.dark, accent.dark


def test_the_measure_is_that_of_the_standard() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_every_pair_that_meets_can_be_read() -> None:
    for name, colours, accent in schemes():
        for ground in (colours.ground, colours.inset):
            for ink in (colours.text, colours.quiet, accent):
                assert contrast(ink, ground) >= ENOUGH, (name, ink, ground)


def test_the_stylesheet_names_every_theme_and_accent_and_uses_no_other_colour() -> None:
    text = stylesheet().body.decode()
    assert DEFAULT in THEMES
    for name in THEMES:
        assert text.count(f".theme-{name}{{") == 2
    for name in ACCENTS:
        assert text.count(f".accent-{name}{{") == 2
    known = {value for _name, colours, accent in schemes() for value in (*vars(colours).values(), accent)}
    assert set(re.findall("#[0-9a-f]{6}", text)) == known
    assert text.count("{") == text.count("}")
    used = set(re.findall(r"var\(--([a-z]+)\)", text))
    assert used == set(re.findall(r"[{;]--([a-z]+):", text))
