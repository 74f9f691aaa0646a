"""What does ``daemon backup`` do? It shows what the backup room made, found or put back."""

from __future__ import annotations

import shlex
from datetime import datetime
from typing import TYPE_CHECKING

import click

from app import clock, interrupt
from app.backup.catalog import Backup, find_backup, list_backups, read_known_manifest
from app.backup.prune import HELD_BY_LEAP, Pruned
from app.cli.command_context import settings_for_doing, settings_for_looking
from app.cli.options import json_option, yes_option
from app.cli.output import Output
from app.clock_leap import CONFIRM
from app.errors import DaemonError
from app.progress import say_nothing
from app.settings import Settings
from app.sizes import size_in_words
from app.storage import failures
from app.storage.registry import storage_for
from app.storage.types import StorageError
from app.upgrade.detect.identity import identity_of
from app.upgrade.detect.recognise import describe
from app.upgrade.operations.back_up import back_up, clear_away
from app.upgrade.operations.servable import find_unservable, is_newer

if TYPE_CHECKING:
    from app.backup.restore.restore import Restored
    from app.backup.verify import Proof

COLUMNS = ("name", "age", "size", "version", "for", "of", "state")
PURPOSES = {"before_restore": "restore"}  # shorter; as JSON it is what the manifest says
OF = {"this": "this one", "another": "another", "unknown": "unknown"}


@click.group()
def backup() -> None:
    """Make, list, prove, restore and clear away backups.

    \b
    daemon backup create                               safe while the server writes
    daemon backup prove backup_YYYYMMDD_HHMMSS.db      open a scratch copy of it and check that
    daemon backup restore backup_YYYYMMDD_HHMMSS.db    the state before is kept as a backup too
    """


@backup.command()
@json_option
@click.pass_obj
def create(output: Output) -> int:
    """A verified backup in the backup folder. Safe while the server writes."""
    on_event = output.event if not output.json else say_nothing
    settings = settings_for_doing(output)
    with interrupt.interruptible():
        made = back_up(settings, "manual", on_event=on_event)
    output.answer(f"Backup made and checked: {made.path}", as_json(made))
    return 0


@backup.command(name="list")
@json_option
@click.pass_obj
def list_command(output: Output) -> int:
    """The backups there are, this installation's first, each compared with its manifest. Writes nothing."""
    settings = settings_for_looking(output)
    identity = identity_of(settings)
    found, now = list_backups(settings, describe=describe, identity=identity), clock.now()
    # Whose each is takes a column only where it is asked: a usual table is to fit into 80 characters.
    are_ours = all(each.whose == "this" for each in found)
    columns = tuple(name for name in COLUMNS if name != "of" or not are_ours)
    rows = [_row(each, now, *(() if are_ours else (OF[each.whose],))) for each in found]
    if not found:
        output.say(f"There are no backups in {settings.backup_dir}.")
    said = {
        "folder": settings.backup_dir,
        "installation": identity.installation_id,
        "backups": [as_json(each) for each in found],
    }
    output.table(columns, rows, said, below=_words_of_others(found))
    return 0


@backup.command()
@click.argument("name")
@json_option
@click.pass_obj
def prove(output: Output, name: str) -> int:
    """Check that the backup NAME can be restored: a scratch copy of it is opened, checked and counted."""
    from app.backup.verify import prove_backup  # here, as in `restore`: making a backup needs none of it

    on_event = output.event if not output.json else say_nothing
    settings = settings_for_looking(output)
    with interrupt.interruptible():
        proof = prove_backup(settings, name, describe=describe, on_event=on_event)
    unservable = find_unservable(settings, proof.path)
    lines = [f"{proof.name} is sound ({proof.contents.version}).", *(f"  {check}" for check in proof.checks)]
    lines += [f"But {unservable.sentence}."] if unservable else []
    problem = unservable.sentence if unservable else None
    output.answer("\n".join(lines), {**proof_as_json(proof), "unservable": problem})
    return 0


