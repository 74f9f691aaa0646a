"""Checkpoint when idle (WAL). When is what stands in the log folded into the file of the database?

Once nothing was committed for a while; at the end of the server the closing of the database does it. So the
file alone is whole while no one writes, should its owner copy it all the same.
"""

from __future__ import annotations

from app.server.database_supervisor import DatabaseSupervisor


class IdleCheckpoint:
    """Asked every now and then; folds once for each state of the database that lasted so long."""

    def __init__(self, supervisor: DatabaseSupervisor) -> None:
        self._supervisor = supervisor
        self._seen = -1
        self._folded = -1

    def look(self) -> None:
        """Fold the log where no one has committed since the last look; raises DaemonErrors."""
        found = self._supervisor.generation()
        if found == self._seen and found not in (-1, self._folded):
            self._supervisor.checkpoint()
            self._folded = self._supervisor.generation()
        self._seen = self._supervisor.generation()
