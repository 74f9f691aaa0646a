"""Configuration check: what in `.env` is old, missing, published, or readable by others?"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from app.doctor.findings import NEW_NAME, OLD_NAME, Finding, Place
from app.env_file import read_env_file
from app.published_secrets import why_known
from app.settings import Settings

OLD_DATABASE = Path("daemon.db")
NEW_URL = "sqlite:///./data/daemon.db"
NEW_NAMES = {"PRIVACY_LEVEL": "public_full", "BACKUP_ENABLED": "true"}  # of 0.2.x, by the upgrade guide
WITHOUT_MEANING = ("ALLOWED_IPS", "MULTI_USER_MODE", "MCP_ENABLED", "RATE_LIMIT_REQUESTS", "EXTERNAL_DOMAIN")


def findings_of(place: Place, settings: Settings) -> Iterator[Finding]:
    """Yield what is to be said of `.env`; nothing where there is none and none is needed.

    Raises SettingsError where the file cannot be read.
    """
    folder, file = place.folder, place.folder / ".env"
    said, _ = read_env_file(file)
    lines = file.read_text(encoding="utf-8-sig").splitlines() if file.is_file() else []
    yield from _database_url(folder, file, said, lines)
    if not lines:
        return
    yield from _missing_names(file, said)
    yield from _secret(file, said, lines, settings)
    yield from _old_names(file, lines, place)
    yield from _without_meaning(said)
    if file.stat().st_mode & 0o077:
        yield Finding(
            "env_mode",
            "danger",
            f"{file} may be read by other accounts of this machine, and holds what is secret.",
            f"chmod 600 {shlex.quote(str(file))}",
            file,
            mode=0o600,
        )


def lines_of(lines: list[str], name: str) -> list[str]:
    """Return the lines that set ``name``, in whatever case and with or without `export`."""
    wanted = re.compile(rf"\s*(?:export\s+)?{re.escape(name)}\s*=", re.IGNORECASE)
    return [line for line in lines if wanted.match(line)]


def _database_url(folder: Path, file: Path, said: dict[str, str], lines: list[str]) -> Iterator[Finding]:
    """The old default was ./daemon.db: it stays where a database is, and is the wrong one where none is."""
    is_old_there = (folder / OLD_DATABASE).is_file()
    is_new_there = (folder / "data" / OLD_DATABASE).is_file()
    set_so = [
        line for line in lines_of(lines, "DATABASE_URL") if "/./daemon.db" in line.replace("////", "/./")
    ]
    if set_so and not is_old_there:
        yield Finding(
            "old_database_url",
            "old",
            f"{file} names ./daemon.db, the old place of the database, where none is; it is in ./data now.",
            f"DATABASE_URL={NEW_URL}",
            file,
            edits=tuple((line, f"DATABASE_URL={NEW_URL}") for line in set_so),
        )
    if set_so and is_old_there and not is_new_there:
        yield Finding(
            "database_at_old_place",
            "old",
            "The database is ./daemon.db, where old servers had it; since 0.2 its place is ./data/daemon.db.",
            f"With the server stopped, and DATABASE_URL={NEW_URL} in .env: daemon init --adopt ./daemon.db",
        )
    if is_old_there and is_new_there:
        yield Finding(
            "two_databases",
            "advice",
            f"There are two databases, {folder / OLD_DATABASE} and {folder / 'data' / OLD_DATABASE}.",
            "daemon status",
        )
    if "DATABASE_URL" not in said and is_old_there and not is_new_there:
        yield Finding(
            "database_at_old_place",
            "danger",
            "The database is ./daemon.db, the old default, and no setting says so: it would be looked for in"
            " ./data.",
            "DATABASE_URL=sqlite:///./daemon.db",
            file,
            edits=(("", "DATABASE_URL=sqlite:///./daemon.db"),),
        )


def _missing_names(file: Path, said: dict[str, str]) -> Iterator[Finding]:
    for name, value in NEW_NAMES.items():
        if name not in said:
            yield Finding(
                "missing_setting",
                "old",
                f"{file} does not say {name}, which came with 0.2; without it, it is {value}.",
                f"{name}={value}",
                file,
                edits=(("", f"{name}={value}"),),
            )


def _secret(file: Path, said: dict[str, str], lines: list[str], settings: Settings) -> Iterator[Finding]:
    reason = why_known(said["SECRET_KEY"]) if "SECRET_KEY" in said else ""
    if reason:
        yield Finding(
            "secret_in_file",
            "danger",
            f"SECRET_KEY in {file} {reason}. It is not used: one of this installation's own is in"
            f" {settings.data_dir / 'secret_key'}.",
            "Take the line out, and look at who is an admin: daemon user list",
            file,
            edits=tuple(
                (line, "# SECRET_KEY was taken out: it was not secret.")
                for line in lines_of(lines, "SECRET_KEY")
            ),
        )


def _old_names(file: Path, lines: list[str], place: Place) -> Iterator[Finding]:
    for line in lines:
        if OLD_NAME not in line or line.lstrip().startswith("#"):
            continue
        name, mended = line.partition("=")[0].strip(), line.replace(OLD_NAME, NEW_NAME)
        message = f"{name} in {file} names {OLD_NAME}, which is {NEW_NAME} since 0.3."
        if place.is_to_be_moved:
            yield Finding("old_name", "old", f"{message} Its folder is not moved yet: do that first.")
        else:
            yield Finding("old_name", "old", message, mended.strip(), file, edits=((line, mended),))


def _without_meaning(said: dict[str, str]) -> Iterator[Finding]:
    found = [name for name in WITHOUT_MEANING if name in said]
    if found:
        yield Finding(
            "setting_without_meaning",
            "advice",
            f"{', '.join(found)} meant something to older servers and means nothing now.",
            "docs/settings.md lists what does.",
        )
