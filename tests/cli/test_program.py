"""Can every command that is printed be pasted as it stands?"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app import typed_commands
from app.cli.main import PLACES

ROOT = Path(__file__).resolve().parents[2]


def started(folder: Path, *command: str, **environ: str) -> str:
    """What ``backup list`` in an empty folder and ``upgrade check`` say there."""
    env = {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **environ}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_an_interpreter_that_is_not_on_the_path_is_named_whole(tmp_path: Path) -> None:
    said = started(tmp_path, sys.executable, "-m", "app.cli", "status", PYTHONPATH=str(ROOT), PATH="/nowhere")
    assert f"{sys.executable} -m app.cli init" in said


def test_what_is_on_the_path_is_named_shortly(tmp_path: Path) -> None:
    folder = str(Path(sys.executable).parent)
    name = Path(sys.executable).name
    said = started(tmp_path, sys.executable, "-m", "app.cli", "status", PYTHONPATH=str(ROOT), PATH=folder)
    assert f" {name} -m app.cli init" in said


def test_a_place_with_a_blank_is_quoted(tmp_path: Path) -> None:
    environment = tmp_path / "my environment"
    environment.symlink_to(Path(sys.executable).parent.parent)
    python = environment / "bin" / Path(sys.executable).name
    said = started(tmp_path, str(python), "-m", "app.cli", "status", PYTHONPATH=str(ROOT), PATH="/nowhere")
    assert f"'{python}' -m app.cli init" in said


def test_a_script_from_any_folder_names_a_command_that_works_there(tmp_path: Path) -> None:
    script = str(ROOT / "scripts/migrate_comprehensive.py")
    said = started(tmp_path, sys.executable, script, "--check-only")
    (line,) = [line for line in said.splitlines() if "-m app.cli init" in line]
    words = line[line.index("PYTHONPATH=") :]
    done = subprocess.run(words, shell=True, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "data/daemon.db").exists()


def test_an_installation_may_say_how_its_commands_are_typed(tmp_path: Path) -> None:
    command = "docker compose exec api python -m app.cli"
    said = started(
        tmp_path, sys.executable, "-m", "app.cli", "status", PYTHONPATH=str(ROOT), DAEMON_COMMAND=command
    )
    assert f"{command} init" in said


@pytest.mark.parametrize("words", [(), ("backup",), ("upgrade",)])
def test_without_words_there_is_help(words: tuple[str, ...], tmp_path: Path) -> None:
    said = started(tmp_path, sys.executable, "-m", "app.cli", *words, PYTHONPATH=str(ROOT))
    assert said.startswith("Usage: ")
    assert "Error" not in said


@pytest.mark.parametrize("words", [(), ("backup",), ("backup", "restore")])
def test_h_is_help(words: tuple[str, ...], tmp_path: Path) -> None:
    ask = (sys.executable, "-m", "app.cli", *words)
    assert started(tmp_path, *ask, "-h", PYTHONPATH=str(ROOT)) == started(
        tmp_path, *ask, "--help", PYTHONPATH=str(ROOT)
    )


def test_the_console_command_is_named_as_it_is_found(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    command = tmp_path / "daemon"
    command.write_text("#!/bin/sh\n")
    command.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert typed_commands._as_started(str(command), "python") == "daemon"
    monkeypatch.setenv("PATH", "/nowhere")
    assert typed_commands._as_started(str(command), "python") == str(command)


def test_every_command_is_known_in_texts() -> None:
    assert set(typed_commands.COMMANDS) == set(PLACES)


def test_commands_in_a_text_are_named_as_they_are_typed_and_once() -> None:
    text = "On the machine: daemon entry erase 12 --yes   # daemon move --help; see daemon.md, /daemon status"
    typed = typed_commands.as_typed(text, "./run")
    assert (
        typed
        == "On the machine: ./run entry erase 12 --yes   # ./run move --help; see daemon.md, /daemon status"
    )
    for program in ("daemon", "/opt/bin/daemon", "docker compose exec api daemon", "python -m app.cli"):
        once = typed_commands.as_typed("daemon backup list, or daemon status", program)
        assert once == f"{program} backup list, or {program} status"
        assert typed_commands.as_typed(once, program) == once


@pytest.mark.parametrize(
    ("argument", "interpreter", "typed"),
    [
        ("{here}/.venv/lib/uvicorn/__main__.py", "{here}/.venv/bin/python", ".venv/bin/python -m app.cli"),
        (".venv/lib/app/cli/__main__.py", ".venv/bin/python", ".venv/bin/python -m app.cli"),
        ("{here}/venv/bin/uvicorn", "{here}/venv/bin/python3", "venv/bin/daemon"),
        (".venv/bin/uvicorn", "/usr/bin/python3.99", ".venv/bin/python -m app.cli"),
        ("/home/someone/bin/daemon", "/usr/bin/python3.99", "daemon"),
        ("/home/someone/gunicorn", "/home/someone/python3.99", "python -m app.cli"),
        ("/home/someone/app/cli/__main__.py", "/home/some one/bin/python3.99", "python3.99 -m app.cli"),
        ("{here}/a b/uvicorn/__main__.py", "{here}/a b/bin/python", "'a b/bin/python' -m app.cli"),
        ("{here}/ann/d/.venv/lib/uvicorn/__main__.py", "{here}/ann/d/.venv/bin/python", "python -m app.cli"),
        ("ann/d/.venv/lib/uvicorn/__main__.py", "ann/d/.venv/bin/python", "python -m app.cli"),
        ("{here}/ann/bin/daemon", "/usr/bin/python3.99", "daemon"),
    ],
)
def test_strangers_hear_how_commands_are_typed_and_no_folder_of_the_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argument: str, interpreter: str, typed: str
) -> None:
    (tmp_path / "venv/bin").mkdir(parents=True)
    (tmp_path / "venv/bin/daemon").touch()
    for environment in (".venv", "venv", "a b", "ann/d/.venv"):
        (tmp_path / environment).mkdir(parents=True, exist_ok=True)
        (tmp_path / environment / "pyvenv.cfg").touch()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    said = typed_commands.for_anyone(argument.format(here=tmp_path), interpreter.format(here=tmp_path))
    assert said == typed


@pytest.mark.parametrize(
    ("told", "typed"),
    [
        ("docker compose exec api python -m app.cli", "docker compose exec api python -m app.cli"),
        ("docker compose -f /home/ann/private/compose.yml exec api daemon", "daemon"),
        ("docker compose --file=private/compose.yml exec api daemon", "daemon"),
        ("sh -c 'cd ~ann && daemon'", "daemon"),
        (r"C:\Users\ann\daemon.exe", "daemon"),
        ("it's not closed", "daemon"),
    ],
)
def test_strangers_hear_what_the_installation_says_unless_it_names_a_folder(
    monkeypatch: pytest.MonkeyPatch, told: str, typed: str
) -> None:
    monkeypatch.setenv("DAEMON_COMMAND", told)
    typed_commands.answer_as_started()
    assert typed_commands.in_answer("daemon status") == f"{typed} status"
    assert typed_commands.in_log("daemon status") == f"{told} status"
    assert typed_commands.program() == told
