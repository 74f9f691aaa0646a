"""Does the next version work? Two made-up ones, walked from every version and every old database."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.upgrade.versions.releases import FIRST_ON_SERVERS, SCHEMA_VERSIONS
from tests.databases import outside
from tests.postgresql import PostgreSQL
from tests.upgrade.driving import fresh, upgrade
from tests.upgrade.next_version import REVISIONS, THE_OWNERS, VERSIONS, make_application
from tests.upgrade.old_databases import MIXTURES, NAMES, build
from tests.upgrade.places import execute, put, value

WALK = Path(__file__).parent / "next_version" / "walk.py"
OWN = [row.version for row in SCHEMA_VERSIONS]
OLD = [
    "layout_a",
    "layout_b",
    "second_shape",
    "third_shape",
    "fourth_shape",
    "validation_status",
    "odd_texts",
    "orphans",
    *list(MIXTURES)[::40],
]


MINE_ON_A_SERVER = (
    'INSERT INTO data_entries (id, endpoint_id, data, is_active) VALUES (1, 3, \'{"content": "mine"}\', 1)'
)


@pytest.fixture(scope="session")
def application(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The application with two versions more."""
    return make_application(tmp_path_factory.mktemp("next"))


def test_the_old_ones_that_are_walked_are_there() -> None:
    assert set(OLD) <= {*NAMES, *MIXTURES}


@pytest.mark.sweep
@pytest.mark.parametrize("version", OWN)
def test_from_each_version_of_our_own(version: str, application: Path, tmp_path: Path) -> None:
    path = tmp_path / "home" / "data" / "daemon.db"
    path.parent.mkdir(parents=True)
    if version == OWN[-1]:
        fresh(path)
    else:
        path.touch()
        upgrade(path, version)
    own = 'INSERT INTO data_entries (endpoint_id, data, is_active) VALUES (3, \'{"content": "mine"}\', 1)'
    execute(path, own, *THE_OWNERS)
    found = walked(application, tmp_path / "home")
    later = [row.revision for row in SCHEMA_VERSIONS if row.version > version]
    assert found["check"]["steps"] == ["names_taken", *later, *REVISIONS]
    assert found["check"]["recorded"] == version
    judge(found)


@pytest.mark.sweep
@pytest.mark.needs("postgresql")
@pytest.mark.parametrize("version", [version for version in OWN if version >= FIRST_ON_SERVERS])
def test_from_each_version_on_a_server(
    version: str,
    application: Path,
    tmp_path: Path,
    postgresql_server: PostgreSQL,
    postgresql_database: str,
) -> None:
    url = postgresql_server.url(postgresql_database)
    upgrade(url, version)
    folder = tmp_path / "home"
    (folder / "data").mkdir(parents=True)
    (folder / "url").write_text(url)
    with outside(url) as connection:
        for statement in (MINE_ON_A_SERVER, *THE_OWNERS):
            connection.execute(text(statement))
    try:
        found = walked(application, folder)
    finally:
        for (name,) in postgresql_server.execute("SELECT datname FROM pg_database"):
            if str(name).startswith(f"{postgresql_database}_"):
                postgresql_server.drop(name)
    assert found["check"]["recorded"] == version
    judge(found)


@pytest.mark.sweep
@pytest.mark.parametrize("name", OLD)
def test_from_each_old_form(name: str, application: Path, tmp_path: Path) -> None:
    path = tmp_path / "home" / "data" / "daemon.db"
    build(name, path)
    make_the_owners(path)
    judge(walked(application, tmp_path / "home"))


@pytest.mark.sweep
def test_from_each_genuine_one(legacy_database: Path, application: Path, tmp_path: Path) -> None:
    path = tmp_path / "home" / "data" / "daemon.db"
    put(legacy_database, path)
    make_the_owners(path)
    judge(walked(application, tmp_path / "home"))


