"""Is every file written the way the card in docs/house.md asks?"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.sources import ROOT, called_in, docstring_of, python_files, shown, tracked

CLOCKS = {
    "time.time",
    "time.time_ns",
    "time.localtime",
    "time.gmtime",
    "datetime.now",
    "datetime.utcnow",
    "datetime.today",
    "date.today",
    "datetime.datetime.now",
    "datetime.datetime.utcnow",
    "datetime.date.today",
}
MAY_COMMIT = ("app/database.py", "app/storage/", "app/upgrade/", "app/backup/")
BANNED_NAMES = re.compile(
    r"(?:^|_)(utils?|helpers?|common|managers?|handlers?|comprehensive|enhanced|v2)(?:_|$)"
)
OLD_ADDRESSES = {"scripts/migrate_comprehensive.py"}
# In parts, so that this file does not name them itself.
HOSTS = ("pypi" + ".org", "python" + "hosted", "registry.npm" + "js", "deb.debian" + ".org", "crates" + ".io")
MACHINE_PATHS = ("/wo" + "rk/", "/ro" + "ot/", "/fa" + "rm/")


def product_files() -> tuple[Path, ...]:
    return python_files("app", "scripts", "deploy")


def test_every_file_says_first_what_it_answers() -> None:
    silent = [shown(path) for path in python_files() if not docstring_of(path).strip()]
    assert silent == []


def test_only_one_file_asks_the_clock() -> None:
    clock = ROOT / "app/clock.py"
    found = [
        f"{shown(path, line)} calls {name}"
        for path in product_files()
        if path != clock
        for name, line in called_in(path)
        if name in CLOCKS
    ]
    assert found == []


def test_only_one_file_prints() -> None:
    output = ROOT / "app/cli/output.py"
    found = [
        shown(path, line)
        for path in python_files("app", "scripts")
        if path != output
        for name, line in called_in(path)
        if name in ("print", "click.echo")
    ]
    assert found == []


def test_only_the_cellar_and_the_rooms_that_open_a_database_commit() -> None:
    found = [
        shown(path, line)
        for path in product_files()
        if not shown(path).startswith(MAY_COMMIT)
        for name, line in called_in(path)
        if name.endswith((".commit", "engine.begin", "connection.begin"))
    ]
    assert found == []


def test_no_method_is_there_only_to_be_refused() -> None:
    """What only one engine can do is asked for by a type that only this engine gives."""
    found = [
        shown(path, line)
        for path in product_files()
        for line, text in enumerate(path.read_text().splitlines(), 1)
        if "NotImplemented" + "Error" in text
    ]
    assert found == []


def test_names_are_words_of_the_field() -> None:
    odd = [
        shown(path)
        for path in tracked()
        if shown(path) not in OLD_ADDRESSES and any(map(BANNED_NAMES.search, _stems(path)))
    ]
    assert odd == []


def _stems(path: Path) -> list[str]:
    return [part.split(".")[0].lower() for part in path.relative_to(ROOT).parts]


@pytest.mark.parametrize("words", [HOSTS, MACHINE_PATHS], ids=["package hosts", "paths of a machine"])
def test_nothing_names(words: tuple[str, ...]) -> None:
    found = [
        f"{shown(path)} names {word}"
        for path in tracked()
        for word in words
        if word.encode() in path.read_bytes()
    ]
    assert found == []
