"""Planned writes of a command. How does it hold up a server that runs for as little time as can be?"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.database import Database

PLANS_MOST = 3

P = TypeVar("P")
T = TypeVar("T")


def write_planned(
    database: Database, plan: Callable[[Connection], P], write: Callable[[Connection, P], T]
) -> T:
    """Return what ``write`` returns, given what ``plan`` returned for the same state of the database.

    It is planned again where anyone has written meanwhile, and at last while no one else can.
    """
    for _ in range(PLANS_MOST):
        known = database.generation()
        with database.reading() as connection:
            planned = plan(connection)
        with database.writing() as connection:
            if database.generation() == known:
                return write(connection, planned)
    with database.writing() as connection:
        return write(connection, plan(connection))
