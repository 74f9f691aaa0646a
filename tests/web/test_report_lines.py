"""Is a report of the rooms said line by line in the language of the screen, each line in its place?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app import clock, typed_commands
from app.accounts.operations import Operation
from app.server.going_back import Told
from app.storage.registry import storage_for
from app.upgrade.operations import would_be_lost
from app.upgrade.operations.look_ahead import plan_with_hidden
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.readiness import ask_readiness
from app.upgrade.report.render import outcome_text, plan_text
from app.web import words
from app.web.admin import report_lines
from app.web.admin.report_lines import report_line
from app.web.admin.work_shown import outcome_of
from tests.conftest import SettingsIn
from tests.upgrade.old_databases import build
from tests.upgrade.places import execute
from tests.upgrade.test_rollback_writes import WRITTEN

ENGLISH = re.compile(r"\b(?:the|is|of|it|and|that|what|by|with|who|stays?|used|rows?)\b", re.IGNORECASE)


@pytest.fixture(autouse=True)
def in_german() -> Iterator[None]:
    words.speak("de")
    yield
    words.speak("en")


@pytest.mark.parametrize(
    ("english", "german"),
    [
        ("Detected:  0.2.0", "Erkannt:   0.2.0"),
        ("Holds:     3 users, 1 entry, 40 rows in all", "Enthält:   3 Konten, 1 Eintrag, zusammen 40 Zeilen"),
        ("In the way:", "Im Weg:"),
        ("  - The database cannot be written", "  - Die Datenbank ist nicht beschreibbar"),
        (
            "  2. add pictures, messages and webhooks (0009)",
            "  2. Bilder, Nachrichten und Webhooks dazunehmen (0009)",
        ),
        (
            "      ideas 5 of ann: it is private: its text is not JSON",
            "      Ideen 5 von ann: er ist privat: sein Text ist kein JSON",
        ),
        ("      ideas 6 of no owner: it has no owner", "      Ideen 6 von niemandem: er gehört niemandem"),
        ("  entries: 3 new, 1 changed", "  Einträge: 3 neu, 1 geändert"),
        ("  rows of sessions: 2 deleted", "  Zeilen von sessions: 2 gelöscht"),
        ("  share links: 3 rows then, 4 now", "  Links zum Teilen: damals 3 Zeilen, jetzt 4"),
        ("  missing: column users.last_login", "  fehlt: Spalte users.last_login"),
        ("It has as many rows as now.", "Sie hat so viele Zeilen wie jetzt."),
        ("ideas 5 of ann: words of a person", "ideas 5 of ann: words of a person"),
        (
            "  - Back from what the rollback of 2026-01-02 kept: 12 rows (3 of users, "
            + ", ".join(["1 of api_keys"] * 9)
            + ").",
            "  - Zurück aus dem, was die Rücknahme von 2026-01-02 behalten hat: 12 Zeilen (3 von users, "
            + ", ".join(["1 von api_keys"] * 9)
            + ").",
        ),
        (
            "  - Every account of this machine may look into /a ('x'). To end that: sudo chmod o-rwx /a",
            "  - Jedes Konto dieses Rechners darf in /a hineinsehen ('x'). So endet das: sudo chmod o-rwx /a",
        ),
        ("", ""),
    ],
)  # fmt: skip
def test_a_line_is_said_in_its_place(english: str, german: str) -> None:
    assert report_line(english) == german


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("name", ["odd_texts", "orphans"])
def test_every_line_of_a_check_is_said(name: str, tmp_path: Path, settings_in: SettingsIn) -> None:
    settings = settings_in(tmp_path)
    build(name, settings.database_path)
    settings.backup_dir.mkdir()
    lines = plan_text(plan_with_hidden(settings), everything=True).split("\n")
    assert len(lines) > 10
    same = [line for line in lines if line.strip() and report_line(line) == line]
    assert same == []


@pytest.mark.only_on("sqlite")
@pytest.mark.parametrize("name", ["layout_a", "layout_b"])
def test_every_line_of_how_it_ended_is_said(name: str, tmp_path: Path, settings_in: SettingsIn) -> None:
    """An upgrade of an old database, its rollback with what was written since, and the upgrade again."""
    settings = settings_in(tmp_path)
    path = settings.database_path
    build(name, path)
    settings.backup_dir.mkdir()
    execute(
        path,
        "UPDATE api_keys SET last_used = '2026-01-01 00:00:00', expires_at = NULL, is_active = 1 WHERE id = "
        "(SELECT max(id) FROM api_keys)",
    )
    outcomes = [run_upgrade(settings)]
    execute(path, *WRITTEN)
    foretold = would_be_lost.by_rollback(settings).lines
    outcomes += [run_rollback(settings)]
    behind = ask_readiness(settings, storage_for(settings.database_url))
    outcomes += [run_upgrade(settings)]
    assert [each.state for each in outcomes] == ["done"] * 3
    texts = [outcome_text(each, everything=True) for each in outcomes]
    lines = [
        line for text in (*texts, *foretold, behind.sentence) for line in text.split("\n") if line.strip()
    ]
    assert any("Back from" in line for line in lines)
    assert any("last used" in line for line in lines)
    assert [line for line in lines if left_in_english(line)] == []


def test_the_notes_of_how_it_ended_are_a_list_between_its_other_lines() -> None:
    at = clock.stored(clock.now())
    operation = Operation(7, 0, "upgrade", "done", created_at=at, finished_at=at)
    shown = outcome_of(Told(operation, "It is done.\n  - One.\n  - Two:\n      ideas 5: x\nTo go on: y"))
    assert shown is not None
    assert (shown.before, shown.after) == (("It is done.",), ("To go on: y",))
    assert shown.notes == ("One.", "Two:", "      ideas 5: x")


def left_in_english(line: str) -> list[str]:
    """The English words that a line still has when it is said: those that are in no name or command."""
    told = re.sub(r"\bdaemon (?:[a-z]+ ){1,2}\S+|\S*[/_.]\S+|'[^']*'", " ", report_line(line))
    return ENGLISH.findall(told)


def test_a_command_is_named_as_it_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(typed_commands._of_answers, "program", "./run")
    for said in ("To run it: daemon upgrade run", "To run it: ./run upgrade run"):
        assert report_line(said) == "Um es zu machen: ./run upgrade run"


def test_all_that_is_counted_has_words() -> None:
    assert set(report_lines.CALLED) == set(would_be_lost.NAMES.values())
