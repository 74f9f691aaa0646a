"""Is what happens written down, no matter who rotates the file, and never a secret?"""

from __future__ import annotations

import json
import logging
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, strategies

from app import log, log_file, log_lines, typed_commands
from app.settings import Settings
from tests.conftest import SettingsIn

LONG_SECRET = "correct-horse-battery-staple-correct-horse"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"
API_KEY = "daemon_Ab3-_dEfGhIjKlMnOpQrStUvWxYz0123456789ABCDE"
BCRYPT = "$2b$12$abcdefghijklmnopqrstuvABCDEFGHIJKLMNOPQRSTUVWXYZ01234"


@pytest.fixture
def settings(settings_in: SettingsIn, tmp_path: Path) -> Settings:
    return settings_in(tmp_path, secret_key=LONG_SECRET)


def lines(settings: Settings) -> list[dict[str, Any]]:
    text = (settings.log_dir / "server.log").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_a_line_is_json_with_what_was_passed(settings: Settings) -> None:
    log.configure(settings, console=False)
    log.get_logger("app.test").info("upgraded %s", "0.1.0", extra={"seconds": 1.5, "file": Path("x.db")})
    (line,) = lines(settings)
    assert line["time"].endswith("Z")
    assert line.items() >= {
        ("level", "info"),
        ("logger", "app.test"),
        ("message", "upgraded 0.1.0"),
        ("seconds", 1.5),
        ("file", "x.db"),
        ("process", os.getpid()),
    }


