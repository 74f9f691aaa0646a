"""Erasing people whose time has come (background job). Who is erased now, how far, and when is it done?

Step by step, each a short transaction; what is left to do is seen in the database, so that a process that was
killed leaves nothing half done for long: the next look of any process goes on.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from app import clock, log
from app.accounts import departure_rows

if TYPE_CHECKING:
    from app.server.database_supervisor import DatabaseSupervisor
    from app.server.scrubbing import Scrubbing

LOOK_SECONDS = 0.3  # of the server's time, before it does something else
PEOPLE_OF_A_LOOK = 5

_log = log.get_logger(__name__)


class Departing:
    """Erases people, a fraction of a second at a time."""

    def __init__(self, supervisor: DatabaseSupervisor, scrubbing: Scrubbing) -> None:
        self._supervisor = supervisor
        self._scrubbing = scrubbing

    def look(self) -> None:
        """Do some steps for whoever is due. Writes every table that has something of them."""
        if not self._supervisor.is_mine("departures"):
            return
        with self._supervisor.reading() as connection:
            due = departure_rows.find_due(connection, clock.now(), PEOPLE_OF_A_LOOK)
        until = time.monotonic() + LOOK_SECONDS
        is_done = [self._go_on(user_id, until) for user_id in due]
        if any(is_done):
            _log.info("People who left are erased.", extra={"count": sum(is_done)})
            self._scrubbing.scrub()

    def _go_on(self, user_id: int, until: float) -> bool:
        """Do steps until then, or until nothing is left; whether the person is erased with that."""
        from app.accounts import departures  # with all that erasing needs: where someone leaves
        from app.entries import leaving

        while True:
            with self._supervisor.writing() as connection:
                is_more = leaving.erase_step(connection, user_id, clock.now())
                if not is_more:
                    return departures.finish(connection, user_id, clock.now())
            if time.monotonic() > until:
                return False