@pytest.mark.parametrize("name", ["layout_a", "second_shape", "of our own"])
def test_a_server_of_the_next_version_upgrades_at_its_start_and_serves(
    name: str, application: Path, tmp_path: Path
) -> None:
    path = tmp_path / "data" / "daemon.db"
    path.parent.mkdir()
    if name == "of our own":
        fresh(path)
    else:
        build(name, path)
    make_the_owners(path)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "PYTHONPATH": str(application), "PORT": str(port)}
    command = [sys.executable, "-m", "app.cli", "serve"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            health = first_answer(server, f"http://127.0.0.1:{port}/health")
        finally:
            server.terminate()
            _, said = server.communicate(timeout=60)
    assert (health["status"], health["database"]["version"]) == ("healthy", VERSIONS[-1]), said


def first_answer(server: subprocess.Popen[str], address: str) -> dict[str, Any]:
    """What a server that serves says of itself; waits until it does."""
    ends = time.monotonic() + 60
    while time.monotonic() < ends and server.poll() is None:
        with contextlib.suppress(OSError), urllib.request.urlopen(address, timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
        time.sleep(0.1)
    raise AssertionError(f"the server does not serve; it ended with {server.poll()}")


def make_the_owners(path: Path) -> None:
    """Let the owner have used the names, as far as there are tables for them."""
    if value(path, "SELECT count(*) FROM sqlite_master WHERE name = 'data_entries'") == 0:
        execute(path, *(statement for statement in THE_OWNERS if "data_entries" not in statement))
    else:
        execute(path, *THE_OWNERS)


def walked(application: Path, folder: Path) -> dict[str, Any]:
    """What happened to the database in ``folder`` under the application with the later versions."""
    environment = {**os.environ, "PYTHONPATH": str(application), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, str(WALK), str(folder)],
        cwd=application,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def judge(found: dict[str, Any]) -> None:
    """Compare what happened with what an owner may expect, whatever the database was before."""
    done = ["done", 0, ""]
    newest = VERSIONS[-1]
    assert found["check"]["exit_code"] == 10, found["check"]
    assert found["gate before"] == "BEHIND"
    assert found["straight"] == done
    at_newest = {"exit_code": 0, "recorded": newest, "exact": True, "steps": [], "blockers": []}
    for moment in ("after", "after force"):
        assert found[moment].items() >= at_newest.items(), moment
        assert not {"tags", "labels", "data_entries.note"} & set(found[moment]["extras"]), (
            "ours are no extras"
        )
        assert {"owner_tags", "owner_labels"} <= set(found[moment]["extras"])
    judge_rows(found["rows"])
    assert found["gate after"] == "READY"
    assert found["again"][0] == "nothing_to_do"
    assert found["forced"] == done
    for stop in found["targets"]:
        assert stop["ended"][1] == 0, stop
        assert (stop["blockers"], stop["whole"]) == ([], True), stop
        assert stop["recorded"] == stop["restored"], stop
        assert stop["recorded"] == stop["target"] or stop["ended"][0] == "nothing_to_do", stop
    judge_repair(found["repair"], at_newest)
    assert found["rollback"]["back"] == done
    assert found["rollback"]["at"]["recorded"] == VERSIONS[0]
    assert found["rollback"]["at"]["exit_code"] == 10
    assert found["rollback"]["by itself"] is False, "after a rollback the server waits"
    assert found["rollback"]["up"] == done
    assert found["rollback"]["after"].items() >= at_newest.items()
    assert found["served"] == {
        "gate": "BEHIND",
        "allowed": True,
        "why": found["served"]["why"],
        "ended": done,
        "gate after": "READY",
    }


def judge_rows(rows: dict[str, Any]) -> None:
    assert rows["tags"] == [["garden", "green"], ["work", "grey"]]
    assert rows["mine"] == rows["entries"], "the owner's column went with its name, and every value with it"
    assert rows["view"] == [[2]]
    if rows["entries"] != [[0]]:
        assert rows["notes"] == [["from 9.8.0, seen by 9.9.0"]]
    assert rows["description"] in ([["Ideas, as of 9.8.0"]], [])


def judge_repair(repair: dict[str, Any], at_newest: dict[str, Any]) -> None:
    for moment in ("drift", "drift again"):
        assert (repair[moment]["exit_code"], repair[moment]["recorded"]) == (11, None), repair
    assert repair["refused"][:2] == ["refused", 11]
    assert repair["repaired"] == repair["forced"] == repair["rolled back"] == ["done", 0, ""]
    assert repair["after"].items() >= at_newest.items()
    assert repair["after force"].items() >= at_newest.items()


def test_what_is_typed_leads_there_too(application: Path, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    path = fresh(tmp_path / "data" / "daemon.db")
    environment = {**os.environ, "PYTHONPATH": str(application), "PYTHONDONTWRITEBYTECODE": "1"}

    def typed(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, *words],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    checked = typed("-m", "app.cli", "upgrade", "check")
    assert (checked.returncode, "An upgrade to 9.9.0 is pending: 2 steps" in checked.stdout) == (10, True)
    assert typed("-m", "app.cli", "upgrade", "run", "--target", VERSIONS[0]).returncode == 0
    assert value(path, "SELECT max(version) FROM database_versions") == VERSIONS[0]
    assert typed("-m", "app.cli", "upgrade", "run", "--repair").returncode == 0
    assert value(path, "SELECT max(version) FROM database_versions") == VERSIONS[1]
    again = typed("-m", "app.cli", "upgrade", "check")
    assert (again.returncode, "nothing to do" in again.stdout.lower()) == (0, True)
