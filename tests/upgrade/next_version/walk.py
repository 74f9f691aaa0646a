"""Walk databases to the made-up versions, every way there is, with a copy of the application that has them.

python walk.py FOLDER...    each FOLDER holds data/daemon.db, or `url`, which names a database on a server;
                            one line of JSON for each
"""

from __future__ import annotations

import contextlib
import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy
from sqlalchemy.pool import NullPool

from app.settings import Settings
from app.storage.registry import storage_for
from app.upgrade.operations.back_up import back_up
from app.upgrade.operations.restore import restore_and_hold
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import exit_code_of, make_plan
from app.upgrade.readiness import ask_readiness, may_upgrade_by_itself, upgrade_by_itself
from app.upgrade.report.render import plan_as_json
from app.upgrade.versions.releases import FIRST_ON_SERVERS, NEWEST, RELEASES, SCHEMA_VERSIONS, version_key

MADE_UP = ("9.8.0", "9.9.0")


def settings_in(folder: Path) -> Settings:
    """The settings of an operator whose everything is in ``folder``, but for a database on a server."""
    url = folder / "url"
    return Settings(
        database_url=url.read_text() if url.exists() else f"sqlite:///{folder / 'data' / 'daemon.db'}",
        data_dir=folder / "data",
        backup_dir=folder / "backups",
        log_dir=folder / "logs",
    )


def rows(settings: Settings, query: str) -> list[Any]:
    """What a query finds."""
    with outside(settings) as connection:
        return [tuple(row) for row in connection.execute(sqlalchemy.text(query))]


def change(settings: Settings, *statements: str) -> None:
    """Change the database as its owner would."""
    with outside(settings) as connection:
        for statement in statements:
            connection.execute(sqlalchemy.text(statement))


