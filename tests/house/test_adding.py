"""Recipes of docs/adding.md: is each enough? Done in a copy, in the files that its row names and no other."""

from __future__ import annotations

import json
import os
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
# What is wanted in the copy is never left out there, whatever sample of tests this run takes.
EVERY_CASE = {"DAEMON_TESTS_SWEEP_EVERY": "1", "DAEMON_TESTS_CASES_EVERY": "1"}


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


def a_public_name() -> Files:
    row = """    Identifier(
        "handle",
        re.compile(r"(?<![\\w-])(?P<part>hdl:\\d{4,9}/\\d{4,20})(?![\\w-])", re.ASCII),
        "hdl:20000/4155550134",
        "hdl:20 and 415-555-0134",
        needs="hdl:",
    ),
"""
    documented = "| `handle` | `hdl:20000/4155550134` | `hdl:20 and 415-555-0134` |\n"
    return dict(
        [
            changed(
                "app/privacy/identifiers.py",
                ('    Identifier(\n        "doi",', f'{row}    Identifier(\n        "doi",'),
            ),
            before_line("docs/privacy.md", "| `doi` |", documented),
        ]
    )


def a_level() -> Files:
    row = """        Level(
            name="friends",
            title="What friends may read",
            below=("public_full",),
            tiers=("business_card", "professional"),
            without=("personal",),
            masks=_STRICTLY_MASKED,
        ),
"""
    most = '        Level(\n            name="public_full",'
    privacy = text_of("docs/privacy.md")
    like = next(line for line in privacy.splitlines() if line.startswith("| `professional` | What a"))
    mine = like.replace("professional", "friends").replace("What a colleague or recruiter", "What friends")
    for before, after in (
        ("| `public_full` | Everything", f"{mine}\n| `public_full` | Everything"),
        (
            "nothing else | `professional`, `ai_safe` |",
            "nothing else | `professional`, `ai_safe`, `friends` |",
        ),
        (
            "`professional`, `ai_safe`, `public_full` |",
            "`professional`, `ai_safe`, `friends`, `public_full` |",
        ),
        (
            "`business_card`, `professional`, `ai_safe` |",
            "`business_card`, `professional`, `ai_safe`, `friends` |",
        ),
        ("```json professional ai_safe", "```json professional ai_safe friends"),
    ):
        assert before in privacy, before
        privacy = privacy.replace(before, after)
    return dict(
        [
            changed(
                "app/privacy/levels.py",
                (most, row + most),
                ('below=("professional", "ai_safe"),', 'below=("professional", "ai_safe", "friends"),'),
            ),
            changed("app/settings.py", ('"ai_safe", "public_full")', '"ai_safe", "friends", "public_full")')),
            changed("docs/settings.md", ("ai_safe, public_full", "ai_safe, friends, public_full")),
            ("docs/privacy.md", privacy),
        ]
    )


def a_job() -> Files:
    begin = '    writing = Job("write health"'
    return dict(
        [
            changed(
                "app/server/lifetime.py",
                (begin, f'    idle = Job("idle", 60.0, lambda: None)\n{begin}'),
                ("[writing, read", "[idle, writing, read"),
            ),
            (
                "tests/server/test_idle.py",
                '"""Is it one of the jobs?"""\n\nfrom app.server.lifetime import jobs_of\n'
                "from tests.web.conftest import Site\n\n\n"
                "def test_it_is_done(site: Site) -> None:\n"
                '    assert "idle" in [job.name for job in jobs_of(site.app.server)]\n',
            ),
        ]
    )


def a_shape() -> Files:
    fourth = text_of("app/upgrade/legacy/shapes/fourth_shape.py")
    fifth = fourth.replace("fourth shape", "fifth shape").replace(
        "hashed_password VARCHAR(100) NOT NULL,", "passhash VARCHAR(100) NOT NULL,"
    )
    fifth = fifth.replace("email, hashed_password, 1, is_admin", "email, passhash, 1, is_admin")
    fifth = fifth.replace("KEEP_VALUES = False", "KEEP_VALUES = True")
    made = '''

@database("fifth_shape")
def fifth_shape(path: Path, name: str) -> Facts:
    """A users table whose passwords have another name."""
    with opened(path) as connection:
        _fourth_users(connection, full_name=False)
        connection.execute("ALTER TABLE users RENAME COLUMN hashed_password TO passhash")
    return changed(_fourth_facts(name, full_name=False), variants={**_absent(), "users": "fifth shape"})
'''
    layouts = "tests/upgrade/old_databases/layouts.py"
    return {"app/upgrade/legacy/shapes/fifth_shape.py": fifth, layouts: text_of(layouts) + made}


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


