"""PostgreSQL server for tests. How does a run of the tests get one that ends with it?

All processes of a run share one server; what stops servers and crashes them has its own. Each has a folder
of its own, is run by an account that is not root, trusts everyone on this machine, and does not wait for the
disk unless asked to. It is stopped by its process id when the last process that used it has ended, however
that ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import random
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from tests.postgresql_programs import as_account, call, programs

START_SECONDS = 60
PORTS = range(20000, 32000)  # below those that the system gives away by itself

# What a server of a host would not be set to shows which code relies on its defaults.
SETTINGS = (
    "shared_buffers=32MB",
    "max_connections=200",
    "timezone=America/St_Johns",
    "datestyle=SQL,DMY",
    "autovacuum=off",
    "max_wal_size=256MB",
)

# Waits until no process has the file `users` locked any more.
STOP_AT_THE_END = """
exec 9<"$1/users" && flock 9 || exit 1
"$2/pg_ctl" -D "$1/data" -m immediate -w stop
cd / && rm -rf "$1"
"""


@dataclass
class PostgreSQL:
    """A server in a folder; `postgresql` gives one that runs."""

    folder: Path
    port: int = 0
    settings: tuple[str, ...] = ()

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def conninfo(self, database: str = "postgres") -> str:
        """What libpq connects to."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def url(self, database: str = "postgres") -> str:
        """What DATABASE_URL is."""
        return self.conninfo(database).replace("postgresql:", "postgresql+psycopg:", 1)

    def start(self, *settings: str, durable: bool = False) -> None:
        """Start it and wait until it answers; with the port and the settings that it had, if it had any."""
        self.settings = settings or self.settings
        given = [*SETTINGS, f"fsync={'on' if durable else 'off'}", *self.settings]
        for _ in range(10):
            port = self.port or free_port()
            options = ["-p", str(port), "-k", str(self.folder), "-h", "127.0.0.1"]
            words = " ".join([*options, *(f"-c {setting}" for setting in given)])
            log = self.folder / "log"
            try:
                call(
                    "pg_ctl", "-D", self.data, "-l", log, "-w", "-t", str(START_SECONDS), "-o", words, "start"
                )
            except AssertionError:
                said = log.read_text(errors="replace")
                if self.port or "Address already in use" not in said:
                    raise AssertionError(said) from None
                log.unlink()
            else:
                self.port = port
                return
        raise AssertionError("no free port in ten tries")

    def stop(self, how: Literal["smart", "fast", "immediate"] = "fast") -> None:
        """Stop it; `immediate` ends it as a crash would."""
        call("pg_ctl", "-D", self.data, "-m", how, "-w", "-t", str(START_SECONDS), "stop")

    def execute(
        self, statement: str, database: str = "postgres", parameters: Sequence[Any] = ()
    ) -> list[Any]:
        """Run a statement by itself; returns its rows."""
        import psycopg

        with psycopg.connect(self.conninfo(database), autocommit=True) as connection:
            done = connection.execute(statement.encode(), parameters or None)
            return done.fetchall() if done.description else []

    def create(self, database: str, template: str = "template0") -> str:
        """Make a database as a copy of another, and return its URL."""
        self.execute(f'CREATE DATABASE "{database}" TEMPLATE "{template}" STRATEGY file_copy')
        return self.url(database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever is connected to it."""
        self.execute(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')


def free_port() -> int:
    """A port on which no one listens now, and that no one is given who asks for any."""
    while True:
        port = random.choice(PORTS)
        with contextlib.closing(socket.socket()) as listener, contextlib.suppress(OSError):
            listener.bind(("127.0.0.1", port))
            return port


@contextlib.contextmanager
def own_server(*settings: str, durable: bool = False, parent: Path | None = None) -> Iterator[PostgreSQL]:
    """A server for one test, which may do to it what it likes."""
    folder = make_folder(parent)
    users = in_use(folder)
    try:
        server = PostgreSQL(folder)
        stop_at_the_end(folder)
        initialise(server)
        server.start(*settings, durable=durable)
        yield server
    finally:
        users.close()


@contextlib.contextmanager
def shared_server(base: Path) -> Iterator[PostgreSQL]:
    """The server that all processes of a run share; ``base`` is a folder of that run."""
    with locked(base / "postgresql.lock"):
        found = _running(base / "postgresql") or _started(base / "postgresql")
    server, users = found
    try:
        yield server
    finally:
        users.close()


def _running(link: Path) -> tuple[PostgreSQL, IO[bytes]] | None:
    """The server that another process of the run has started, and that is not about to be stopped."""
    with contextlib.suppress(OSError):
        folder = link.resolve(strict=True)
        users = in_use(folder)
        if os.fstat(users.fileno()).st_nlink:
            return PostgreSQL(folder, int((folder / "port").read_text())), users
        users.close()
    return None


def _started(link: Path) -> tuple[PostgreSQL, IO[bytes]]:
    folder = make_folder()
    users = in_use(folder)
    stop_at_the_end(folder)
    server = PostgreSQL(folder)
    initialise(server)
    server.start()
    (folder / "port").write_text(str(server.port))
    link.unlink(missing_ok=True)
    link.symlink_to(folder)
    return server, users


def make_folder(parent: Path | None = None) -> Path:
    """Make a folder for a server: of the account that runs it, with a short name for its socket."""
    folder = Path(tempfile.mkdtemp(prefix="daemon-pg-", dir=parent))
    users = folder / "users"
    users.touch()
    account = as_account()
    if account:
        for path in (folder, users):
            os.chown(path, account["user"], account["group"])
    return folder


def in_use(folder: Path) -> IO[bytes]:
    """Say that this process uses the server, until what is returned is closed. Raises OSError if it ends."""
    users = (folder / "users").open("rb")
    try:
        fcntl.flock(users, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        users.close()
        raise
    return users


def stop_at_the_end(folder: Path) -> None:
    """Leave a process behind that stops the server and removes its folder when no one uses it any more."""
    subprocess.run(
        [
            "sh",
            "-c",
            'sh -c "$0" "$@" >/dev/null 2>&1 </dev/null &',
            STOP_AT_THE_END,
            "stop",
            folder,
            programs(),
        ],
        cwd="/",
        start_new_session=True,
        check=True,
        **as_account(),
    )


def initialise(server: PostgreSQL) -> None:
    """Make the files of a new server, whose databases sort as people do and not as bytes do."""
    kept = [
        "-U",
        "postgres",
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--no-sync",
        "--no-instructions",
        "--wal-segsize=1",
    ]
    try:
        call(
            "initdb",
            "-D",
            server.data,
            *kept,
            "--locale=C.UTF-8",
            "--locale-provider=icu",
            "--icu-locale=en-US",
        )
    except AssertionError as error:
        if "ICU" not in str(error):
            raise
        call("initdb", "-D", server.data, *kept, "--locale=C.UTF-8")  # built without ICU


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock between the processes of a run."""
    with path.open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def template(server: PostgreSQL, name: str, base: Path, fill: Callable[[str], None]) -> str:
    """The name of a database to copy, filled by the first process of the run that asks: ``fill(url)``."""
    with locked(base / "postgresql-templates.lock"):
        if not server.execute("SELECT 1 FROM pg_database WHERE datname = %s", parameters=(name,)):
            unfinished = f"{name}_unfinished"
            server.drop(unfinished)
            fill(server.create(unfinished))
            server.execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
    return name
