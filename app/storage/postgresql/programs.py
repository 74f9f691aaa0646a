"""Client programs of PostgreSQL: pg_dump and pg_restore. Are they new enough, how are they run?

A program of an older version than the server's refuses to dump it; which one is here is asked before. The
password is handed over in a private file, never in the words of the command, which everyone may see.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from app import interrupt
from app.database_urls import for_driver, in_words
from app.errors import Failed, Refused

DEBIANS = "/usr/lib/postgresql"
_VERSION = re.compile(r"\(PostgreSQL\) (\d+)")
_PAUSE_SECONDS = 0.05
_ENDS_WITHIN_SECONDS = 10.0
_MOST_SAID = 400

OnTick = Callable[[], object]


def find_program(name: str, server_major: int) -> Path | None:
    """Return the newest program of that name that is at least the server's version; None where none is."""
    found = [(version_of(path), path) for path in _candidates(name)]
    fitting = [one for one in found if one[0] >= server_major]
    return max(fitting)[1] if fitting else None


def get_program(name: str, server_major: int, outcome: str) -> Path:
    """The same; raises Refused where there is none. ``outcome`` says in what state things are then."""
    found = find_program(name, server_major)
    if found is not None:
        return found
    raise Refused(refusal(name, server_major).rstrip(".") + f": {outcome}.", hint=install_hint(server_major))


def refusal(name: str, server_major: int) -> str:
    """Say that the program is missing, or too old."""
    there = [(version_of(path), path) for path in _candidates(name)]
    if not there:
        return f"Backups of PostgreSQL are made by {name}, and it is not installed here."
    version, path = max(there)
    return (
        f"Backups of this database need {name} of PostgreSQL {server_major} or newer, as its server is, and"
        f" {path} is of {version}."
    )


def install_hint(server_major: int) -> str:
    """Return what to type to get them."""
    return f"apt-get install postgresql-client-{server_major}   # or put the folder of pg_dump on the PATH"


@lru_cache(maxsize=32)
def version_of(program: Path) -> int:
    """The major version that a program says it has, 0 where it says none."""
    with suppress(OSError, subprocess.SubprocessError):
        said = subprocess.run(
            [program, "--version"], capture_output=True, text=True, timeout=30, check=False
        ).stdout
        if match := _VERSION.search(said):
            return int(match[1])
    return 0


def _candidates(name: str) -> list[Path]:
    on_path = shutil.which(name)
    found = [Path(on_path)] if on_path else []
    return [*found, *sorted(Path(DEBIANS).glob(f"*/bin/{name}"))]


@contextmanager
def conninfo_without_password(url: str, folder: Path) -> Iterator[str]:
    """What a program connects with; a password is in a private file in ``folder`` meanwhile."""
    told: dict[str, Any] = {**conninfo_to_dict(for_driver(url))}
    password = told.pop("password", None)
    if password is None:
        yield make_conninfo(**told)
        return
    path = folder / "pgpass"
    escaped = str(password).replace("\\", "\\\\").replace(":", "\\:")
    path.touch(mode=0o600)
    try:
        path.write_text(f"*:*:*:*:{escaped}\n")
        yield make_conninfo(**{**told, "passfile": str(path)})
    finally:
        path.unlink(missing_ok=True)


def run(
    words: Sequence[str | Path], url: str, output: Path | None = None, on_tick: OnTick = lambda: None
) -> None:
    """Run a program to its end; where someone asks to stop, it is ended too. Raises Failed, Interrupted."""
    with (
        output.open("xb") if output else Path(os.devnull).open("wb") as out,
        subprocess.Popen(
            [str(word) for word in words],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is ours to pass on
        ) as child,
    ):
        try:
            while child.poll() is None:
                interrupt.stop_if_asked()
                on_tick()
                time.sleep(_PAUSE_SECONDS)
        except BaseException:
            _end(child)
            raise
        said = child.stderr.read().decode("utf-8", "replace") if child.stderr else ""
    if child.returncode != 0:
        name = Path(str(words[0])).name
        lines = [line for line in said.strip().splitlines() if line.strip()]
        words_said = (lines[0] if lines else f"exit status {child.returncode}")[:_MOST_SAID]
        raise Failed(f"{name} failed with {in_words(url)}: {words_said.removeprefix(f'{name}: ')}.")


def _end(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    with suppress(subprocess.TimeoutExpired):
        child.wait(_ENDS_WITHIN_SECONDS)
        return
    child.kill()