def a_route() -> Files:
    route = (
        '@router.get("/{key_id}/label", **read_operation("keys_label", model.Label, 404, who=ACCOUNT))\n'
        "def get_label(request: Request, server: ServerOf, key_id: Id) -> Response:\n"
        '    """Return the name of one of one\'s own keys."""\n'
        "    with server.supervisor.reading() as connection:\n"
        "        user, _actor = account_of(request, server, connection)\n"
        "        found = _own_key(connection, key_id, user.id)\n"
        '    return reply(request, {"label": found.name}, is_public=False)\n\n\n'
    )
    return dict(
        [
            before_line("app/web/routes/keys.py", "def _own_key", route),
            before_line(
                "app/web/models/keys.py", "class KeyPage", "class Label(Answer):\n    label: str\n\n\n"
            ),
            before_line(
                "docs/api.md",
                "| PATCH | `/auth/keys/{key_id}`",
                "| GET | `/auth/keys/{key_id}/label` | account | the name of one of one's own keys |\n",
            ),
            before_line(
                "tests/web/test_matrix.py",
                '    "PATCH /auth/keys/{key_id}"',
                '    "GET /auth/keys/{key_id}/label": (row(*KEY_OF_OWNER),),\n',
            ),
        ]
    )


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
    Recipe(
        "a form of link or number that is no secret",
        a_public_name,
        ("tests/privacy/test_identifiers.py", "tests/privacy/test_document.py"),
    ),
    Recipe(
        "a privacy level",
        a_level,
        (
            "tests/privacy/test_levels.py",
            "tests/privacy/test_document.py",
            "tests/test_settings.py",
            "tests/house/test_documents.py",
            "tests/privacy/test_filter_properties.py",
            "tests/entries/test_kind_files.py",
            "tests/entries/test_search_index.py::test_no_audience_has_terms_of_another",
        ),
    ),
    Recipe(
        "something the server does by itself",
        a_job,
        ("tests/server/test_idle.py", "tests/server/test_jobs.py"),
    ),
    Recipe(
        "an old database seen in the wild",
        a_shape,
        ("tests/upgrade/test_generated.py", "tests/upgrade/test_shapes.py"),
        chosen="fifth",
    ),
    Recipe(
        "a route",
        a_route,
        ("tests/web/test_documentation.py", "tests/web/test_matrix.py", "tests/web/test_described.py"),
        chosen="document or described or describes or not_served or label",
    ),
    Recipe("a command", a_command, ("tests/cli/test_counting.py", "tests/cli/test_main.py")),
)


def rows() -> dict[str, set[str]]:
    """Return the paths that each row of the first table of docs/adding.md names, by what it adds."""
    found = {}
    for line in text_of("docs/adding.md").partition("\n## ")[0].splitlines():
        if line.startswith("| ") and "|---" not in line:
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            found[cells[0]] = set(re.findall(r"`([\w./-]+/[\w./-]+|\.env\.example)`", " ".join(cells[1:])))
    return found


def test_every_row_has_its_recipe_or_a_reason_for_none() -> None:
    elsewhere = {
        "a step of the schema": "tests/upgrade/test_next_version.py does two of them",
        "something that must be found in texts": "tests/privacy/detectors has examples of each",
        "another database engine": "there is no second one to try it with",
        "a theme of pages, an accent": "tests/web/test_themes.py asks each that there is for its contrast",
        "a package": "needs the package index",
        "another door (assistants, a page)": "tests/server/test_second_door.py is one",
        "a sentence of an error, a hint, a warning": "tests/web/test_words.py asks for translations",
    }
    told = set(rows()) - {"to add"}
    assert told == {recipe.row for recipe in RECIPES} | set(elsewhere)


@pytest.mark.sweep
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
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:xdist",
            "--assert=plain",  # what is printed is read by no one, but where it fails
            "-k",
            recipe.chosen,
            *recipe.tests,
        ],
        cwd=copy,
        env=os.environ | EVERY_CASE,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-3000:]
