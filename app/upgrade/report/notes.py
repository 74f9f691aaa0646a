"""What should the owner know about what an upgrade found, kept and left alone? Sentences for the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.upgrade.checks import credentials, switches
from app.upgrade.legacy import doubtful_drafts, visibility_changes

if TYPE_CHECKING:
    from app.storage.types import StorageConnection
    from app.upgrade.checks.preflight import Facts
    from app.upgrade.model import Applied, Plan


_SEARCHES_TEXTS = "0005"
_HEARS_TIMES = "0007"


def notes_of(
    plan: Plan, applied: tuple[Applied, ...], facts: Facts, connection: StorageConnection
) -> tuple[str, ...]:
    """Return the sentences about the upgrade that stands before its commit; who could come in comes first."""
    current = plan.current
    notes = [
        *credentials.notes_of(plan, connection),
        *switches.notes_of(plan),
        *(note for one in applied for note in one.notes),
    ]
    if any(step.id == _SEARCHES_TEXTS for step in plan.steps):
        notes.append(
            "Contact data in free text is hidden from strangers at every level until its owner releases it; "
            "the server searches all texts now: daemon privacy findings list USER"
        )
        notes += _shipped_rules(connection)
    if any(step.id == _HEARS_TIMES for step in plan.steps):
        notes += doubtful_drafts.notes_of(connection)
    if current.contradiction:
        notes.append(current.contradiction)
    yours = [f"{extra.what} {extra.name}" for extra in current.extras if "will be called" not in extra.detail]
    if yours:
        notes.append(f"Yours, kept as it is: {', '.join(yours)}.")
    if facts.orphans:
        notes.append(
            f"{len(facts.orphans)} rows name a row that is not there, as before; they are kept, and shown to "
            "no one but the admin."
        )
    if current.recorded is None:
        notes += _kept(connection)
    if current.recorded is None and (deleted := visibility_changes.deleted_entries(connection)):
        notes.append(
            f"{deleted} deleted entries, which old servers showed to all who asked with active_only=false, "
            "are shown to no one now."
        )
    return tuple(notes)


def _shipped_rules(connection: StorageConnection) -> list[str]:
    """What the shipped rules hide by names of fields stays hidden of accounts that are there already."""
    accounts, rules = (
        next(iter(connection.rows(query)))[0]
        for query in (
            "SELECT count(*) FROM users",
            "SELECT count(*) FROM data_privacy_rules"
            " WHERE field_name IS NOT NULL AND (is_active IS NULL OR is_active <> 0)",
        )
    )
    if not accounts or not rules:
        return []
    whose = "the 1 account that is" if accounts == 1 else f"the {accounts} accounts that are"
    return [
        f"Fields that the privacy rules hide by their names (email, phone, salary) stay hidden of {whose} "
        "there now, until each releases what the rules hide that Daemon ships: daemon privacy settings USER "
        "releases_shipped_rules=yes"
    ]


def _kept(connection: StorageConnection) -> list[str]:
    found = connection.rows(
        "SELECT table_name, count(*) FROM kept_values WHERE row_key NOT IN ('', 'form')"
        " AND table_name IN (SELECT table_name FROM kept_values WHERE row_key = '') GROUP BY 1 ORDER BY 1"
    )
    return [
        f"Every value that the old form of {table} held is also in kept_values ({count} values)."
        for table, count in found
    ]