@backup.command()
@click.argument("name")
@click.option(
    "--other-installation", is_flag=True, help="NAME is another installation's: its people come here instead."
)
@yes_option
@json_option
@click.pass_obj
def restore(output: Output, name: str, other_installation: bool, yes: bool) -> int:
    """Make the database that of the backup NAME. The state before is kept as a backup too.

    A damaged or foreign file, or one outside the backup folder, is refused, and nothing changes; so is
    another installation's backup where the database has people, unless you say --other-installation. What
    was written since the backup is counted and said before. A running server steps aside meanwhile. After
    going back to an older version, automatic upgrades hold until `daemon upgrade run`. A backup that this
    Daemon cannot serve, a newer one's, takes --yes where no one can be asked.
    """
    settings = settings_for_doing(output)
    _warn_of_unservable(output, settings, name, yes)
    _say_what_goes(output, settings, name)
    if not output.confirm(f"Put {name} in the place of {settings.database_name}?", yes):
        output.say("Nothing was done.")
        return 0
    from app.upgrade.operations.restore import restore_and_hold

    on_event = output.event if not output.json else say_nothing
    done = restore_and_hold(settings, name, other_installation=other_installation, on_event=on_event)
    output.answer(_words_of(settings, done), restored_as_json(done))
    return 0


def _warn_of_unservable(output: Output, settings: Settings, name: str, yes: bool) -> None:
    """Say that this Daemon could not serve the backup; where that cannot be answered, it takes --yes."""
    source = find_backup(settings, name)
    found = find_unservable(settings, source)
    if found is None:
        return
    if not yes and not output.can_ask():
        again = f"To put it back all the same: daemon backup restore {shlex.quote(name)} --yes"
        raise found.error(f"{found.sentence}. Nothing was changed.", hint=again)
    if not output.json:
        output.warn(f"{found.sentence}.")


def _say_what_goes(output: Output, settings: Settings, name: str) -> None:
    """Say, before it is done, what was written since the backup; what cannot be compared stops nothing."""
    if output.json or storage_for(settings.database_url).file_kind() != "database":
        return
    from app.upgrade.operations.would_be_lost import by_restore

    try:
        found = by_restore(settings, name)
    except (DaemonError, OSError, StorageError) as error:
        output.warn(f"What was written since {name} cannot be counted ({error}).")
        return
    if found.can_be_done:
        output.say("\n".join(found.lines))


@backup.command()
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@click.option("--clock-is-right", is_flag=True, help="The clock did leap, or nothing ran: it is right now.")
@json_option
@click.pass_obj
def prune(output: Output, dry_run: bool, clock_is_right: bool) -> int:
    """Clear away this installation's backups older than BACKUP_RETENTION_DAYS.

    Only files that have our manifest; never the newest seven good ones, nor one that an upgrade needs. None
    while the clock has leapt by thirty days or more, until you say --clock-is-right.
    """
    settings = settings_for_looking(output) if dry_run else settings_for_doing(output)
    with interrupt.interruptible(), failures.named(settings.database_path, "nothing was cleared away"):
        pruned = clear_away(settings, dry_run=dry_run, clock_is_right=clock_is_right)
    output.answer(_words_of_pruning(pruned, dry_run), pruned_as_json(pruned, dry_run))
    return 0


def _row(found: Backup, now: datetime, *whose: str) -> tuple[object, ...]:
    return (
        found.name,
        age_in_words((now - found.created_at).total_seconds()),
        size_in_words(found.size_bytes),
        found.version and found.version.partition(" (")[0],  # what is odd about it stands in the JSON
        PURPOSES.get(found.purpose or "", found.purpose),
        *whose,
        _state_of(found),
    )


def _state_of(found: Backup) -> str:
    notes = [found.note] if found.note else []
    notes += ["newer than this Daemon"] if is_newer(found.version) else []
    return f"{found.state}: {'; '.join(notes)}" if notes else found.state


