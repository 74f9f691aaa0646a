"""Are damage, broken keys and changed rows seen, whatever is in the rows?"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storage.schema import quoted
from app.storage.sqlite.integrity import foreign_key_faults, rows_digest
from app.storage.sqlite.soundness import soundness_of
from app.storage.types import Soundness, TableDigest
from tests.storage.conftest import make_database

Values = list[tuple[object, ...]]


def table_digest(connection: sqlite3.Connection, table: str, columns: list[str]) -> TableDigest:
    return rows_digest(connection, f"SELECT {', '.join(map(quoted, columns))} FROM {quoted(table)}")


@pytest.fixture
def memory() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        yield connection


def digest_of(values: Values) -> TableDigest:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute("CREATE TABLE t (a, b)")
        connection.executemany("INSERT INTO t VALUES (?, ?)", values)
        return table_digest(connection, "t", ["a", "b"])


ANY_VALUE = st.one_of(
    st.none(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.text(st.characters(codec="utf-8")),
    st.binary(max_size=20),
)
ANY_ROWS = st.lists(st.tuples(ANY_VALUE, ANY_VALUE), max_size=8)


@given(ANY_ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(values: Values, shuffler: random.Random) -> None:
    shuffled = list(values)
    shuffler.shuffle(shuffled)
    assert digest_of(shuffled) == digest_of(values)
    assert digest_of(values).rows == len(values)


@given(ANY_ROWS, ANY_ROWS)
def test_other_rows_have_another_digest(one: Values, other: Values) -> None:
    def typed(values: Values) -> list[str]:
        return sorted(repr(row) for row in values)

    assert (digest_of(one) == digest_of(other)) == (typed(one) == typed(other))


LOOKALIKES: list[object] = [
    None,
    "",
    b"",
    0,
    0.0,
    -0.0,
    "0",
    b"0",
    1,
    1.0,
    "1",
    b"1",
    "1.0",
    True + 1,
    2**63 - 1,
]
LOOKALIKES += [
    float(2**63),
    "None",
    "null",
    "a\0b",
    "a",
    b"a\0b",
    "é",
    "e\u0301",
    "NaN",
    float("inf"),
    float("-inf"),
]


def test_every_lookalike_is_its_own() -> None:
    digests = {digest_of([(value, "x")]).digest for value in LOOKALIKES}
    assert len(digests) == len(LOOKALIKES)
    swapped = {digest_of([(1, 2)]).digest, digest_of([(2, 1)]).digest}
    assert len(swapped) == 2


def test_text_that_is_not_utf8_counts_as_the_bytes_it_is(memory: sqlite3.Connection) -> None:
    memory.execute("CREATE TABLE t (a)")
    memory.executemany("INSERT INTO t VALUES (?)", [("sound",)] * 250)
    digests = {table_digest(memory, "t", ["a"]).digest}
    for number, odd in enumerate((b"\xff", b"\xfe", b"caf\xe9", b"\xed\xa0\x80", b"\xef\xbf\xbd", b"\xc3")):
        memory.execute("DELETE FROM t WHERE rowid = 250")
        memory.execute("INSERT INTO t (rowid, a) VALUES (250, CAST(? AS TEXT))", (odd,))
        digests.add(table_digest(memory, "t", ["a"]).digest)
        assert len(digests) == number + 2
    memory.execute("UPDATE t SET a = CAST(a AS BLOB) WHERE rowid = 250")
    assert table_digest(memory, "t", ["a"]).digest not in digests


def test_reading_one_way_or_the_other_gives_the_same(memory: sqlite3.Connection) -> None:
    memory.execute("CREATE TABLE t (a)")
    memory.executemany("INSERT INTO t VALUES (?)", [(f"wörd {n}",) for n in range(500)])
    plainly = table_digest(memory, "t", ["a"])
    memory.execute("INSERT INTO t VALUES (CAST(x'ff' AS TEXT))")
    carefully = table_digest(memory, "t", ["a"])
    only_odd = rows_digest(memory, "SELECT a FROM t WHERE rowid = ?", (501,))
    difference = (int(carefully.digest, 16) - int(only_odd.digest, 16)) % 2**64
    assert (carefully.rows - 1, f"{difference:016x}") == (plainly.rows, plainly.digest)


def test_a_select_that_is_wrong_is_an_error(memory: sqlite3.Connection) -> None:
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        table_digest(memory, "none", ["a"])


def test_the_connection_keeps_how_it_reads(memory: sqlite3.Connection) -> None:
    memory.text_factory = bytes
    memory.row_factory = sqlite3.Row
    memory.execute('CREATE TABLE "an odd ""name" ("a column")')
    memory.execute("""INSERT INTO "an odd ""name" VALUES ('x')""")
    assert table_digest(memory, 'an odd "name', ["a column"]).rows == 1
    assert soundness_of(memory) == Soundness()
    assert foreign_key_faults(memory) == []
    row = memory.execute('SELECT "a column" AS it FROM "an odd ""name"').fetchone()
    assert row["it"] == b"x"


def test_a_flipped_page_is_seen(folder: Path) -> None:
    path = make_database(folder / "daemon.db", rows=2000)
    content = bytearray(path.read_bytes())
    content[3 * 4096 : 3 * 4096 + 200] = b"\xff" * 200
    path.write_bytes(content)
    with closing(sqlite3.connect(path)) as connection:
        assert soundness_of(connection).damage


def test_what_cannot_be_checked_at_all_is_a_fault(folder: Path) -> None:
    (folder / "daemon.db").write_bytes(b"SQLite format 3\0" + b"\x01" * 4080)
    with closing(sqlite3.connect(folder / "daemon.db")) as connection:
        assert soundness_of(connection).damage


def test_orphans_are_listed_row_by_row(memory: sqlite3.Connection) -> None:
    memory.execute("CREATE TABLE users (id INTEGER PRIMARY KEY)")
    memory.execute(
        "CREATE TABLE entries (id INTEGER PRIMARY KEY, a, owner REFERENCES users, other REFERENCES users)"
    )
    memory.execute("INSERT INTO entries VALUES (1, 1, 7, NULL), (2, 1, NULL, 8), (3, 1, NULL, NULL)")
    found = foreign_key_faults(memory)
    assert [(one.table, one.rowid, one.parent, one.columns) for one in found] == [
        ("entries", 1, "users", ("owner",)),
        ("entries", 2, "users", ("other",)),
    ]
    assert found[0].sentence() == "entries, row 1: owner names a row of users that is not there"


def test_keys_that_cannot_be_checked_do_not_hide_the_others(memory: sqlite3.Connection) -> None:
    memory.execute("CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT)")
    memory.execute("CREATE TABLE a_bad (name TEXT REFERENCES users (name))")
    memory.execute("INSERT INTO a_bad VALUES ('ann')")
    memory.execute("CREATE TABLE entries (id INTEGER PRIMARY KEY, owner REFERENCES users)")
    memory.execute("CREATE TABLE keyless (owner REFERENCES users, k PRIMARY KEY) WITHOUT ROWID")
    memory.execute("CREATE TABLE lost (owner REFERENCES nowhere)")
    for table in ("entries (owner)", "lost (owner)"):
        memory.execute(f"INSERT INTO {table} VALUES (9)")
    memory.execute("INSERT INTO keyless VALUES (9, 'k')")
    found = {one.table: one for one in foreign_key_faults(memory)}
    assert set(found) == {"a_bad", "entries", "keyless", "lost"}
    assert "cannot be checked" in found["a_bad"].sentence()
    assert found["keyless"].sentence().startswith("keyless, a row: owner")
    assert found["lost"].parent == "nowhere"
