"""Does ``daemon user storage`` tell and change how much people may store?"""

from __future__ import annotations

from tests.cli.conftest import Typed
from tests.cli.test_user import PASSWORD


def test_limits_are_told_set_and_taken_back(typed: Typed) -> None:
    typed("init")
    typed("user", "create", "ann", "--admin", "--password-stdin", stdin=PASSWORD + "\n")
    typed("user", "create", "ben", "--password-stdin", stdin=PASSWORD + "\n")
    assert "may store 50000 entries and 500000000 bytes" in typed("user", "storage", "ben").out
    typed("user", "storage", "--everyone", "--entries", "10")
    assert "may store 10 entries and 7 bytes" in typed("user", "storage", "ben", "--bytes", "7").out
    assert typed("user", "storage", "ben", "--reset", "--json").json["most_bytes"] == 500_000_000
    assert "Everyone may store 10 entries" in typed("user", "storage", "--everyone").out
    for odd in ((), ("ben", "--everyone"), ("ben", "--entries", "-1"), ("nobody",)):
        assert typed("user", "storage", *odd, status=None).status in (1, 2)