def test_commands_are_named_as_they_are_typed_here(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(typed_commands._of_logs, "program", "python -m app.cli")
    log.configure(settings, console=True)
    told = {"next": "To upgrade it: daemon upgrade run", "why": "daemon upgrade run"}
    log.get_logger("app.test").warning("Use: daemon serve", extra=told)
    (line,) = lines(settings)
    assert (line["message"], line["next"]) == (
        "Use: python -m app.cli serve",
        "To upgrade it: python -m app.cli upgrade run",
    )
    assert line["why"] == "daemon upgrade run", "what is no hint stays as it is"
    assert "Use: python -m app.cli serve" in capsys.readouterr().err


def test_a_message_of_many_lines_is_one_line(settings: Settings) -> None:
    log.configure(settings, console=False)
    log.get_logger("x").warning("first\nsecond \u2028 \ud83d")
    (line,) = lines(settings)
    assert line["message"] == "first\nsecond \u2028 \ud83d"


STEERING = [chr(code) for code in (*range(32), *range(127, 160), 0x61C, 0x200E, 0x200F, 0xFEFF)]
STEERING += [chr(code) for code in (*range(0x2028, 0x202F), *range(0x2066, 0x206A))]


def test_nothing_in_a_line_steers_a_terminal(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    log.configure(settings, console=True)
    text = "".join(STEERING) + "\x1b]0;title\x07 \x9b2J"
    log.get_logger("x").warning("%s", text, extra={"more": {text: [text]}})
    try:
        raise ValueError(text)
    except ValueError:
        log.get_logger("x").exception("raised")
    written = (settings.log_dir / "server.log").read_text()
    for shown in (written, capsys.readouterr().err):
        assert len(shown.splitlines()) == 2
        assert not set(shown) & (set(STEERING) - {"\n"})
    assert lines(settings)[0]["message"] == text


def test_a_line_is_bounded_whatever_is_sent(settings: Settings) -> None:
    log.configure(settings, console=False)
    log.get_logger("x").warning("%s", "a" * 1_000_000, extra={"more": ["b" * 1_000_000]})
    assert (settings.log_dir / "server.log").stat().st_size < 3 * log_lines.LONGEST_TEXT_CHARACTERS


def test_arguments_that_do_not_fit_stop_nothing(settings: Settings) -> None:
    log.configure(settings, console=False)
    handler = log._installed[0]
    handler.handle(logging.makeLogRecord({"msg": "%d files", "args": ("many",), "levelno": 30}))
    assert lines(settings)[0]["message"] == "%d files ('many',)"


def test_the_log_is_private(settings: Settings) -> None:
    log.configure(settings, console=False)
    assert stat.S_IMODE((settings.log_dir / "server.log").stat().st_mode) == 0o600
    assert stat.S_IMODE(settings.log_dir.stat().st_mode) == 0o700


def test_the_console_is_for_people_and_shows_no_stack_trace(
    settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(settings, console=True)
    try:
        raise ValueError("no such thing")
    except ValueError:
        log.get_logger("x").exception("it failed", extra={"step": 2})
    shown = capsys.readouterr().err
    assert "error" in shown
    assert "it failed  step=2 (ValueError: no such thing)" in shown
    assert "Traceback" not in shown
    assert "Traceback" in lines(settings)[0]["error"]


def test_the_level_is_obeyed(settings_in: SettingsIn, tmp_path: Path) -> None:
    settings = settings_in(tmp_path, log_level="WARNING")
    log.configure(settings, console=False)
    log.get_logger("x").info("quiet")
    log.get_logger("x").warning("loud")
    assert [line["message"] for line in lines(settings)] == ["loud"]


def test_configuring_again_does_not_double_the_lines(settings: Settings) -> None:
    log.configure(settings, console=False)
    log.configure(settings, console=False)
    log.get_logger("x").warning("once")
    assert len(lines(settings)) == 1


@pytest.mark.parametrize(
    ("message", "secret"),
    [
        (f"key {LONG_SECRET}", LONG_SECRET),
        (f"Authorization: Bearer {TOKEN}", TOKEN),
        (f"token {TOKEN} was sent", TOKEN),
        ("GET /x?token=hunter2&b=1", "hunter2"),
        ("password=hunter2", "hunter2"),
        ("{'password': 'hunter2 and more'}", "hunter2"),
        ('{"new_password": "hunter2"}', "hunter2"),
        (f"X-API-Key: {API_KEY}", API_KEY),
        (f"key {API_KEY} is unknown", API_KEY),
        (f"hash {BCRYPT} is odd", BCRYPT),
        ("postgresql://ann:hunter2@host/db", "hunter2"),
        ("Basic YW5uOmh1bnRlcjI=", "YW5uOmh1bnRlcjI="),
    ],
)
def test_no_secret_is_written(
    message: str, secret: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    log.configure(settings, console=True)
    logger = log.get_logger("x")
    logger.warning("%s", message)
    logger.warning("extra", extra={"request": {"text": [message]}})
    try:
        raise ValueError(message)
    except ValueError:
        logger.exception("raised")
    written = (settings.log_dir / "server.log").read_text()
    assert secret not in written
    assert secret not in capsys.readouterr().err
    assert written.count(log_lines.HIDDEN) >= 3


@pytest.mark.parametrize(
    "name", ["password", "access_token", "Authorization", "x-api-key", "secret_key", "claim"]
)
def test_a_member_that_is_named_as_a_secret_is_hidden(name: str, settings: Settings) -> None:
    log.configure(settings, console=False)
    log.get_logger("x").warning("extra", extra={"body": {name: "hunter2", "other": "shown"}})
    assert lines(settings)[0]["body"] == {name: log_lines.HIDDEN, "other": "shown"}


def test_a_secret_learned_later_is_hidden_too(settings: Settings) -> None:
    log.configure(settings, console=False)
    log_lines.keep_secret("claim-me-4711")
    log.get_logger("x").warning("open http://localhost/claim-me-4711")
    assert lines(settings)[0]["message"] == f"open http://localhost/{log_lines.HIDDEN}"


def test_ordinary_words_are_left_as_they_are() -> None:
    for text in ("a basic idea", "the token was refused", "3 claims: 2 open", "passwords: none stored"):
        assert log_lines.hide_secrets(text) == text


PIECES = (
    *(
        "eyJabcde.fgh.i",
        "EYJabcde.fgh.i",
        "daemon_",
        "dmn_",
        "x" * 20,
        "$2b$abc",
        "$argon2id$v",
        "bearer ",
        "BASIC ",
    ),
    *(
        "ba\u017fic ",
        "author\u0131zation",
        "to\u212aen",
        "pa\u017f\u017fword",
        "cla\u0130m",
        "Api_Key",
        "X-API-KEY",
    ),
    *(
        "cookie",
        "secret",
        "=",
        ":",
        " ",
        "'",
        '"',
        "a",
        "a.b=1",
        "://",
        "ann:pw@",
        "@",
        "/",
        "\u00e4",
        "[hidden]",
    ),
)


@given(text=strategies.lists(strategies.sampled_from(PIECES), max_size=8).map("".join))
def test_what_is_looked_for_first_hides_no_less(text: str) -> None:
    expected = text
    for pattern, replacement, _ in log_lines._SECRET_TEXT:
        expected = pattern.sub(replacement, expected)
    assert log_lines.hide_secrets(text) == expected


def test_a_large_log_is_rotated_and_no_line_is_lost(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "LARGEST_FILE_BYTES", 1_300)
    monkeypatch.setattr(log_file, "ROTATED_FILES_COUNT", 3)
    log.configure(settings, console=False)
    for number in range(30):
        log.get_logger("x").warning("line %s", number)
    in_order = sorted(settings.log_dir.iterdir(), key=lambda path: path.name, reverse=True)
    assert [path.name for path in in_order] == ["server.log.2", "server.log.1", "server.log"]
    messages = [json.loads(line)["message"] for path in in_order for line in path.read_text().splitlines()]
    assert messages == [f"line {number}" for number in range(30)]


def test_only_so_many_old_logs_are_kept(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_file, "LARGEST_FILE_BYTES", 100)
    monkeypatch.setattr(log_file, "ROTATED_FILES_COUNT", 2)
    log.configure(settings, console=False)
    for number in range(9):
        log.get_logger("x").warning("line %s", number)
    assert sorted(path.name for path in settings.log_dir.iterdir()) == [
        "server.log",
        "server.log.1",
        "server.log.2",
    ]


def test_a_log_that_another_process_moved_is_opened_anew(settings: Settings) -> None:
    log.configure(settings, console=False)
    log.get_logger("x").warning("before")
    path = settings.log_dir / "server.log"
    path.rename(settings.log_dir / "server.log.1")
    log.get_logger("x").warning("after")
    assert [line["message"] for line in lines(settings)] == ["after"]


def test_processes_that_log_together_lose_no_line(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_file, "LARGEST_FILE_BYTES", 5_000)
    monkeypatch.setattr(log_file, "ROTATED_FILES_COUNT", 99)
    log.configure(settings, console=False)
    children = []
    for name in "abc":
        child = os.fork()
        if child == 0:
            status = 1
            try:
                log.configure(settings, console=False)
                for number in range(200):
                    log.get_logger("x").warning("%s %s", name, number)
                status = 0
            finally:
                os._exit(status)
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    written = [line for path in settings.log_dir.iterdir() for line in path.read_text().splitlines()]
    assert sorted(json.loads(line)["message"] for line in written) == sorted(
        f"{name} {number}" for name in "abc" for number in range(200)
    )


def test_a_folder_that_cannot_be_made_is_said_and_does_not_stop(
    settings_in: SettingsIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "logs").write_text("a file in the way")
    log.configure(settings_in(tmp_path), console=False)
    log.get_logger("x").warning("goes on")
    said = capsys.readouterr().err
    assert said.startswith("warning: the log ")
    assert "Not a directory; going on without it" in said


def test_a_full_disk_is_said_once_and_does_not_stop(
    settings: Settings, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    log.configure(settings, console=False)

    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", fail)
    log.get_logger("x").warning("first")
    log.get_logger("x").warning("second")
    monkeypatch.undo()
    log.get_logger("x").warning("third")
    said = capsys.readouterr().err
    assert said.count("warning: the log ") == 1
    assert "No space left on device" in said
    assert [line["message"] for line in lines(settings)] == ["third"]


def test_release_leaves_no_handler_behind(settings: Settings) -> None:
    before = list(logging.getLogger().handlers)
    log.configure(settings, console=True)
    log.release()
    assert logging.getLogger().handlers == before
