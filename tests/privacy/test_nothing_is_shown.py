"""Does each level still hide whatever its masks hid before there were detectors?

The masks of each level as they were then are written down here, and what their rows and the public names came
to: a change of either must be looked at first, because what was hidden could be shown by it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from app.privacy.identifiers import IN_LINKS, IN_TEXT, Identifiers
from app.privacy.levels import LEVELS
from app.privacy.masks import MASKS, Span
from tests.privacy.detectors.evaluation_set import decoys, sentences
from tests.privacy.hidden import hidden_parts
from tests.upgrade.old_databases import NAMES, build

ALWAYS = ("social_security", "card_number", "bank_account", "secret", "home_mail")
BEFORE = {
    "public_full": ALWAYS,
    "ai_safe": (*ALWAYS, "mail", "phone"),
    "professional": (*ALWAYS, "mail", "phone"),
    "business_card": (*ALWAYS, "mail", "phone", "mail_field"),
}
ROWS = "9d33602070b7a417"
# Damaged, empty, or no databases at all: no one is shown anything of them.
WITHOUT_TEXT = {
    *("damaged_truncated", "damaged_zero_page", "damaged_flipped", "zero_bytes", "text_file", "no_tables"),
    "foreign",
}


def hidden_before(text: str, level: str) -> set[int]:
    """The places that the masks hid: every row of the level, without the public names."""
    known = Identifiers(text)
    spans = (
        part
        for name in BEFORE[level]
        for mask in MASKS.get(name, ())
        for part in mask.parts(text)
        if not (mask.spares and known.holds(*part))
    )
    return {at for start, end in spans for at in range(start, end)}


def hidden_now(text: str, level: str) -> set[int]:
    spans: Iterator[Span] = hidden_parts(text, LEVELS[level].masks)
    return {at for span in spans for at in range(span.start, span.end)}


def assert_nothing_is_shown(text: str) -> None:
    for level in BEFORE:
        assert hidden_before(text, level) <= hidden_now(text, level), (level, text)


def texts_of(database: Path) -> set[str]:
    """Every string of a database, and every string in its JSON."""
    found: set[str] = set()
    with closing(sqlite3.connect(f"file:{database}?mode=ro&immutable=1", uri=True)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "replace")
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (table,) in tables:
            for row in connection.execute(f'SELECT * FROM "{table.replace(chr(34), chr(34) * 2)}"'):
                found |= {value for value in row if isinstance(value, str)}
    return found | {inner for text in found for inner in strings_in(text)}


def strings_in(text: str) -> Iterator[str]:
    if text[:1] in ("{", "["):
        try:
            yield from _strings(json.loads(text))
        except (ValueError, RecursionError):
            return


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.items() if isinstance(value, dict) else value:
            yield from _strings(list(each) if isinstance(each, tuple) else each)


def test_each_level_has_the_masks_it_had() -> None:
    for level, masks in BEFORE.items():
        assert set(masks) <= set(LEVELS[level].masks)


def test_the_rows_are_those_that_hid_before() -> None:
    masks = [mask for name in (*ALWAYS, "mail", "phone") for mask in MASKS[name]]
    rows = [(one.name, one.pattern.pattern, one.needs, one.spares, one.groups) for one in masks]
    names = [(one.name, one.pattern.pattern, one.needs) for one in (*IN_TEXT, *IN_LINKS)]
    assert sha256(repr([rows, names]).encode()).hexdigest()[:16] == ROWS


@pytest.mark.parametrize("half", ["work", "held_out"])
def test_generated_sentences_show_nothing_that_was_hidden(half: str) -> None:
    for text in (*(one.text for one in sentences(half, seed=11, count=40)), *decoys(half)):
        assert_nothing_is_shown(text)
        assert_nothing_is_shown(
            f"Ann (born 12.03.1984), {text} See https://code.example/o/r/issues/4155550134."
        )


@pytest.mark.parametrize("name", [name for name in NAMES if name not in WITHOUT_TEXT])
def test_texts_of_old_databases_show_nothing_that_was_hidden(name: str, tmp_path: Path) -> None:
    build(name, tmp_path / "old.db")
    texts = texts_of(tmp_path / "old.db")
    assert texts
    for text in texts:
        assert_nothing_is_shown(text)


def test_texts_of_databases_of_real_releases_show_nothing_that_was_hidden(legacy_database: Path) -> None:
    for text in texts_of(legacy_database):
        assert_nothing_is_shown(text)
