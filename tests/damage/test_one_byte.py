"""Does a changed byte of a schema ever stop the rescue? Every command answers, a good backup comes back."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.damage.rescue import Place, typed

FLIPS, PARTS = 40, 8


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    place = Place(tmp_path / "home")
    with place.entered():
        yield place


def upgraded(place: Place) -> None:
    assert typed("upgrade", "run").status == 0


@pytest.mark.sweep
@pytest.mark.parametrize("prepare", [lambda place: None, upgraded], ids=["old", "newest"])
@pytest.mark.parametrize("part", range(PARTS))
def test_bits_of_the_schema_pages(part: int, prepare: Callable[[Place], None], place: Place) -> None:
    prepare(place)
    sound = place.live.read_bytes()
    chosen = random.Random(7)
    wrong = []
    places = spots(place.live, sound)
    flips = [(chosen.choice(places), chosen.choice([1, 2, 4, 8, 16, 32, 64, 128, 255])) for _ in range(FLIPS)]
    for at, bits in flips[part::PARTS]:
        changed = bytearray(sound)
        changed[at] ^= bits
        wrong += [f"byte {at}: {what}" for what in place.walk(bytes(changed))[1]]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("byte", [0x80, 0x9E, 0xC3, 0xFF])
@pytest.mark.parametrize("word", [b"CREATE TABLE users", b"CREATE TABLE data_entries", b"ix_users_email ON"])
def test_a_byte_of_a_name_that_is_not_utf8(byte: int, word: bytes, place: Place) -> None:
    sound = place.live.read_bytes()
    changed = bytearray(sound)
    changed[sound.index(word) + len(word) - 1] = byte
    status, wrong = place.walk(bytes(changed))
    assert not wrong, "\n".join(wrong)
    assert status in (11, 14)


@pytest.mark.parametrize("column", ["sql", "name", "tbl_name", "type"])
@pytest.mark.parametrize("kind", ["table", "index"])
def test_a_cell_of_the_schema_that_is_a_blob(kind: str, column: str, place: Place) -> None:
    with closing(sqlite3.connect(place.live)) as connection, connection:
        connection.execute("PRAGMA writable_schema = 1")
        connection.execute(
            f"UPDATE sqlite_master SET {column} = CAST({column} AS BLOB) WHERE type = ? AND sql IS NOT NULL",
            (kind,),
        )
    _, wrong = place.walk(place.live.read_bytes())
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("prepare", [lambda place: None, upgraded], ids=["old", "newest"])
@pytest.mark.parametrize("name", ["data_entries", "audit_logs", "ix_users_email"])
def test_a_root_page_that_is_that_of_another(
    name: str, prepare: Callable[[Place], None], place: Place
) -> None:
    prepare(place)
    with closing(sqlite3.connect(place.live)) as connection, connection:
        connection.execute("PRAGMA writable_schema = 1")
        connection.execute(
            "UPDATE sqlite_master SET rootpage ="
            " (SELECT rootpage FROM sqlite_master WHERE name = 'endpoints') WHERE name = ?",
            (name,),
        )
    _, wrong = place.walk(place.live.read_bytes())
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("prepare", [lambda place: None, upgraded], ids=["old", "newest"])
@pytest.mark.parametrize(
    ("word", "other"),
    [(b"CREATE TABLE users", b"CREATE TABLE useRs"), (b"ix_users_email ON", b"ix_users_emaiL ON")],
)
def test_a_name_written_otherwise_in_its_sql(
    word: bytes, other: bytes, prepare: Callable[[Place], None], place: Place
) -> None:
    """SQLite looks a name up whatever its case is, so that a row's name and that in its SQL may differ."""
    prepare(place)
    sound = place.live.read_bytes()
    if word not in sound:
        word, other = (each.replace(b"TABLE ", b'TABLE "') + b'"' for each in (word, other))
    assert word in sound
    _, wrong = place.walk(sound.replace(word, other))
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("head", [b"\1\2", b"\2\1", b"\2\2"])
def test_the_second_of_two_bytes_says_whether_there_is_a_log(head: bytes, place: Place) -> None:
    content = bytearray(place.live.read_bytes())
    content[18:20] = head
    status, wrong = place.walk(bytes(content))
    assert (status, wrong) == (10, [])


@pytest.mark.parametrize(("at", "value"), [(47, 9), (59, 0), (59, 2), (59, 7)])
def test_a_header_that_no_sqlite_writes_is_damage(at: int, value: int, place: Place) -> None:
    """The schema's format and the encoding: SQLite refuses both without a code of their own."""
    content = bytearray(place.live.read_bytes())
    content[at] = value
    status, wrong = place.walk(bytes(content))
    assert not wrong, "\n".join(wrong)
    assert status in ((10,) if value == 0 else (13, 14))


def spots(path: Path, content: bytes) -> list[int]:
    """Where the bytes of the pages lie that hold the schema, empty ones left out."""
    with closing(sqlite3.connect(path)) as connection:
        size = connection.execute("PRAGMA page_size").fetchone()[0]
        texts = connection.execute("SELECT CAST(sql AS BLOB) FROM sqlite_master WHERE sql IS NOT NULL")
        pages = {0, *(content.index(text[:40]) // size for (text,) in texts)}
    return [at for page in pages for at in range(page * size, (page + 1) * size) if content[at]]
