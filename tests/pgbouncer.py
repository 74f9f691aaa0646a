"""PgBouncer for tests. How does a test put a connection pooler in front of its server?"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from tests.postgresql import PostgreSQL, free_port
from tests.postgresql_programs import as_account

DEADLINE_SECONDS = 60
SETTINGS = """
[databases]
* = host=127.0.0.1 port={server_port} user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = {mode}
max_client_conn = 200
default_pool_size = 20
ignore_startup_parameters = extra_float_digits,options
"""


@contextlib.contextmanager
def pooled(
    server: PostgreSQL, mode: Literal["session", "transaction", "statement"] = "transaction"
) -> Iterator[PostgreSQL]:
    """The server as seen through a PgBouncer; only for its addresses, and not to be stopped."""
    account = as_account()
    with tempfile.TemporaryDirectory(prefix="daemon-pgbouncer-") as name:
        folder, port = Path(name), free_port()
        settings = folder / "pgbouncer.ini"
        settings.write_text(SETTINGS.format(server_port=server.port, port=port, mode=mode))
        if account:
            os.chown(folder, account["user"], account["group"])
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(
                ["/usr/sbin/pgbouncer", settings], stdin=subprocess.DEVNULL, stdout=log, stderr=log, **account
            )
        through = PostgreSQL(folder, port)
        try:
            _wait_for(through, process)
            yield through
        finally:
            process.kill()
            process.wait()


def _wait_for(through: PostgreSQL, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    end = time.monotonic() + DEADLINE_SECONDS
    while True:
        try:
            through.execute("SELECT 1")
        except psycopg.OperationalError:
            said = (through.folder / "log").read_text()
            assert process.poll() is None, said
            assert time.monotonic() < end, said
            time.sleep(0.05)
        else:
            return
