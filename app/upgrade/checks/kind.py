"""Kind of what is in the place. No file, a folder, another program's database, damage: what is to be typed?

Where one of these is found, it is the only finding: nothing else of it can be told. Looks only.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from app.disk import account_name, real_path
from app.errors import LostVolume, NewerDatabase, Refused, UnknownDatabase
from app.storage.access import ENTER, READ, find_denial
from app.storage.registry import storage_at, storage_for
from app.upgrade.checks import host, lost_volume, soundness
from app.upgrade.model import Problem, Recognition, problem_of

if TYPE_CHECKING:
    from app.settings import Settings


def about_kind(settings: Settings, known: Recognition) -> list[Problem]:
    """Return why no upgrade can begin, where no database that this Daemon knows is there; else nothing."""
    path = settings.database_path
    match known.kind:
        case "missing":
            return [_missing(settings)]
        case "misplaced":
            return [_misplaced(settings, known)]
        case "unreadable":
            return [_unreadable(settings, known)]
        case "empty":
            return [
                problem_of(
                    UnknownDatabase,
                    f"{path} holds nothing ({known.label}); it is no Daemon database, and was left as it is.",
                    "If a backup exists: daemon backup restore NAME (daemon backup list shows them). "
                    "To begin anew: daemon init --fresh",
                    code="empty",
                )
            ]
        case "foreign":
            return [
                problem_of(
                    UnknownDatabase,
                    f"{path} is not a Daemon database ({known.label}); it was left as it is.",
                    "Set DATABASE_URL to the right file, or put a backup back: daemon backup restore NAME",
                    code="foreign",
                )
            ]
        case "damaged":
            return [soundness.damaged(settings, known.label)]
        case "not_proven":
            return [soundness.not_proven(settings, known.label)]
        case "newer":
            return [
                problem_of(
                    NewerDatabase,
                    f"{path} was written by a newer Daemon ({known.label}); it was left as it is.",
                    known.contradiction
                    or "Install that version again (git checkout of its tag), or go back to a backup: "
                    "daemon backup list",
                )
            ]
    return []


def _misplaced(settings: Settings, known: Recognition) -> Problem:
    found = storage_for(settings.database_url).find_misplacement()
    hint = found.hint if found else "daemon upgrade check"
    return problem_of(Refused, known.label, hint, code="misplaced")


def _unreadable(settings: Settings, known: Recognition) -> Problem:
    path = real_path(settings.database_path)
    for part, access in (
        (path.parent, ENTER),
        *((each, READ) for each in (path, *storage_at(path).companions())),
    ):
        denial = find_denial(part, access, like=path)
        if denial is not None:
            return host.denied("The database cannot be read", denial, "not_readable")
    message = f"{path} cannot be read by {account_name()}: {known.label}."
    return problem_of(Refused, message, f"ls -la {shlex.quote(str(path.parent))}", code="not_readable")


def _missing(settings: Settings) -> Problem:
    left = storage_for(settings.database_url).left_behind()
    if left:
        return problem_of(Refused, lost_volume.left_sentence(settings, left), lost_volume.left_hint(left))
    found = lost_volume.look_for_lost_databases(settings)
    if found:
        return problem_of(
            LostVolume, lost_volume.lost_sentence(settings, found), lost_volume.lost_hint(settings, found)
        )
    return problem_of(
        UnknownDatabase,
        f"There is no database at {settings.database_name}.",
        "daemon init   # makes one; if yours is elsewhere, set DATABASE_URL to it",
        code="missing",
    )
