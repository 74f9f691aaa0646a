"""PostgreSQL replication for tests (streaming standby). How does a test get a primary with a standby?"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from tests.postgresql import PostgreSQL, in_use, make_folder, own_server, stop_at_the_end
from tests.postgresql_programs import call
from tests.web.conftest import wait_until

STANDBY = "standby"  # how it calls itself, for synchronous_standby_names


@contextlib.contextmanager
def replicated(*settings: str, parent: Path | None = None) -> Iterator[tuple[PostgreSQL, PostgreSQL]]:
    """A primary and a standby that streams from it, both of which a test may do to what it likes."""
    with (
        own_server("wal_keep_size=64MB", *settings, parent=parent) as primary,
        standby_of(primary, parent) as standby,
    ):
        yield primary, standby


@contextlib.contextmanager
def standby_of(primary: PostgreSQL, parent: Path | None = None) -> Iterator[PostgreSQL]:
    """A standby that streams from ``primary``, as its files are now; it has caught up."""
    folder = make_folder(parent)
    users = in_use(folder)
    try:
        stop_at_the_end(folder)
        standby = PostgreSQL(folder)
        copy(primary, standby)
        standby.start()
        wait_until(lambda: is_streaming(primary), "the standby does not stream")
        yield standby
    finally:
        users.close()


def copy(primary: PostgreSQL, standby: PostgreSQL) -> None:
    """Make the files of a standby from a running primary."""
    source = f"host=127.0.0.1 port={primary.port} user=postgres application_name={STANDBY}"
    call("pg_basebackup", "-D", standby.data, "-d", source, "-R", "-X", "stream", "-c", "fast", "--no-sync")


def is_streaming(primary: PostgreSQL) -> bool:
    """Whether a standby has all that the primary has written."""
    query = "SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming' AND replay_lsn >= %s::pg_lsn"
    ((written,),) = primary.execute("SELECT pg_current_wal_lsn()::text")
    return bool(primary.execute(query, parameters=(written,))[0][0])


def make_synchronous(primary: PostgreSQL, names: str = STANDBY) -> None:
    """Let a commit wait until the standbys ``names`` have it; "" lets it wait for none."""
    primary.execute(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
    primary.execute("SELECT pg_reload_conf()")
    if names:
        query = "SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum')"
        wait_until(lambda: primary.execute(query)[0][0], "the standby is not synchronous")


def promote(standby: PostgreSQL) -> None:
    """Make a standby the primary."""
    assert standby.execute("SELECT pg_promote(true, 60)")[0][0]


def url_of(*servers: PostgreSQL, database: str = "postgres") -> str:
    """A DATABASE_URL that names every server, of which the one that takes writes is used."""
    hosts = ",".join(f"127.0.0.1:{server.port}" for server in servers)
    return f"postgresql+psycopg://postgres@{hosts}/{database}?target_session_attrs=read-write"
