"""Recorded versions. What does a database say about itself, who said it, and is it so?"""

from __future__ import annotations

from dataclasses import dataclass

from app.storage.types import StorageConnection
from app.upgrade.model import Claim
from app.upgrade.versions.contracts import step_path
from app.upgrade.versions.releases import NEWEST_CLAIM, SCHEMA_VERSIONS, version_key
from app.upgrade.versions.step_hash import semantic_hash

TABLE = "database_versions"
_OF_A_CLAIM = ("version", "applied_at", "migration_script")


@dataclass(frozen=True)
class History:
    """``own_version`` is the highest of our own lines; ``claims`` are all other lines, in their order.

    ``late_claims`` are those that were written after our own lines marked the older ones.
    """

    own_version: str | None = None
    claims: tuple[Claim, ...] = ()
    late_claims: tuple[Claim, ...] = ()


def read_history(connection: StorageConnection) -> History:
    """Return what stands in database_versions; nothing where that table is not there or another one."""
    columns = {name.lower() for name in connection.columns(TABLE)}
    if not {*_OF_A_CLAIM} <= columns:
        return History()
    found = connection.as_written(TABLE, (*_OF_A_CLAIM, "is_claim", "outcome"))
    own = [row for row in found if row[3] == 0 and row[4] == "done"]
    others = [row for row in found if row not in own]
    late = [row for row in others if row[3] is None] if "is_claim" in columns else []
    return History(
        max((str(row[0]) for row in own), key=version_key, default=None),
        tuple(map(_claim, others)),
        tuple(map(_claim, late)),
    )


def other_steps(connection: StorageConnection) -> tuple[str, ...]:
    """Return the steps whose recorded hash is not that of the step as it is here, in their order."""
    if not {"migration_script", "steps_hash", "is_claim"} <= {
        name.lower() for name in connection.columns(TABLE)
    }:
        return ()
    # Of a step that was run twice, the later run counts.
    found = connection.as_written(TABLE, ("migration_script", "steps_hash", "is_claim"))
    recorded = {
        str(script).partition("_")[0]: run_hash for script, run_hash, is_claim in found if is_claim == 0
    }
    return tuple(
        row.revision
        for row in SCHEMA_VERSIONS
        if recorded.get(row.revision) not in (None, semantic_hash(step_path(row.revision)))
    )


def contradiction_of(
    history: History, recorded: str | None, lowest: str | None, highest: str | None, label: str
) -> str | None:
    """Return a sentence where a claim is not what the schema shows; None where all agree."""
    claims = history.claims if history.own_version is None else history.late_claims
    wrong = [claim.version for claim in claims if not _agrees(claim.version, recorded, lowest, highest)]
    if not wrong:
        return None
    said = ", ".join(dict.fromkeys(wrong))
    sentence = f"{TABLE} says {said}, but the schema is that of {label}"
    unknown = max(wrong, key=version_key)
    if history.own_version is not None or version_key(unknown) <= version_key(NEWEST_CLAIM):
        return f"{sentence}; the schema is believed."
    return (
        f"{sentence}. A version that this Daemon does not know stops the upgrade: if you know that an old"
        f" script wrote {unknown} by mistake, make a copy of the file and delete that row of {TABLE}."
    )


def _agrees(claim: str, recorded: str | None, lowest: str | None, highest: str | None) -> bool:
    if recorded is not None:
        return claim == recorded
    if lowest is None or highest is None:
        return False
    return version_key(lowest) <= version_key(claim) <= version_key(highest)


def _claim(row: tuple[object, ...]) -> Claim:
    version, applied_at, script, *_ = row
    return Claim(
        str(version),
        None if applied_at is None else str(applied_at),
        None if script is None else str(script),
    )
