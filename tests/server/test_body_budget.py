"""Do unfinished requests share a bounded memory, and leave room for those who are known?"""

from __future__ import annotations

import pytest

from app.errors import Busy, TooLarge
from app.server import body_budget
from app.server.body_budget import BodyBudget, Intake


def fill(budget: BodyBudget, size: int, *, known: bool) -> list[Intake]:
    """Bodies of ``size`` bytes in flight, as many as are taken."""
    taken: list[Intake] = []
    while len(taken) < 10_000:
        intake = Intake(budget, size)
        if known:
            intake.has_known_sender()
        try:
            for begin in range(0, size, 65_536):
                intake.take(b"x" * min(65_536, size - begin))
        except Busy:
            intake.let_go()
            return taken
        taken.append(intake)
    pytest.fail("no end of bodies was taken")


def test_bodies_in_flight_share_a_budget_and_give_it_back() -> None:
    budget = BodyBudget(5_242_880)
    taken = fill(budget, 5_242_880, known=True)
    assert 2 <= len(taken) <= 6
    assert budget.known.held_bytes <= body_budget.KNOWN_BYTES
    for each in taken:
        each.let_go()
    assert budget.known.held_bytes == 0
    assert len(fill(budget, 5_242_880, known=True)) == len(taken)


def test_large_bodies_keep_no_small_one_out_and_strangers_nobody_else() -> None:
    budget = BodyBudget(5_242_880)
    fill(budget, 65_536, known=False)
    Intake(budget, 65_536).take(b"username=ann&password=" + b"x" * 100)
    known = Intake(budget, 5_242_880)
    known.has_known_sender()
    known.take(b"x" * 5_242_880)
    assert budget.anonymous.held_bytes <= body_budget.ANONYMOUS_BYTES


def test_one_body_of_the_largest_size_is_taken_whatever_that_is() -> None:
    budget = BodyBudget(2**26)
    alone = Intake(budget, 2**26)
    alone.has_known_sender()
    for _ in range(2**26 // 2**18):
        alone.take(b"x" * 2**18)
    with pytest.raises(TooLarge):
        alone.take(b"x")


def test_pieces_of_one_byte_cost_what_they_take_to_hold() -> None:
    intake = Intake(BodyBudget(5_242_880), 5_242_880)
    for _ in range(1000):
        intake.take(b"x")
    assert intake._share.held_bytes >= 1000 * 60
    intake.let_go()
    assert intake._share.held_bytes == 0


def test_what_came_before_the_sender_was_known_moves_to_the_other_share() -> None:
    budget = BodyBudget(5_242_880)
    intake = Intake(budget, 5_242_880)
    intake.take(b"x" * 1000)
    intake.has_known_sender()
    assert budget.anonymous.held_bytes == 0
    assert budget.known.held_bytes >= 1000
