"""Is the server kept from upgrading by itself? After a rollback or a restore of an older database it is.

The hold is a small file beside the database: a person who went back wants to stay there until they say
otherwise, and `upgrade run` is how they say it. What the file says is for people; that it is there is what
counts.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app import clock, files

if TYPE_CHECKING:
    from app.settings import Settings


@dataclass(frozen=True)
class Hold:
    """Why the server does not upgrade by itself, and since when (RFC 3339; None where it is not told)."""

    reason: str
    since: str | None = None


def set_hold(settings: Settings, reason: str) -> Hold:
    """Keep the server from upgrading by itself until `upgrade run`; an earlier hold is replaced.

    Durable when it returns. Raises OSError.
    """
    hold = Hold(reason, clock.rfc3339(clock.now().replace(microsecond=0)))
    content = json.dumps({"reason": hold.reason, "since": hold.since}) + "\n"
    files.private_folder(settings.hold_path.parent)
    files.write_atomically(settings.hold_path, content.encode(), like=settings.database_path)
    return hold


def find_hold(settings: Settings) -> Hold | None:
    """Return the hold that is set, or None. A file that cannot be read holds too."""
    try:
        said = json.loads(settings.hold_path.read_bytes())
        return Hold(str(said["reason"]), str(said["since"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError):
        return Hold(f"{settings.hold_path} is there, and what it says cannot be read")


def clear_hold(settings: Settings) -> bool:
    """Let the server upgrade by itself again; return whether a hold was set. Raises OSError."""
    try:
        settings.hold_path.unlink()
    except FileNotFoundError:
        return False
    files.sync_folder(settings.hold_path.parent)
    return True
