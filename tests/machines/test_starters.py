"""Servers that start at once on a database that is behind: does one upgrade it, and do all serve it then?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.machines.starters import is_right, start_at_once
from tests.postgresql import PostgreSQL, template
from tests.upgrade.on_either_engine import make_older

pytestmark = [pytest.mark.needs("postgresql"), pytest.mark.timeout(240)]


def test_of_eight_servers_exactly_one_upgrades_and_all_serve(
    postgresql_server: PostgreSQL, base_of_run: Path, tmp_path: Path
) -> None:
    """A sample; `make starters` does it a hundred times."""
    older = template(postgresql_server, "older", base_of_run, make_older)
    url = postgresql_server.create("behind", older)
    try:
        seen = start_at_once(tmp_path, url)
    finally:
        postgresql_server.drop("behind")
    assert is_right(seen), seen
