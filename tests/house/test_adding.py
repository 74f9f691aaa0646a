"""Recipes of docs/adding.md: is each enough? Done in a copy, in the files that its row names and no other."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.house.sources import ROOT, tracked

Files = dict[str, str]


@dataclass(frozen=True)
class Recipe:
    """What is added, the new text of each file by its path, and the tests that would miss anything else."""

    row: str  # the first cell of its row in docs/adding.md
    files: Callable[[], Files]
    tests: tuple[str, ...]
    chosen: str = ""  # as pytest's -k


def text_of(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def changed(path: str, *edits: tuple[str, str]) -> tuple[str, str]:
    """Return a file's path and its text with each first piece replaced, once, by the second."""
    text = text_of(path)
    for before, after in edits:
        assert before in text, f"{path}: {before!r}"
        text = text.replace(before, after, 1)
    return path, text


def before_line(path: str, start: str, added: str) -> tuple[str, str]:
    """Return a file's path and its text with lines put before the first one that starts so."""
    lines = text_of(path).splitlines(keepends=True)
    at = next(number for number, line in enumerate(lines) if line.startswith(start))
    return path, "".join([*lines[:at], added, *lines[at:]])


def a_setting() -> Files:
    row = (
        '    greeting_days: int = _setting(\n        7,\n        _whole_number(0, 9),\n        unit="days",\n'
        '        allowed="a whole number from 0 to 9",\n        help="How long it greets.",\n    )\n'
    )
    return dict(
        [
            before_line("app/settings.py", "    audit_days: int", row),
            before_line(
                "docs/settings.md",
                "| `AUDIT_DAYS`",
                "| `GREETING_DAYS` | `7` | days | a whole number from 0 to 9 | How long it greets. |\n",
            ),
            before_line(".env.example", "#AUDIT_DAYS", "#GREETING_DAYS=7\n"),
        ]
    )


def an_error() -> Files:
    drawn = "    |-- TooMuch               1   429   too many tries; wait\n"
    written = (
        'class Gone(DaemonError):\n    """It was there once and is not any more."""\n\n'
        '    code = "gone"\n    status = 410\n\n\n'
    )
    return dict(
        [
            changed(
                "app/errors.py",
                (drawn, f"    |-- Gone                  1   410   it was there once\n{drawn}"),
                ("class TooMuch(", f"{written}class TooMuch("),
            ),
            before_line(
                "docs/errors.md",
                "| `TooMuch`",
                "| `Gone` | `gone` | 1 | 410 | It was there once and is not any more. |\n",
            ),
        ]
    )


def a_kind() -> Files:
    kind = json.loads(text_of("app/entries/kind_files/favorite_books.json"))
    count = len(list((ROOT / "app/entries/kind_files").glob("*.json")))
    kind |= {"name": "podcasts", "order": count + 1, "title": "Podcasts", "description": "Worth an hour"}
    row = next(
        line for line in text_of("docs/privacy.md").splitlines() if line.startswith("| `favorite_books` |")
    )
    return dict(
        [
            ("app/entries/kind_files/podcasts.json", json.dumps(kind, indent=2) + "\n"),
            before_line(
                "docs/privacy.md", "| `favorite_books` |", row.replace("favorite_books", "podcasts") + "\n"
            ),
        ]
    )


def a_field() -> Files:
    return dict(
        [
            changed(
                "app/privacy/fields.py",
                (
                    '    Sensitive("always", "fax", "fax-number", "halifax"),\n',
                    '    Sensitive("always", "fax", "fax-number", "halifax"),\n'
                    '    Sensitive("always", "telex", "telex", "telegraph"),\n',
                ),
            ),
            changed("docs/privacy.md", (", fax, ", ", fax, telex, ")),
        ]
    )


def a_command() -> Files:
    added = '''

@claim.command(name="count")
@json_option
@click.pass_obj
def count_command(output: Output) -> int:
    """How many entries wait."""
    output.answer("none", {"count": 0})
    return 0
'''
    return {
        "app/cli/claim.py": text_of("app/cli/claim.py") + added,
        "tests/cli/test_counting.py": '"""Does it count?"""\n\nfrom tests.cli.conftest import Typed\n\n\n'
        "def test_it_counts(typed: Typed) -> None:\n"
        '    assert "none" in typed("claim", "count").out\n',
    }


RECIPES = (
    Recipe("a setting", a_setting, ("tests/test_settings.py", "tests/house/test_documents.py")),
    Recipe("an error", an_error, ("tests/house/test_documents.py",)),
    Recipe(
        "a kind of entry",
        a_kind,
        (
            "tests/entries/test_kind_files.py",
            "tests/entries/test_read.py",
            "tests/entries/test_visibility.py",
            "tests/privacy/test_document.py",
        ),
    ),
    Recipe(
        "a field that must be hidden",
        a_field,
        ("tests/privacy/test_fields.py", "tests/privacy/test_document.py"),
    ),
    Recipe("a command", a_command, ("tests/cli/test_counting.py", "tests/cli/test_main.py")),
)


def rows() -> dict[str, set[str]]:
    """Return the paths that each row of docs/adding.md names, by what it adds."""
    found = {}
    for line in text_of("docs/adding.md").splitlines():
        if line.startswith("| ") and "|---" not in line:
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            found[cells[0]] = set(re.findall(r"`([\w./-]+/[\w./-]+|\.env\.example)`", " ".join(cells[1:])))
    return found


def test_every_row_has_its_recipe_or_a_reason_for_none() -> None:
    elsewhere = {
        "a step of the schema": "tests/upgrade/test_next_version.py does two of them",
        "an old database seen in the wild": "tests/upgrade/test_shapes.py",
        "another database engine": "there is no second one to try it with",
        "a package": "needs the package index",
        "a form of link or number that is no secret": "tests/privacy/test_document.py compares row and code",
        "a privacy level": "tests/privacy/test_levels.py",
        "something the server does by itself": "tests/server/test_second_door.py adds a job",
        "another door (assistants, a page)": "tests/server/test_second_door.py is one",
        "a route": "tests/web/test_documentation.py and test_matrix.py go by the routes that there are",
    }
    told = set(rows()) - {"to add"}
    assert told == {recipe.row for recipe in RECIPES} | set(elsewhere)


@pytest.mark.parametrize("recipe", RECIPES, ids=lambda recipe: recipe.row)
def test_the_files_that_the_row_names_are_enough(recipe: Recipe, tmp_path: Path) -> None:
    files = recipe.files()
    named = rows()[recipe.row]
    for path in files:
        assert any(path == one or path.startswith(f"{one}/") for one in named), (
            f"{path} is not in the row: {named}"
        )
    copy = tmp_path / "copy"
    for source in tracked():
        target = copy / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
    for path, text in files.items():
        (copy / path).write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *recipe.tests],
        cwd=copy,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
