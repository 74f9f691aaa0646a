"""Credentials check. What of its secret, tokens and API keys should the owner know at an upgrade?"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from app import clock
from app.upgrade.model import Plan, Problem, Recognition
from app.upgrade.records.history import rows_of_history
from app.upgrade.versions.releases import version_key

if TYPE_CHECKING:
    from app.settings import Settings
    from app.storage.types import StorageConnection

PUBLISHED_SECRET = "published_secret"
LIMITED_SINCE = "0.4.0"  # published secrets and old tokens are refused, and keys read only, from here on
AFTERWARDS = (
    "It is used no more, and every token from before ends: people log in again once. Anyone who is an admin "
    "there (daemon user list), and what was changed, is worth a look."
)


def about_secret(settings: Settings, known: Recognition) -> Problem | None:
    """Return what is to be said of the secret that an earlier server signed with, as far as `.env` tells."""
    if settings.secret_key is not None or not _is_of_an_earlier_server(known):
        return None
    if settings.was_secret_known:
        how = (
            "with a SECRET_KEY that was published or is easily guessed: anyone who knows it could be anyone "
            "there, an admin too."
        )
        return Problem(PUBLISHED_SECRET, f"As far as .env tells, this installation ran {how}", AFTERWARDS)
    if known.recorded is None and known.in_history is None:
        how = (
            "without a SECRET_KEY of its own. The old server then signed with the published one that every "
            "copy of it had: anyone who knows that could be anyone there, an admin too."
        )
        return Problem(PUBLISHED_SECRET, f"As far as .env tells, this installation ran {how}", AFTERWARDS)
    return None


def notes_of(plan: Plan, connection: StorageConnection) -> list[str]:
    """Return the sentences of the upgrade's report about what lets people and programs in.

    Asked before the commit, on the upgraded schema.
    """
    notes = [f"{found.message} {found.hint}" for found in plan.warnings if found.code == PUBLISHED_SECRET]
    if not notes and plan.current.recorded is None:
        notes.append("Tokens of the old server are taken no more: people log in again once.")
    if _is_of_an_earlier_server(plan.current) and version_key(plan.target) >= version_key(LIMITED_SINCE):
        notes += [*_active_keys(connection), *_keys_that_may_have_written(plan.current, connection)]
    return notes


# -- API keys ------------------------------------------------------------------------------------------------

_ACTIVE_KEYS = """
    SELECT k.id, k.name, u.username, k.last_used, k.expires_at, u.is_active
    FROM api_keys k LEFT JOIN users u ON u.id = k.user_id WHERE k.is_active = 1 ORDER BY k.id
"""

# An upgraded server notes a use where the last one is an hour old, so that this much may be missing.
_USED_SINCE = """
    SELECT k.id, k.name, u.username, k.last_used,
           (SELECT count(*) FROM audit_logs a WHERE a.user_id = k.user_id AND a.table_name = 'data_entries'
            AND a.created_at >= :since)
    FROM api_keys k LEFT JOIN users u ON u.id = k.user_id
    WHERE k.last_used >= :hour_before ORDER BY k.id
"""


def _active_keys(connection: StorageConnection) -> list[str]:
    found = [row for row in connection.rows(_ACTIVE_KEYS) if not _has_ended(row[4])]
    if not found:
        return []
    first = (
        f"API keys that are active: {len(found)}. Each of them reads entries from now on, and does not "
        "write, as on the server that made it; an admin's key has no admin's rights. To let one write: "
        "daemon key change ID --write. To end one: daemon key revoke ID."
    )
    return [first, *(_key_in_words(*row) for row in found)]


def _has_ended(expires_at: object) -> bool:
    """Whether a key lets no one in any more; what is no time is no end, and is told."""
    moment = clock.parse_stored(expires_at)
    return moment is not None and moment <= clock.now()


def _key_in_words(
    key_id: int, name: object, owner: object, last_used: object, expires_at: object, owner_is_active: object
) -> str:
    is_deactivated = owner is not None and owner_is_active != 1
    if expires_at is None:
        more = ", its owner is deactivated" if is_deactivated else ""
    elif is_deactivated:
        more = f", ends {_moment(expires_at)}, its owner is deactivated"
    else:
        more = f", ends {_moment(expires_at)}"
    if last_used is None:
        return f"Key {key_id} ({name}) of {_owner(owner)}, never used{more}."
    used = str(last_used).partition(".")[0]
    return f"Key {key_id} ({name}) of {_owner(owner)}, last used {used} UTC{more}."


def _keys_that_may_have_written(known: Recognition, connection: StorageConnection) -> list[str]:
    """Say which keys were used on a server of this project that let every key write."""
    if known.recorded is None and known.in_history is None:
        return []
    steps = [line.at for line in rows_of_history(connection) if line.event == "step"]
    since = min(steps, default="")
    moment = clock.parse_stored(since)
    if moment is None:
        return []
    hour_before = clock.stored(moment - timedelta(hours=1)).partition(".")[0]
    found = connection.rows(_USED_SINCE, {"since": since, "hour_before": hour_before})
    return [_may_have_written(since, *row) for row in found]


def _may_have_written(
    since: str, key_id: int, name: object, owner: object, last_used: object, change_count: int
) -> str:
    told = (
        f"Key {key_id} ({name}) of {_owner(owner)} was in use (last: {_moment(last_used, 'never')}) about "
        f"or after the upgrade of {_moment(since)}, since when every key could write with all rights of "
        "its owner. "
    )
    if not change_count:
        return told + "The audit has no change of an entry by that person since, so this key changed none."
    return told + (
        f"Changes of entries by that person since then, by the audit: {change_count}; it does not tell which "
        "were made with a key, so this one may have made any of them."
    )


def _owner(username: object) -> str:
    return "no one" if username is None else str(username)


def _moment(stored: object, otherwise: str = "") -> str:
    return otherwise if stored is None else f"{str(stored).partition('.')[0]} UTC"


# -- when it matters -----------------------------------------------------------------------------------------


def _is_of_an_earlier_server(known: Recognition) -> bool:
    at = known.recorded or known.in_history
    return known.kind == "daemon" and (at is None or version_key(at) < version_key(LIMITED_SINCE))
