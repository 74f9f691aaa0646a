"""Is a report of the rooms said line by line in the language of the screen, each line in its place?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app import typed_commands
from app.upgrade.operations import would_be_lost
from app.upgrade.operations.look_ahead import plan_with_hidden
from app.upgrade.report.render import plan_text
from app.web import words
from app.web.admin import report_lines
from app.web.admin.report_lines import report_line
from tests.conftest import SettingsIn
from tests.upgrade.old_databases import build


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


def test_a_command_is_named_as_it_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(typed_commands._of_answers, "program", "./run")
    for said in ("To run it: daemon upgrade run", "To run it: ./run upgrade run"):
        assert report_line(said) == "Um es zu machen: ./run upgrade run"


def test_all_that_is_counted_has_words() -> None:
    assert set(report_lines.CALLED) == set(would_be_lost.NAMES.values())
