"""Does ``daemon stats`` count what is there?"""

from __future__ import annotations

from tests.cli.conftest import Typed


def test_an_empty_installation_counts_nothing(typed: Typed) -> None:
    typed("init")
    assert "0 entries, 0 deleted ones, 0 accounts" in typed("stats").err
    found = typed("stats", "--json").json
    assert found["totals"]["active_entries"] == 0
    assert found["endpoints"]["ideas"] == {"active": 0, "total": 0, "deleted": 0}
