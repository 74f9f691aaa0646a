"""Preconditions of a step. Is what the steps need beforehand, by their contracts, so in this database?

Asked when a plan is made, so that `check` can tell, and once more before the step itself: a query may need
what an earlier step makes.
"""

from __future__ import annotations

from collections.abc import Iterable

from app.errors import Refused
from app.storage.types import StorageConnection, StorageError
from app.upgrade.versions.contracts import ContractBroken, contract_of
from app.upgrade.versions.releases import on_engine

ROWS_SHOWN = 5


def unmet_needs(connection: StorageConnection) -> dict[str, tuple[str, ...]]:
    """Return, by step, what keeps it from being run: a need that is not so, or that it has no contract.

    What cannot be asked yet is left out. Reads only.
    """
    known = on_engine(connection.engine_name)
    found = {row.revision: _unmet_of(connection, row.revision) for row in known}
    return {revision: unmet for revision, unmet in found.items() if unmet}


def refuse_unmet(connection: StorageConnection, revision: str) -> None:
    """Raise Refused where something that the step needs is not so. It has not begun then."""
    unmet = _unmet(connection, revision)
    if unmet:
        raise Refused(unmet_sentence(revision, unmet))


def unmet_sentence(revision: str, unmet: Iterable[str]) -> str:
    """Say what is not so."""
    return f"The step {revision} cannot be run: {'; '.join(unmet)}."


def _unmet_of(connection: StorageConnection, revision: str) -> tuple[str, ...]:
    try:
        return _unmet(connection, revision, may_fail=True)
    except ContractBroken as error:
        return (error.message.rstrip("."),)


def _unmet(connection: StorageConnection, revision: str, *, may_fail: bool = False) -> tuple[str, ...]:
    unmet = []
    for sentence, query in contract_of(revision).needs.items():
        try:
            rows = connection.rows(query)
        except StorageError:
            if not may_fail:
                raise
            continue
        if rows:
            shown = ", ".join(str(row[0]) for row in rows[:ROWS_SHOWN])
            more = f" and {len(rows) - ROWS_SHOWN} more" if len(rows) > ROWS_SHOWN else ""
            unmet.append(f"{sentence} (not so of {shown}{more})")
    return tuple(unmet)
