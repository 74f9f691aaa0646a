"""What do strangers hear of a server that cannot answer, and what do its admin and its log?"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app import errors
from app.entries import read
from app.errors import Refused
from app.progress import Event, OnEvent
from app.server import public_errors
from app.server.database_status import DatabaseStatus
from app.settings import Settings
from app.storage.registry import process_lock_at, storage_for
from app.storage.types import Mark
from app.upgrade import readiness
from app.upgrade.model import Outcome
from app.upgrade.records.auto_upgrade_block import set_hold
from app.upgrade.versions.releases import APPLICATION_ID, NEWEST
from tests.conftest import SettingsIn
from tests.databases import Databases, outside
from tests.upgrade.old_databases import build
from tests.upgrade.on_either_engine import place_older
from tests.web.conftest import Site, wait_until

Serve = Callable[..., Site]
IDEAS = "/api/v1/ideas"
PLANTED = "Zqxplace"
SECRET_SENTENCE = f"/srv/{PLANTED}/nine.db holds 4711 users of {PLANTED}, process 31337."


@pytest.fixture
def place(tmp_path: Path, settings_in: SettingsIn, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An installation in a folder whose name may be heard nowhere, with nothing in it."""
    folder = tmp_path / PLANTED
    (folder / "data").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return settings_in(folder)


# -- arranged on either engine; each returns where it is


Place = Callable[[Databases, Path, Path], str]


def behind(databases: Databases, folder: Path, base: Path) -> str:
    return place_older(databases, folder, base)


def of_somebody_else(databases: Databases, folder: Path, base: Path) -> str:
    return changed(databases.place(folder), f"CREATE TABLE {PLANTED} (id INTEGER)")


def adrift(databases: Databases, folder: Path, base: Path) -> str:
    return changed(databases.fresh(folder), "DROP INDEX ix_users_username_key")


def newer(databases: Databases, folder: Path, base: Path) -> str:
    url = changed(
        databases.fresh(folder),
        "INSERT INTO database_versions (id, version, description) VALUES (4711, '9.47.11', 'x')",
        "CREATE TABLE of_a_version_to_come (id INTEGER)",
    )
    with storage_for(url).migration_connection() as migration:
        migration.set_mark(Mark(APPLICATION_ID, 47110))
        migration.commit_durably()
    return url


def changed(url: str, *statements: str) -> str:
    with outside(url) as connection:
        for statement in statements:
            connection.execute(text(statement))
    return url


# -- arranged in files


def no_database(place: Settings, fresh: Path) -> None:
    place.database_path.write_bytes(b"a text file, no database at all")


def of_zero_bytes(place: Settings, fresh: Path) -> None:
    place.database_path.write_bytes(b"")


def lost(place: Settings, fresh: Path) -> None:
    shutil.copyfile(fresh, place.data_dir / f"{PLANTED}.db")


def of_an_odd_shape(place: Settings, fresh: Path) -> None:
    build("layout_a", place.database_path)


def damaged(place: Settings, fresh: Path) -> None:
    shutil.copyfile(fresh, place.database_path)
    with place.database_path.open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 8_000)


def answers(site: Site) -> list[tuple[str, dict[str, Any]]]:
    """Every way in which a stranger may ask a server that cannot answer."""
    found = [(path, site.client.get(path)) for path in ("/health", "/health/ready", IDEAS, "/nothing")]
    found += [(f"POST {path}", site.client.post(path, json={})) for path in (IDEAS, "/auth/register")]
    assert {answer.status_code for _path, answer in found} == {503}
    return [(path, answer.json()) for path, answer in found]


def assert_tells_nothing(body: dict[str, Any]) -> None:
    heard = {name: value for name, value in body.items() if name not in OWN_MEMBERS}
    said = json.dumps(heard).replace(NEWEST, "")
    assert PLANTED not in said
    assert not re.search(r"/\w|\.db|\.py|users|entries|process \d|postgres", said), said
    for member in ("detail", "hint"):
        words = body[member].replace(NEWEST, "")
        assert words
        assert not re.search(r"\d|/", words), words
    assert body["hint"].startswith("daemon ") or body["hint"].startswith(("Try again", "Wait"))


OWN_MEMBERS = {"type", "instance", "request_id", "timestamp", "uptime_seconds", "version"}


@pytest.mark.parametrize("arrange", [no_database, of_zero_bytes, lost, of_an_odd_shape, damaged])
def test_a_stranger_hears_a_sentence_and_a_command_and_the_log_has_the_rest(
    place: Settings, fresh_database: Path, serve: Serve, arrange: Any
) -> None:
    arrange(place, fresh_database)
    assert_only_the_log_has_the_rest(place, serve)


@pytest.mark.parametrize(
    ("arrange", "is_held"),
    [(behind, False), (behind, True), (of_somebody_else, False), (adrift, False), (newer, False)],
)
def test_a_stranger_hears_no_more_of_a_database_on_either_engine(
    place: Settings, databases: Databases, base_of_run: Path, serve: Serve, arrange: Place, is_held: bool
) -> None:
    url = arrange(databases, place.data_dir.parent, base_of_run)
    either = replace(place, database_url=url, data_dir=place.data_dir)
    if is_held:
        set_hold(either, SECRET_SENTENCE)
    assert_only_the_log_has_the_rest(either, serve)


