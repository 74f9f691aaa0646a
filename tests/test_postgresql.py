"""PostgreSQL server for tests. Does every run get one, and is none of it there when the run has ended?"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from tests import postgresql, postgresql_programs
from tests.conftest import ROOT
from tests.postgresql import PostgreSQL

pytestmark = pytest.mark.needs("postgresql")

DEADLINE_SECONDS = 60


def test_a_run_has_one_server_and_each_test_its_database(
    postgresql_server: PostgreSQL, postgresql_database: str, base_of_run: Path
) -> None:
    with postgresql.shared_server(base_of_run) as same:
        assert same == postgresql_server
        same.execute("CREATE TABLE thing (id bigint)", postgresql_database)
    assert postgresql_server.execute("SELECT id FROM thing", postgresql_database) == []
    assert postgresql_programs.version() >= 15


def test_a_template_is_filled_once_and_copied(postgresql_server: PostgreSQL, base_of_run: Path) -> None:
    filled: list[str] = []

    def fill(url: str) -> None:
        filled.append(url)
        postgresql_server.execute("CREATE TABLE thing (id bigint)", url.rpartition("/")[2])

    name = f"template_{os.getpid()}"
    for _ in range(2):
        assert postgresql.template(postgresql_server, name, base_of_run, fill) == name
    assert len(filled) == 1
    postgresql_server.create(f"{name}_copy", name)
    assert postgresql_server.execute("SELECT id FROM thing", f"{name}_copy") == []
    for made in (name, f"{name}_copy"):
        postgresql_server.drop(made)


def test_a_server_of_ones_own_can_be_crashed(own_postgresql: PostgreSQL) -> None:
    own_postgresql.execute("CREATE TABLE thing AS SELECT 1 AS id")
    own_postgresql.stop("immediate")
    with pytest.raises(psycopg.OperationalError):
        own_postgresql.execute("SELECT id FROM thing")
    own_postgresql.start()
    assert own_postgresql.execute("SELECT id FROM thing") == [(1,)]


RUN = """
import sys, time
from pathlib import Path
from tests import postgresql, postgresql_programs
with postgresql.shared_server(Path(sys.argv[1])) as server:
    print(server.folder, server.port, flush=True)
    sys.stdin.readline()
"""


@pytest.mark.parametrize("last", [signal.SIGTERM, signal.SIGKILL], ids=["told", "killed"])
def test_nothing_is_left_when_the_last_process_of_a_run_has_ended(
    tmp_path: Path, last: signal.Signals
) -> None:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(RUN), tmp_path],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert all(process.stdout is not None for process in processes)
    said = [process.stdout.readline() for process in processes if process.stdout is not None]
    assert said[0] == said[1] != ""
    folder, port = said[0].split()
    server = PostgreSQL(Path(folder), int(port))
    processes[0].kill()
    processes[0].communicate(timeout=DEADLINE_SECONDS)
    assert server.execute("SELECT 1") == [(1,)]
    processes[1].send_signal(last)
    processes[1].communicate(timeout=DEADLINE_SECONDS)
    wait_until(lambda: not server.folder.exists())
    with pytest.raises(psycopg.OperationalError):
        server.execute("SELECT 1")


def wait_until(look: Callable[[], bool]) -> None:
    end = time.monotonic() + DEADLINE_SECONDS
    while not look():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.needs("pgbouncer")
def test_a_pooler_can_be_put_before_it(pooled_postgresql: PostgreSQL, postgresql_database: str) -> None:
    with psycopg.connect(pooled_postgresql.conninfo("pgbouncer"), autocommit=True) as console:
        shown = console.execute("SHOW CONFIG").fetchall()
    assert ("pool_mode", "transaction") in [row[:2] for row in shown]
    assert pooled_postgresql.execute("SELECT current_database()", postgresql_database) == [
        (postgresql_database,)
    ]
