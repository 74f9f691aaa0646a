"""What do the tests of accounts stand on? An empty database of today's schema, on either engine."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import Connection

from tests.databases import Databases

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


@pytest.fixture
def connection(databases: Databases) -> Iterator[Connection]:
    """A connection to an empty database."""
    with databases.rooms() as opened:
        yield opened


@pytest.fixture
def now() -> datetime:
    """A moment."""
    return NOW
