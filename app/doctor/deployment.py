"""Deployment check: do compose and unit files still have names, paths and secrets of older releases?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from app.doctor.findings import NEW_NAME, OLD_NAME, Finding, Place
from app.published_secrets import why_known

COMPOSE_FILES = (
    "docker-compose.yml",
    "docker-compose.yaml",
    "compose.yml",
    "compose.yaml",
    "docker-compose.override.yml",
)
_RENAMED = re.compile(r"\s*(?:-\s*)?(?:container_name|image|hostname)\s*:")
_SINGLE_FILE = re.compile(r"\s*-\s*[\"']?(\S+\.db):(\S+\.db)")
_SECRET_DEFAULT = re.compile(
    r"\s*(?:-\s*)?[\"']?SECRET_KEY\s*[:=]\s*[\"']?(?:\$\{SECRET_KEY:-)?([^}$\"'\s]+)"
)


def findings_of(place: Place) -> Iterator[Finding]:
    """Yield what is to be said of the folders, the compose files and the unit files that run a Daemon."""
    if place.is_to_be_moved:
        old, new = place.programs / OLD_NAME, place.programs / NEW_NAME
        yield Finding(
            "old_folder",
            "old",
            f"The installation is in {old}; the unit file and the guide say {new} since 0.3.",
            f"sudo systemctl stop daemon; sudo mv {old} {new}",
        )
    for name in COMPOSE_FILES:
        yield from _of_compose(place.folder / name, _lines(place.folder / name))
    for file in _unit_files(place):
        yield from _of_unit(file, _lines(file), place)


def _unit_files(place: Place) -> list[Path]:
    found = {
        path for folder in (place.folder, *place.unit_folders) for path in folder.glob("daemon*.service")
    }
    return sorted(found)


def _of_compose(file: Path, lines: list[str]) -> Iterator[Finding]:
    for line in _told(lines):
        if OLD_NAME in line and _RENAMED.match(line):
            mended = line.replace(OLD_NAME, NEW_NAME)
            yield Finding(
                "old_container_name",
                "old",
                f"{file} says {line.strip()!r}: containers are called {NEW_NAME} since 0.3.",
                mended.strip(),
                file,
                edits=((line, mended),),
            )
        elif OLD_NAME in line:
            yield Finding(
                "old_name",
                "old",
                f"{file} says {line.strip()!r}. What holds data under that name is not renamed by itself.",
                f"docker volume ls --filter name={OLD_NAME}",
            )
        if (mounted := _SINGLE_FILE.match(line)) is not None:
            yield Finding(
                "file_mounted_alone",
                "danger",
                f"{file} mounts the file {mounted[1]} alone: what SQLite writes beside it is lost with the"
                " container, and an upgrade is refused.",
                f"- {_folder_of(mounted[1])}:{_folder_of(mounted[2])}",
            )
        if (secret := _SECRET_DEFAULT.match(line)) is not None and why_known(secret[1]):
            mended = line[: secret.start(1)] + line[secret.end(1) :]
            yield Finding(
                "secret_in_file",
                "danger",
                f"{file} gives SECRET_KEY a value that was published; it is not used.",
                mended.strip(),
                file,
                edits=((line, mended),),
            )


def _of_unit(file: Path, lines: list[str], place: Place) -> Iterator[Finding]:
    edits = tuple(
        (line, line.replace(OLD_NAME, NEW_NAME))
        for line in _told(lines)
        if OLD_NAME in line and not line.startswith(("User=", "Group="))
    )
    if edits and place.is_to_be_moved:
        yield Finding(
            "old_unit_file", "old", f"{file} has the old folder in it: move that first, then --fix."
        )
    elif edits:
        yield Finding(
            "old_unit_file",
            "old",
            f"{file} has the name {OLD_NAME} in {len(edits)} lines; since 0.3 it is {NEW_NAME}.",
            "sudo systemctl daemon-reload",
            file,
            edits=edits,
        )
    if any(line.startswith(("User=", "Group=")) and OLD_NAME in line for line in lines):
        yield Finding(
            "old_account",
            "advice",
            f"{file} runs as an account with the old name: it owns the files, and may keep its name.",
        )
    if any(line.startswith("ExecStart=") and "--host 0.0.0.0" in line for line in lines):
        yield Finding(
            "listens_everywhere",
            "advice",
            f"{file} starts a server that listens on every address, without TLS.",
            "Let it listen on 127.0.0.1, behind a proxy: docs/api.md",
        )


def _told(lines: list[str]) -> list[str]:
    return [line for line in lines if not line.lstrip().startswith("#")]


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []


def _folder_of(path: str) -> str:
    folder = path.rpartition("/")[0] or "."
    return f"{folder}/data" if folder in (".", "/app") else folder