@contextlib.contextmanager
def outside(settings: Settings) -> Iterator[sqlalchemy.Connection]:
    """A connection beside those of the application, on either engine."""
    engine = sqlalchemy.create_engine(settings.database_url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        if is_on_server(settings):
            connection.execute(sqlalchemy.text("SET session_replication_role = replica"))
        else:
            driver: Any = connection.connection.dbapi_connection
            driver.text_factory = lambda raw: raw.decode("utf-8", "replace")
        yield connection


def is_on_server(settings: Settings) -> bool:
    return settings.database_url.startswith("postgresql")


def standing(settings: Settings) -> dict[str, Any]:
    """What `upgrade check` says."""
    plan = make_plan(settings)
    said = plan_as_json(plan)
    return {
        "exit_code": exit_code_of(plan),
        "recorded": plan.current.recorded,
        "exact": plan.current.exact,
        "steps": [step.id for step in plan.steps],
        "extras": sorted(extra.name for extra in plan.current.extras),
        "blockers": [problem.message for problem in plan.blockers],
        "is_sound": said["sound"],
    }


def ended(outcome: Any) -> list[Any]:
    """How a run ended."""
    return [outcome.state, outcome.exit_code, outcome.message if outcome.exit_code else ""]


def copied(folder: Path, name: str) -> Settings:
    """The settings of a copy of the folder as it was at the start."""
    other = folder.with_name(f"{folder.name}-{name}")
    shutil.copytree(folder, other)
    if (folder / "url").exists():
        url = (folder / "url").read_text()
        server, _, database = url.rpartition("/")
        with psycopg.connect(f"{server}/postgres".replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{database}_{name}" TEMPLATE "{database}"'.encode())
        (other / "url").write_text(f"{url}_{name}")
    return settings_in(other)


def walk(folder: Path) -> dict[str, Any]:
    """Return everything that happened."""
    found: dict[str, Any] = {}
    checked, straight = copied(folder, "checked"), copied(folder, "straight")
    stepped, served = copied(folder, "stepped"), copied(folder, "served")
    found["check"] = standing(checked)
    found["gate before"] = ask_readiness(checked, storage_for(checked.database_url)).state
    found["straight"] = ended(run_upgrade(straight))
    found["after"] = standing(straight)
    found["rows"] = {
        "tags": rows(straight, "SELECT * FROM owner_tags ORDER BY 1"),
        "mine": count_of_mine(straight),
        "notes": rows(straight, "SELECT DISTINCT note FROM data_entries"),
        "entries": rows(straight, "SELECT count(*) FROM data_entries"),
        "view": rows(straight, "SELECT count(*) FROM owner_labels"),
        "description": rows(straight, "SELECT description FROM endpoints WHERE name = 'ideas'"),
    }
    found["gate after"] = ask_readiness(straight, storage_for(straight.database_url)).state
    found["again"] = ended(run_upgrade(straight))
    found["forced"] = ended(run_upgrade(straight, force=True))
    found["after force"] = standing(straight)
    found["targets"] = walk_by_targets(stepped)
    found["repair"] = walk_repair(straight)
    found["rollback"] = walk_rollback(stepped)
    found["served"] = walk_served(served)
    return found


def count_of_mine(settings: Settings) -> list[Any]:
    """How many entries have what the owner wrote into a column of her own; all of none without the column."""
    with outside(settings) as connection:
        columns = [column["name"] for column in sqlalchemy.inspect(connection).get_columns("data_entries")]
    condition = " WHERE owner_note = 'mine ' || id" if "owner_note" in columns else ""
    return rows(settings, f"SELECT count(*) FROM data_entries{condition}")


def walk_by_targets(settings: Settings) -> list[Any]:
    """Stop at each release on the way, with a backup and a restore of each."""
    found = []
    first = version_key(FIRST_ON_SERVERS if is_on_server(settings) else "0.2.0")
    for release in [row for row in RELEASES if version_key(row.version) >= first]:
        outcome = run_upgrade(settings, target=release.version)
        now = standing(settings)
        made = back_up(settings, "manual")
        before = rows(settings, "SELECT count(*) FROM data_entries")
        change(settings, "DELETE FROM data_entries")
        restore_and_hold(settings, made.name)
        restored = standing(settings)
        found.append(
            {
                "target": release.schema_version,
                "ended": ended(outcome),
                "recorded": now["recorded"],
                "blockers": now["blockers"],
                "restored": restored["recorded"],
                "whole": rows(settings, "SELECT count(*) FROM data_entries") == before,
            }
        )
    return found


def walk_repair(settings: Settings) -> dict[str, Any]:
    """Take something away from the newest, and mend it; then the same one version below, on the way up."""
    change(settings, "DROP INDEX ix_tags_word", "DROP INDEX ix_users_email")
    found: dict[str, Any] = {"drift": standing(settings), "refused": ended(run_upgrade(settings))}
    found["repaired"] = ended(run_upgrade(settings, repair=True))
    found["after"] = standing(settings)
    found["rolled back"] = ended(run_rollback(settings))
    found["drift again"] = standing(settings)
    found["forced"] = ended(run_upgrade(settings, force=True))
    found["after force"] = standing(settings)
    return found


def walk_rollback(settings: Settings) -> dict[str, Any]:
    """Go back, to the version before, and up again."""
    found: dict[str, Any] = {"back": ended(run_rollback(settings)), "at": standing(settings)}
    permission = may_upgrade_by_itself(settings, ask_readiness(settings, storage_for(settings.database_url)))
    found["by itself"] = bool(permission)
    found["up"] = ended(run_upgrade(settings))
    found["after"] = standing(settings)
    return found


def walk_served(settings: Settings) -> dict[str, Any]:
    """Do what a server does at its start."""
    readiness = ask_readiness(settings, storage_for(settings.database_url))
    permission = may_upgrade_by_itself(settings, readiness)
    found: dict[str, Any] = {"gate": readiness.state, "allowed": bool(permission), "why": permission.reason}
    if permission:
        found["ended"] = ended(upgrade_by_itself(settings, lambda event: None))
    found["gate after"] = ask_readiness(settings, storage_for(settings.database_url)).state
    return found


if __name__ == "__main__":
    assert MADE_UP[-1] == NEWEST, NEWEST
    assert len(SCHEMA_VERSIONS) > len(MADE_UP)
    for argument in sys.argv[1:]:
        print(json.dumps(walk(Path(argument))), flush=True)
