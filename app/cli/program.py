"""Program name: how a command of Daemon has to be typed here, so that what is printed can be pasted."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def program() -> str:
    """Return what was typed to reach this process, less its words: "daemon", ".venv/bin/python -m app.cli".

    Where the installation says how its commands are typed from outside (a container does), it is that.
    """
    from app.settings import typed_command  # a short answer needs no settings

    return typed_command() or _as_started(sys.argv[0], sys.orig_argv[0])


def script() -> str:
    """Return how the script that runs was typed: "python scripts/NAME.py"."""
    return f"{_as_typed(sys.orig_argv[0])} {shlex.quote(sys.argv[0])}"


def _as_started(argument: str, interpreter: str) -> str:
    path = Path(argument)
    if path.name == "__main__.py":
        return f"{_as_typed(interpreter)} -m app.cli"
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
