"""A sample of the sweep: no point leaves a third state, and an engine without a transaction is caught."""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.faults.sweep import sweep

# One point in so many; the whole sweep is `make sweep`. The first one moves from run to run, and is printed.
EVERY = int(os.environ.get("DAEMON_SWEEP_EVERY", "17"))
LEAST_POINTS = 6
PERSONS_POINTS = 8
POINTS_OF_MANY = 4
SERVED_POINTS = 2  # a server is started twice for each

pytestmark = pytest.mark.needs("strace")


@pytest.mark.parametrize("operation", ["upgrade", "backup", "restore"])
def test_a_fault_leaves_the_old_state_or_the_new_one(operation: str, tmp_path: Path) -> None:
    first = random.randrange(EVERY)
    findings = sweep(operation, every=EVERY, first=first, least=LEAST_POINTS, work=tmp_path / "sweep")
    print(f"{operation}: of every {EVERY} one, from {first}: {findings.points}, {dict(findings.states)}")
    assert findings.points >= LEAST_POINTS
    assert findings.wrong == []


@pytest.mark.parametrize("operation", ["bulk", "import"])
def test_many_entries_at_once_are_there_with_all_that_is_theirs_or_none_is(
    operation: str, tmp_path: Path
) -> None:
    most = None if EVERY == 1 else POINTS_OF_MANY
    findings = sweep(operation, most=most, work=tmp_path / "sweep")
    print(f"{operation}: {findings.points} points, {dict(findings.states)}")
    assert findings.points >= POINTS_OF_MANY
    assert findings.wrong == []


def test_a_person_whose_erasing_is_cut_off_is_erased_by_who_goes_on(tmp_path: Path) -> None:
    most = None if EVERY == 1 else PERSONS_POINTS
    findings = sweep("erase-person", most=most, work=tmp_path / "sweep")
    print(f"erase-person: {findings.points} points, {dict(findings.states)}")
    assert findings.points >= PERSONS_POINTS
    assert findings.wrong == []


@pytest.mark.parametrize("operation", ["serve", "serve-wal"])
def test_what_a_server_answered_is_there_and_all_else_whole_or_absent(operation: str, tmp_path: Path) -> None:
    most = None if EVERY == 1 else SERVED_POINTS
    findings = sweep(operation, most=most, work=tmp_path / "sweep")
    print(f"{operation}: {findings.points} points, {dict(findings.states)}")
    assert findings.points >= SERVED_POINTS
    assert findings.wrong == []


def test_an_engine_that_commits_statement_by_statement_is_caught(tmp_path: Path) -> None:
    findings = sweep("statement-by-statement", every=EVERY, work=tmp_path / "sweep")
    third = [state for state in findings.states.elements() if state not in ("old", "new")]
    assert len(third) > findings.points * 0.4