def _words_of_others(found: list[Backup]) -> str:
    """Return a line for each other installation: which it is, as its newest backup says."""
    lines: dict[str, str] = {}
    for each in found:
        if each.whose == "another" and each.manifest is not None:
            which = each.manifest.installation or "without an id"
            lines.setdefault(
                f"{which} {each.manifest.database}",
                f"another: the installation {which}, {each.manifest.database}",
            )
    return "\n".join(lines.values())


def as_json(found: Backup) -> dict[str, object]:
    return {
        "name": found.name,
        "path": found.path,
        "created_at": clock.rfc3339(found.created_at),
        "size_bytes": found.size_bytes,
        "state": found.state,
        "version": found.version,
        "purpose": found.purpose,
        "note": found.note,
        "whose": found.whose,
        "installation": found.manifest.installation if found.manifest else None,
        "number": found.number,
        "database": found.manifest.database if found.manifest else None,
        "rows": dict(found.manifest.rows) if found.manifest else None,
    }


def proof_as_json(proof: Proof) -> dict[str, object]:
    return {
        "name": proof.name,
        "path": proof.path,
        "sound": True,
        "version": proof.contents.version,
        "fingerprint": proof.contents.fingerprint,
        "rows": proof.contents.rows,
        "checks": proof.checks,
        "seconds": round(proof.seconds, 3),
    }


def restored_as_json(done: Restored) -> dict[str, object]:
    return {
        "name": done.name,
        "path": done.path,
        "version": done.now.version,
        "rows": done.now.rows,
        "backup_of_the_state_before": done.safety,
        "kept_aside": done.kept_aside,
        "old_database": done.old_database or None,
        "seconds": round(done.seconds, 3),
    }


def pruned_as_json(pruned: Pruned, dry_run: bool) -> dict[str, object]:
    return {
        "removed": [each.name for each in pruned.removed],
        "stays": [{"name": each.name, "reason": reason} for each, reason in pruned.stays],
        "retention_days": pruned.days,
        "dry_run": dry_run,
    }


def age_in_words(seconds: float) -> str:
    """Return how long ago something was, roughly: "3 min", "5 h", "12 days"; "future" where it is to come."""
    if seconds < -60:
        return "future"
    for unit, length in (("days", 86_400), ("h", 3_600)):
        if seconds >= 2 * length:
            return f"{seconds // length:.0f} {unit}"
    return f"{max(seconds, 0) // 60:.0f} min"


def _words_of(settings: Settings, done: Restored) -> str:
    lines = [f"The database is that of {done.name} again ({done.now.version})."]
    if done.safety:
        lines.append(f"The state before is kept: {_takes_back(settings, done.safety)} takes this back.")
    if done.old_database:
        name = done.old_database
        lines.append(
            f"The database that was there is {name} on the server now; when it is not needed any more:"
            f" dropdb {shlex.quote(name)}"
        )
    if done.kept_aside:
        lines.append(f"The bytes that were there are kept in {done.kept_aside}.")
    return "\n".join(lines)


def _takes_back(settings: Settings, safety: str) -> str:
    """Return the command that puts the state before back, with what it is asked for now."""
    made = find_backup(settings, safety)
    is_anothers = identity_of(settings).owner_of(made, read_known_manifest(made)) == "another"
    flags = " --other-installation" if is_anothers else ""
    flags += " --yes" if find_unservable(settings, made) else ""
    return f"daemon backup restore {shlex.quote(safety)}{flags}"


def _words_of_pruning(pruned: Pruned, dry_run: bool) -> str:
    done = "Would be cleared away" if dry_run else "Cleared away"
    lines = [f"{done} (older than {pruned.days} days): {len(pruned.removed)}."]
    lines += [f"  {each.name}" for each in pruned.removed]
    lines += [f"  {each.name} stays: {reason}" for each, reason in pruned.stays]
    if any(reason == HELD_BY_LEAP for _, reason in pruned.stays):
        lines.append(f"If the clock is right, this clears them away: {CONFIRM}")
    return "\n".join(lines)
