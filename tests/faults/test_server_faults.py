"""Faults of a database server. Is there the old state or the new one, whatever breaks, and when?"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import SWEEP_FIRST
from tests.faults.server_faults import OPERATIONS, sweep
from tests.faults.server_operations import REFERENCE

pytestmark = pytest.mark.needs("postgresql")

MOST = {"writes": 12, "upgrade": 4, "restore": 4, "backup": 3, "move": 3, "move back": 3}
MOST |= {"undo": 3, "undo back": 3}
IN_TURN = ("backup", "move", "move back", "undo", "undo back")  # one of them each day


@pytest.mark.parametrize(
    "operation",
    [pytest.param(name, marks=pytest.mark.sweep if name in IN_TURN else ()) for name in MOST],
)
def test_a_fault_leaves_the_old_state_or_the_new_one(operation: str, tmp_path: Path) -> None:
    findings = sweep(operation, most=MOST[operation], first=SWEEP_FIRST, work=tmp_path)
    assert findings.wrong == []
    assert findings.points >= MOST[operation]


def test_every_operation_is_swept() -> None:
    assert set(MOST) == set(OPERATIONS) - {REFERENCE}


def test_what_commits_statement_by_statement_is_caught(tmp_path: Path) -> None:
    """The sweep can see a third state: here the audit line is not in the transaction of its entry."""
    findings = sweep(REFERENCE, every=13, work=tmp_path)
    assert any("in the audit" in wrong for wrong in findings.wrong)
