"""Parsed files. How long is what was read of the project's files held? For the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.house import sources


@pytest.fixture(scope="package", autouse=True)
def _trees_are_forgotten() -> Iterator[None]:
    """What they hold would be walked at each later collection of garbage."""
    yield
    sources.forget()
