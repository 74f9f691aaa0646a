"""PostgreSQL programs for tests. Where are they, and which account may run them?

They are Debian's, or those in the folder that DAEMON_TESTS_POSTGRESQL names.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any


def find_programs() -> Path | None:
    """Return the folder of initdb, pg_ctl and the others: the named one, or the newest of Debian's."""
    named = os.environ.get("DAEMON_TESTS_POSTGRESQL")
    if named is not None:
        return Path(named)
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=_version_of, reverse=True)
    found = [*(path.parent for path in installed), *_on_the_path()]
    return found[0] if found else None


def _version_of(program: Path) -> int:
    name = program.parents[1].name
    return int(name) if name.isdigit() else 0


def _on_the_path() -> list[Path]:
    found = shutil.which("initdb")
    return [Path(found).resolve().parent] if found else []


@cache
def programs() -> Path:
    """Return the folder of the programs. Raises LookupError where there is none.

    Programs in a folder that only root may go into (a checkout in root's home) are copied out of it.
    """
    found = find_programs()
    if found is None:
        raise LookupError("no PostgreSQL here; on Debian: apt-get install postgresql")
    try:
        subprocess.run([found / "initdb", "--version"], stdout=subprocess.DEVNULL, check=True, **as_account())
    except PermissionError:
        whole = _installation_of(found)
        return _copied(whole) / found.relative_to(whole)
    return found


def _installation_of(folder: Path) -> Path:
    """Return all that the programs in a folder need: a wheel has its libraries beside its package."""
    package = folder.parents[1]
    return package.parent if package.with_name(f"{package.name}.libs").exists() else folder.parent


def _copied(installation: Path) -> Path:
    """Return a copy of a whole installation, shared by all processes, where any account may go."""
    named = hashlib.sha256(os.fsencode(installation)).hexdigest()[:8]
    place = Path(tempfile.gettempdir()) / f"daemon-postgresql-{os.geteuid()}-{named}"
    if not place.exists():
        part = Path(tempfile.mkdtemp(prefix=place.name, dir=place.parent))
        part.chmod(0o755)
        shutil.copytree(installation, part / "all", symlinks=True)
        with contextlib.suppress(OSError):  # another process was faster
            (part / "all").rename(place)
        shutil.rmtree(part)
    return place


def as_account() -> dict[str, Any]:
    """Return what subprocess needs to run the server, which refuses to be run by root."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    account = known.get("postgres") or known["nobody"]
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def call(program: str, *arguments: str | Path) -> str:
    """Run one of the programs as that account and return what it printed. Raises AssertionError."""
    done = subprocess.run(
        [programs() / program, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd="/",
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C.UTF-8"},
        **as_account(),
    )
    assert done.returncode == 0, f"{program} exited {done.returncode}: {done.stdout}"
    return str(done.stdout)


@cache
def version() -> int:
    """The server's major version."""
    found = re.search(r"(\d+)", call("postgres", "--version").partition(")")[2])
    assert found is not None
    return int(found[1])