def assert_only_the_log_has_the_rest(settings: Settings, serve: Serve) -> None:
    manual = replace(settings, upgrade_on_start="manual", backup_enabled=False)
    site = serve(manual)
    for _path, body in answers(site):
        assert_tells_nothing(body)
    log = (manual.log_dir / "server.log").read_text()
    status = site.app.server.supervisor.status
    assert json.dumps(status.sentence, ensure_ascii=False)[1:-1] in log or status.sentence in log
    assert status.command in log


def test_an_upgrade_that_runs_and_fails_tells_strangers_how_far_and_nothing_of_the_place(
    place: Settings, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    build("layout_a", place.database_path)
    seen: list[dict[str, Any]] = []

    def upgrade(settings: Settings, on_event: OnEvent) -> Outcome:
        on_event(Event("progress", "backup", SECRET_SENTENCE, percent=40.0, eta_seconds=3.0))
        wait_until(lambda: seen, "no one asked")
        return Outcome("failed_unchanged", 1, SECRET_SENTENCE, f"sudo chown -R {PLANTED} /srv")

    monkeypatch.setattr(readiness, "upgrade_by_itself", upgrade)
    site = serve(place)
    wait_until(lambda: site.client.get("/health").json().get("progress"), "it never showed progress")
    seen.append(site.client.get("/health").json())
    assert seen[0]["progress"] == {"phase": "backup", "percent": 40.0, "eta_seconds": 3.0}
    wait_until(lambda: site.client.get("/health").json()["status"] == "maintenance", "it never gave up")
    for body in (seen[0], *(body for _path, body in answers(site))):
        assert_tells_nothing(body)
    assert PLANTED in site.app.server.supervisor.status.sentence


def test_who_works_on_the_database_is_not_told(site: Site) -> None:
    supervisor = site.app.server.supervisor
    with process_lock_at(site.settings.database_path).exclusive(20):
        wait_until(lambda: not supervisor.is_open, "it never yielded")
        for _path, body in answers(site):
            assert_tells_nothing(body)


@pytest.mark.parametrize("phase", ["starting", "maintenance", "upgrading", "yielding", "stopping"])
@pytest.mark.parametrize("state", ["", "BEHIND", "REFUSED", "NEVER_HEARD_OF", "UNKNOWN"])
def test_whatever_a_status_says_its_words_for_strangers_are_from_the_list(phase: Any, state: str) -> None:
    said = public_errors.of_status(DatabaseStatus(phase, state, SECRET_SENTENCE, SECRET_SENTENCE, PLANTED))
    assert said in public_errors.SAID.values()
    assert PLANTED not in f"{said.sentence} {said.command}"


# -- errors of single requests


@pytest.fixture
def failing(site: Site, monkeypatch: pytest.MonkeyPatch) -> Site:
    """An installation on which no list can be read, for a reason that names the place."""

    def fail(*_arguments: Any, **_named: Any) -> None:
        raise Refused(SECRET_SENTENCE, hint=f"df -h /srv/{PLANTED}")

    monkeypatch.setattr(read, "page", fail)
    return site


def test_a_stranger_hears_nothing_of_the_place_in_the_503_of_a_request(failing: Site) -> None:
    answer = failing.client.get(IDEAS)
    assert (answer.status_code, answer.json()["code"]) == (503, "refused")
    assert_tells_nothing(answer.json())
    assert PLANTED in (failing.settings.log_dir / "server.log").read_text()


def test_an_admin_hears_it_and_another_person_does_not(failing: Site) -> None:
    failing.add_user("bob")
    heard = failing.client.get(IDEAS, headers=failing.log_in("ann")).json()
    assert (heard["detail"], heard["hint"]) == (SECRET_SENTENCE, f"df -h /srv/{PLANTED}")
    assert_tells_nothing(failing.client.get(IDEAS, headers=failing.log_in("bob")).json())


def kinds_of_error() -> list[type[errors.DaemonError]]:
    found, pending = [], [errors.DaemonError]
    while pending:
        one = pending.pop()
        found.append(one)
        pending += one.__subclasses__()
    return [one for one in found if one.status >= 500]


def test_every_error_of_the_server_has_words_for_strangers() -> None:
    for kind in kinds_of_error():
        said = public_errors.of_error(kind(SECRET_SENTENCE, hint=SECRET_SENTENCE))
        if kind.__module__ == "app.errors" and not issubclass(kind, errors.SaidToAnybody):
            assert said == public_errors.SAID[kind.code.upper()]
        elif not issubclass(kind, errors.SaidToAnybody):
            assert said in public_errors.SAID.values()
    for said in public_errors.SAID.values():
        assert not re.search(r"\d|/", f"{said.sentence} {said.command}".replace(NEWEST, ""))


# -- /health of a server that serves


def test_only_an_admin_hears_from_health_where_everything_lies(site: Site) -> None:
    site.add_user("bob")
    places = {
        "database": site.settings.database_name,
        "backups": str(site.settings.backup_dir),
        "logs": str(site.settings.log_dir),
    }
    assert site.client.get("/health", headers=site.log_in("ann")).json()["places"] == places
    stranger = site.client.get("/health").json()
    assert "places" not in stranger
    assert stranger["database"] == {"state": "ready", "version": NEWEST}
    for headers in (site.log_in("bob"), {"X-API-Key": "junk"}, {"Authorization": "Basic x"}):
        answer = site.client.get("/health", headers=headers)
        assert answer.status_code == 200
        assert answer.json().keys() == stranger.keys()
