"""Commands as they are typed here. How do texts name a command of Daemon, so that it can be pasted?

The code says `daemon upgrade run`. A checkout has no command of that name, and a container is reached from
outside: what is printed or answered says what was typed to start this process, less its words.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import sys
from pathlib import Path

WRITTEN = "daemon"
COMMANDS = (
    *("serve", "init", "status", "doctor", "upgrade", "database", "repair", "backup", "move", "claim"),
    *("user", "key", "mcp", "link", "webhook", "kind", "message", "page", "picture", "privacy"),
    *("entry", "search"),
    *("audit", "stats", "export-user-data", "import"),
)
"""The first words of commands; those of `app/cli/main.py`."""

CHECKOUT = Path(__file__).resolve().parents[1]
_IN_TEXT = re.compile(rf"(?<![\w/.-]){WRITTEN} (?=(?:{'|'.join(COMMANDS)}|COMMAND)\b)")
_SERVERS = frozenset({"uvicorn", "gunicorn", "hypercorn"})
_of_answers = {"program": WRITTEN}
_of_logs = {"program": WRITTEN}


def program() -> str:
    """Return what was typed to reach this process, less its words: "daemon", ".venv/bin/python -m app.cli".

    Where the installation says how its commands are typed from outside (a container does), it is that.
    """
    from app.settings import typed_command  # a short answer needs no settings

    return typed_command() or _as_started(sys.argv[0], sys.orig_argv[0])


def script() -> str:
    """Return how the script that runs was typed: "python scripts/NAME.py"."""
    return f"{_as_typed(sys.orig_argv[0])} {shlex.quote(sys.argv[0])}"


def as_typed(text: str, program: str) -> str:
    """Return a text in which commands are named as they are typed here. One in which they are stays so."""
    before = program.removesuffix(WRITTEN)

    def typed(found: re.Match[str]) -> str:
        is_typed = before != program and text.endswith(before, 0, found.start())
        return found[0] if is_typed else f"{program} "

    return _IN_TEXT.sub(typed, text) if WRITTEN in text else text


# -- in what a server answers and logs


def answer_as_started() -> None:
    """Have this process's answers over HTTP, and its log, name commands as they are typed here; of its entry
    point.
    """
    from app.settings import typed_command

    told = typed_command()
    _of_logs["program"] = told or _as_started(sys.argv[0], sys.orig_argv[0])
    _of_answers["program"] = _told_to_anyone(told) if told else for_anyone(sys.argv[0], sys.orig_argv[0])


def in_answer(text: str) -> str:
    """Return a text of an answer with its commands as they are typed here."""
    return as_typed(text, _of_answers["program"])


def in_log(text: str) -> str:
    """Return a text of the log, or of the console of a server, with its commands as they are typed here.

    Whoever reads that runs the machine: in which folders it runs may be in it.
    """
    return as_typed(text, _of_logs["program"])


def as_written(text: str) -> str:
    """Return a text of an answer with its commands as the code writes them."""
    return text.replace(f"{_of_answers['program']} ", f"{WRITTEN} ")


def for_anyone(argument: str, interpreter: str) -> str:
    """Return how commands are typed here, for people who need not know in which folders this runs.

    A program of an environment in the working folder is named from there, everything else by its bare name.
    """
    return " ".join(
        shlex.quote(_without_folders(word))
        for word in shlex.split(_as_started(argument, interpreter))
        if not word.startswith("PYTHONPATH=")
    )


def _told_to_anyone(command: str) -> str:
    """Return what the installation says is typed, or "daemon" where a word of it may name a folder."""
    try:
        words = shlex.split(command)
    except ValueError:
        return WRITTEN
    is_bare = not any(sign in command for sign in "\\~")
    return command if is_bare and all(_without_folders(word) == word for word in words) else WRITTEN


def _without_folders(word: str) -> str:
    """Return ``ENV/bin/NAME`` for a program of an environment in the working folder, else ``NAME``."""
    if "/" not in word:
        return word
    here = Path.cwd()
    path = here / word
    environment = path.parent.parent
    is_here = environment.parent == here and ".." not in path.parts and (environment / "pyvenv.cfg").is_file()
    return str(path.relative_to(here)) if is_here else path.name


def _as_started(argument: str, interpreter: str) -> str:
    path = Path(argument)
    if path.name == "__main__.py":
        return f"{_as_typed(interpreter)} -m app.cli"
    if path.name in _SERVERS:  # beside which is what its commands are typed with
        beside = path.with_name(WRITTEN)
        if beside.exists():
            return _as_typed(str(beside))
        return f"{_as_typed(str(path.with_name('python')))} -m app.cli"
    if path.suffix == ".py":  # scripts/NAME.py, from any folder
        place = "" if Path("app/cli/__main__.py").is_file() else f"PYTHONPATH={shlex.quote(str(CHECKOUT))} "
        return f"{place}{_as_typed(interpreter)} -m app.cli"
    return _as_typed(argument)


def _as_typed(command: str) -> str:
    """Return the bare name where the search path leads to that very file, else the path, quoted."""
    name = os.path.basename(command)  # noqa: PTH119 it may be no path at all
    found = shutil.which(name)
    if found is not None and (name == command or os.path.realpath(found) == os.path.realpath(command)):
        return name
    return shlex.quote(command)
