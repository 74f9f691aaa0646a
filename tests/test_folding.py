"""Are lines that come too often counted, so that no one washes away what was written before?"""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest

from app import folding, log
from app.folding import LONGEST_SECONDS, MOST_KINDS, SAID_AT_FIRST_COUNT, Folding
from app.settings import Settings
from tests.conftest import SettingsIn


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def settings(settings_in: SettingsIn, tmp_path: Path) -> Settings:
    return settings_in(tmp_path)


def record(words: str, *arguments: object, name: str = "x", level: int = logging.INFO) -> logging.LogRecord:
    return logging.LogRecord(name, level, "", 0, words, arguments, None)


def said(found: list[logging.LogRecord]) -> list[str]:
    return [one.getMessage() for one in found]


def test_the_first_lines_are_written_and_the_others_counted(watch: Watch) -> None:
    fold = Folding(watch)
    written = [one for number in range(1244) for one in fold.take(record("%s refused", number))]
    assert said(written) == [f"{number} refused" for number in range(SAID_AT_FIRST_COUNT)]
    watch.seconds += 60
    assert said(fold.due()) == ["1243 refused (said 1,234 times more in 60 s)"]
    assert fold.due() == []


def test_a_flood_of_a_year_is_a_few_lines_an_hour(watch: Watch) -> None:
    fold = Folding(watch)
    count = 0
    for _ in range(24 * 60):
        for number in range(20):
            count += len(fold.take(record("%s refused", number)))
        watch.seconds += 60
    assert count <= SAID_AT_FIRST_COUNT + 24 * 3600 / LONGEST_SECONDS + 8


def test_kinds_are_apart(watch: Watch) -> None:
    fold = Folding(watch)
    for _ in range(100):
        fold.take(record("%s refused", "POST"))
    assert fold.take(record("%s done", "POST"))
    assert fold.take(record("%s refused", "POST", level=logging.ERROR))
    assert fold.take(record("%s refused", "POST", name="y"))
    assert not fold.take(record("%s refused", "PUT"))


def test_after_a_quiet_time_lines_are_written_again(watch: Watch) -> None:
    fold = Folding(watch)
    for _ in range(100):
        fold.take(record("refused"))
    watch.seconds += 60
    assert len(fold.due()) == 1
    watch.seconds += 120
    assert said(fold.take(record("refused"))) == ["refused"]


def test_what_is_remembered_is_bounded(watch: Watch) -> None:
    fold = Folding(watch)
    numbers = range(10 * MOST_KINDS)
    written = [one for number in numbers for one in fold.take(record(f"refused {number}"))]
    assert len(written) == MOST_KINDS + SAID_AT_FIRST_COUNT
    assert len(fold._told) == MOST_KINDS + 1


def test_nothing_is_lost_at_the_end(watch: Watch) -> None:
    fold = Folding(watch)
    for _ in range(12):
        fold.take(record("%d refused", "not a number"))
    watch.seconds += 5
    assert said(fold.rest()) == ["%d refused (said 2 times more in 5 s)"]
    assert fold.rest() == []


def lines(settings: Settings) -> list[dict[str, object]]:
    return [json.loads(line) for line in (settings.log_dir / log.FILE_NAME).read_text().splitlines()]


def test_a_server_folds_and_the_count_has_what_was_passed(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(settings, console=True)
    for number in range(1000):
        log.get_logger("x").warning("refused %s", number, extra={"address": "192.0.2.1"})
    log.release()
    found = lines(settings)
    assert len(found) == SAID_AT_FIRST_COUNT + 1
    assert str(found[-1]["message"]).startswith("refused 999 (said 990 times more in ")
    assert found[-1]["address"] == "192.0.2.1"
    assert capsys.readouterr().err.count("refused") == SAID_AT_FIRST_COUNT + 1


def test_the_count_is_written_also_where_nothing_more_is_said(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folding, "FIRST_SECONDS", 0.0)
    monkeypatch.setattr(folding, "SAID_AT_FIRST_COUNT", 0)
    log.configure(settings, console=True)
    log.get_logger("x").warning("refused")
    log.tell_what_was_folded()
    assert [line["message"] for line in lines(settings)] == ["refused (said 1 times more in 1 s)"]


def test_a_command_says_every_line(settings: Settings) -> None:
    log.configure(settings, console=False)
    for number in range(50):
        log.get_logger("x").warning("row %s", number)
    assert len(lines(settings)) == 50
