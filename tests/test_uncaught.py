"""Uncaught errors: does no one ever see a stack trace, and is each of them in the log?"""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest

from app import log
from app.settings import Settings
from tests.conftest import ROOT, SettingsIn

# Errors in every place where Python, or a library, would print a trace of its own.
BEGIN = "import atexit, threading\nfrom app import uncaught\nuncaught.keep_traces_from_people()\n"
OPEN = "from app import log, settings\nlog.configure(settings.load_settings(), console=False)\n"
BESIDE = """
def fail():
    raise ValueError("planted " + threading.current_thread().name)
thread = threading.Thread(target=fail, name="beside")
thread.start()
thread.join()

def rows():
    try:
        yield 1
    finally:
        raise ValueError("planted in rows")
left = rows()
next(left)
del left

import sqlalchemy
from app import log
engine = sqlalchemy.create_engine("sqlite://")
@sqlalchemy.event.listens_for(engine, "reset")
def reset(*_):
    raise ValueError("planted in a pool")
engine.connect().close()
atexit.register(fail)
"""
MAIN = "raise ValueError('planted at last')\n"


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{code}"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60, check=False)


def test_each_is_in_the_log_and_people_are_told_one_sentence(tmp_path: Path) -> None:
    done = run(BEGIN + OPEN + BESIDE + MAIN, tmp_path)
    assert done.returncode == 1
    assert done.stdout == ""
    (said,) = done.stderr.splitlines()
    assert said.startswith("Error: This is a fault of Daemon's own: ValueError: planted at last; details are")
    lines = [json.loads(line) for line in (tmp_path / "logs/server.log").read_text().splitlines()]
    traces = [line["error"].splitlines() for line in lines if "planted" in line.get("error", "")]
    assert {trace[0] for trace in traces} == {"Traceback (most recent call last):"}
    planted = ("beside", "in rows", "in a pool", "at last", "MainThread")
    assert [trace[-1] for trace in traces] == [f"ValueError: planted {where}" for where in planted]


def test_without_a_log_nothing_is_printed_and_no_file_made(tmp_path: Path) -> None:
    """A library's words are the exception: one line, without their trace."""
    done = run(BEGIN + BESIDE, tmp_path)
    (said,) = done.stderr.splitlines()
    assert said.endswith("Exception during reset or similar (ValueError: planted in a pool)")
    assert (done.returncode, done.stdout) == (0, "")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_imported_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("from json import nothing_of_that_name\n")
    done = run("sys.path.insert(0, '.'); from app.cli.start import start; start('broken:main')", tmp_path)
    assert done.returncode == 1
    (said,) = done.stderr.splitlines()
    assert "fault of Daemon's own: ImportError: cannot import name 'nothing_of_that_name'" in said
    assert "Traceback" in (tmp_path / "logs/server.log").read_text()


def test_a_library_that_has_a_console_of_its_own_shows_no_trace_there(
    settings_in: SettingsIn, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As uvicorn has, where it is what was started."""
    settings: Settings = settings_in(tmp_path)
    library = logging.Logger("library")
    library.addHandler(logging.StreamHandler(sys.stderr))
    log.configure(settings, console=False)
    log.take_traces_of(library)
    log.take_traces_of(library)  # a second server in the process
    try:
        raise ValueError("planted")
    except ValueError:
        library.exception("It failed.")
    assert capsys.readouterr().err == "It failed.\n"
    (line,) = (settings.log_dir / log.FILE_NAME).read_text().splitlines()
    assert "Traceback" in json.loads(line)["error"]


def test_a_container_that_cannot_begin_says_so(tmp_path: Path) -> None:
    entry: list[str | Path] = [
        sys.executable,
        ROOT / "deploy/container_entrypoint.py",
        tmp_path / "no-such-command",
    ]
    done = subprocess.run(entry, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (15, "")
    assert done.stderr.startswith("Error: the container cannot begin: No such file or directory (")
    assert len(done.stderr.splitlines()) == 2
