"""What does ``daemon status`` say? What is here: the database, its version, people, backups, the server."""

from __future__ import annotations

import click

from app import __version__, clock, installation
from app.accounts import proxies
from app.backup.catalog import Backup, list_backups
from app.backup.ownership import Identity
from app.cli.command_context import settings_for_looking
from app.cli.options import json_option
from app.cli.output import Output
from app.clock_leap import CLOCKS_DIFFER, CONFIRM, doubt
from app.errors import DaemonError
from app.installation import QUESTION_HINT
from app.privacy import patterns
from app.settings import Settings
from app.storage.registry import storage_for
from app.upgrade.checks.credentials import PUBLISHED_SECRET
from app.upgrade.detect.identity import known_of
from app.upgrade.detect.recognise import describe
from app.upgrade.model import Plan
from app.upgrade.plan import look, make_order, plan_from
from app.upgrade.records.auto_upgrade_block import find_hold
from app.upgrade.records.history import operations_of, read_history
from app.upgrade.records.last_attempt import find_attempt
from app.upgrade.report.status_text import hidden_in_words


@click.command()
@json_option
@click.pass_obj
def status(output: Output) -> int:
    """What is here: the database, its version, people, backups. Writes nothing.

    Exit status 0 also where something is amiss: it is told, and `daemon upgrade check` gives it a status.
    """
    settings = settings_for_looking(output)
    known = found_out(settings)
    output.answer(in_words(known), known)
    return 0


def found_out(settings: Settings) -> dict[str, object]:
    """Everything that can be seen from outside, as JSON values."""
    # The gate of the server asks in a way that may touch a file beside the database; this one does not.
    plan = plan_from(settings, look(storage_for(settings.database_url), "rows"), make_order())
    identity, found = known_of(settings)
    backups, unlisted = _backups_of(settings, identity)
    others = [one for one in backups if one.whose == "another"]
    newest = next((one for one in backups if one.whose != "another"), None)  # this one's stand first
    now, place = clock.now(), installation.here(settings.database_path)
    hold, tried = find_hold(settings), find_attempt(settings)
    return {
        "version": __version__,
        "database": settings.database_name,
        "database_version": plan.current.recorded or plan.current.label,
        "pending": plan.pending,
        "problems": [*(each.message for each in plan.blockers), *([unlisted.message] if unlisted else [])],
        "published_secret": next(
            (each.message for each in plan.warnings if each.code == PUBLISHED_SECRET), None
        ),
        "patterns": patterns.missing(),
        "next": _next(plan) or (unlisted.hint if unlisted else ""),
        "rows": dict(plan.rows),
        "backup_folder": str(settings.backup_dir),
        "installation": identity.installation_id,
        "seen_elsewhere": (found.question(place) or None) if found else None,
        "clock": (doubt(found.clock, now) or None) if found else None,
        "backup_count": len(backups) - len(others),
        "backups_of_others": len(others),
        "newest_backup": newest.name if newest else None,
        "newest_backup_at": clock.rfc3339(newest.created_at) if newest else None,
        "newest_backup_is_from_the_future": bool(newest and newest.created_at > now + CLOCKS_DIFFER),
        "upgrade_on_start": settings.upgrade_on_start,
        "hold": hold.reason if hold else None,
        "hidden_by_last_upgrade": _hidden_by_last_upgrade(settings),
        "attempt": f"{tried.at}: {tried.failure or 'it was cut short'}" if tried else None,
        "untrusted_proxies": proxies.noted(settings, now),
        "address": f"http://{settings.host}:{settings.port}",
    }


def _backups_of(settings: Settings, identity: Identity) -> tuple[list[Backup], DaemonError | None]:
    """Return the backups, or none and why they cannot be listed: the rest is told all the same."""
    try:
        return list_backups(settings, describe=describe, hashing=False, identity=identity), None
    except DaemonError as error:
        return [], error


def _hidden_by_last_upgrade(settings: Settings) -> dict[str, int]:
    """Return how many entries of each kind strangers see no more since then, by the journal."""
    done = [one for one in operations_of(read_history(settings)) if one.what in ("upgraded", "rolled back")]
    return done[-1].hidden if done else {}


def in_words(known: dict[str, object]) -> str:
    rows = known["rows"]
    assert isinstance(rows, dict)
    seen = known["untrusted_proxies"]
    hidden = known["hidden_by_last_upgrade"]
    assert isinstance(hidden, dict)
    counted = ", ".join(
        f"{rows[table]} {one if rows[table] == 1 else many}"
        for table, (one, many) in COUNTED.items()
        if table in rows
    )
    lines = [
        ("Daemon", known["version"]),
        ("Database", known["database"]),
        ("Version", known["database_version"]),
        ("Holds", counted or "nothing"),
        ("Problems", "; ".join(map(str, known["problems"])) if isinstance(known["problems"], list) else ""),
        ("Secret", known["published_secret"]),
        ("Patterns", known["patterns"]),
        ("Next", known["next"]),
        ("Installation", known["installation"]),
        ("Seen elsewhere", _with_hint(known["seen_elsewhere"], QUESTION_HINT)),
        ("Clock", _with_hint(known["clock"], f"If it is right: {CONFIRM}")),
        ("Backups", f"{known['backup_count']} in {known['backup_folder']}{_of_others(known)}"),
        ("Newest", f"{known['newest_backup']}{_from_the_future(known)}" if known["newest_backup"] else ""),
        ("Upgrade at start", known["upgrade_on_start"]),
        ("Held", known["hold"]),
        ("Tried", known["attempt"]),
        ("Hidden", hidden_in_words(hidden) + " from strangers, by the last upgrade" if hidden else ""),
        ("Address", known["address"]),
        ("Proxies", proxies.in_words(seen) if isinstance(seen, list) and seen else ""),
    ]
    return "\n".join(f"{name + ':':<18}{value}" for name, value in lines if value)


def _with_hint(said: object, hint: str) -> str:
    return f"{said} {hint}" if said else ""


def _of_others(known: dict[str, object]) -> str:
    count = known["backups_of_others"]
    return f", and {count} of other installations" if count else ""


def _from_the_future(known: dict[str, object]) -> str:
    is_odd = known["newest_backup_is_from_the_future"]
    return " (of a time to come: the clock was wrong then, or is now)" if is_odd else ""


def _next(plan: Plan) -> str:
    if plan.blockers:
        return plan.blockers[0].hint
    return "daemon upgrade run" if plan.pending else ""


COUNTED = {
    "users": ("person", "people"),
    "data_entries": ("entry", "entries"),
    "endpoints": ("kind", "kinds"),
    "api_keys": ("API key", "API keys"),
}
