"""Erasing a person, with what the search knows of their entries. What is the next step, and is one left?"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection

from app.accounts import departures
from app.entries import search_index

ROWS_OF_A_STEP = 20


def erase_step(connection: Connection, user_id: int, now: datetime) -> bool:
    """Do the next step of erasing a person whose time has come; whether there was anything left to do.

    Some hundredths of a second. An entry goes once the index of the search has nothing of the person: what is
    made anew meanwhile goes first. Writes every table that has something of them, and the ledger.
    """
    if search_index.forget_some_of(connection, user_id, ROWS_OF_A_STEP):
        return True
    return departures.erase_step(connection, user_id, now)
