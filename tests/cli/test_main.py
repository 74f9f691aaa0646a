"""Does the one door of the command line turn whatever happens into a sentence and an exit status?"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import resource
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from app.cli import main as door
from app.cli.lazy import LazyGroup
from app.cli.options import json_option
from app.errors import Busy, Damaged, OperatorNeeded

STARTING_SECONDS = 0.3


@pytest.fixture(autouse=True)
def _folder_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def run(error: BaseException | None, *arguments: str, answer: object = None) -> int:
    @click.command()
    @json_option
    def command() -> object:
        if error is not None:
            raise error
        return answer

    return door.run(lambda: command, arguments, "daemon")


def test_the_answer_of_a_command_is_its_status() -> None:
    assert run(None) == 0
    assert run(None, answer=10) == 10


def test_an_error_is_its_message_hint_and_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Busy("Someone holds it.", hint="Try again.")) == 16
    assert capsys.readouterr().err == "Error: Someone holds it.\nTry again.\n"


def test_an_error_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(Damaged("It is cut."), "--json") == 14
    said = capsys.readouterr()
    assert json.loads(said.out)["error"]["code"] == "damaged"
    assert said.err == ""


def test_what_was_typed_wrongly(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(None, "--nonsense") == 2
    assert "--nonsense" in capsys.readouterr().err


@pytest.mark.parametrize("error", [KeyboardInterrupt(), click.Abort(), EOFError()])
def test_interrupted(error: BaseException) -> None:
    assert run(error) == 130


class Named:
    """A descriptor that a signal meets while its class is made: Python 3.11 makes a RuntimeError of it."""

    def __set_name__(self, owner: type, name: str) -> None:
        os.kill(os.getpid(), signal.SIGTERM)


def import_interrupted() -> None:
    type("Class", (), {"field": Named()})


def callback_interrupted() -> None:
    with contextlib.closing(sqlite3.connect(":memory:")) as connection:
        connection.create_function("asked", 0, lambda: os.kill(os.getpid(), signal.SIGTERM))
        connection.execute("SELECT asked()")


def look_interrupted() -> None:
    try:
        callback_interrupted()
    except sqlite3.Error as error:
        raise Damaged("It could not be read.") from error


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("work", [import_interrupted, callback_interrupted, look_interrupted])
def test_interrupted_while_python_or_sqlite_makes_another_error_of_it(
    work: Callable[[], None], capsys: pytest.CaptureFixture[str]
) -> None:
    assert door.run(lambda: click.Command("look", callback=work), [], "daemon") == 130
    assert capsys.readouterr().err.strip() == door.INTERRUPTED


@pytest.mark.usefixtures("listening")
def test_what_could_not_be_put_back_is_told_all_the_same() -> None:
    def work() -> None:
        with contextlib.suppress(sqlite3.Error):
            callback_interrupted()
        raise OperatorNeeded("The backup could not be put back.")

    assert door.run(lambda: click.Command("look", callback=work), [], "daemon") == 18


def test_a_missing_package(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(ModuleNotFoundError("No module named 'alembic'", name="alembic.script")) == 2
    assert "pip install -r requirements.txt" in capsys.readouterr().err


def test_no_room_and_no_permission(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(OSError(errno.ENOSPC, "No space left on device", "/data/x")) == 15
    assert "/data/x" in capsys.readouterr().err
    assert run(PermissionError(errno.EACCES, "Permission denied", "/data/x")) == 15


def test_a_fault_of_ours_is_one_sentence_and_its_trace_is_in_the_log(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert run(ZeroDivisionError("planted")) == 1
    said = capsys.readouterr()
    assert "fault of Daemon's own" in said.err
    assert len(said.err.splitlines()) == 1
    assert "Traceback" not in said.out + said.err
    log = Path("logs/server.log").read_text()
    assert "Traceback" in log
    assert "planted" in log


def test_help_is_quick() -> None:
    """Not a benchmark: processor time, and the best of five, so that busy neighbours do not fail it."""
    root = Path(door.__file__).resolve().parents[2]
    times = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "app.cli", "--help"], cwd=root, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        times.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(times) <= STARTING_SECONDS, times


def test_the_list_of_commands_shows_what_each_says_of_itself() -> None:
    for name, place in door.PLACES.items():
        command = place.load()
        assert command.name == name
        assert command.help
        assert place.summary.endswith(".")


def all_commands(group: click.Group, path: str = "daemon") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from all_commands(command, f"{path} {name}")


def test_every_command_and_option_explains_itself() -> None:
    assert isinstance(door.daemon, LazyGroup)
    found = dict(all_commands(door.daemon))
    assert len(found) > 20
    for path, command in found.items():
        assert command.help, path
        for parameter in command.params:
            assert not isinstance(parameter, click.Option) or parameter.help, (path, parameter.name)


def test_what_answers_something_answers_in_json_too() -> None:
    for path, command in all_commands(door.daemon):
        if isinstance(command, click.Group) or path == "daemon serve":
            continue
        assert any(parameter.name == "json" for parameter in command.params), path


def test_the_list_of_exit_statuses_is_in_the_help() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "app.cli", "--help"],
        cwd=Path(door.__file__).resolve().parents[2],
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "COLUMNS": "100"},
    ).stdout
    assert re.search(r"\n +18  failed, and the backup could not be put back", said)
