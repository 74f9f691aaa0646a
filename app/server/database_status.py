"""Database status. Does the server serve its database now, and if not, why?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from app.upgrade.readiness import Readiness

Phase = Literal["starting", "ready", "maintenance", "upgrading", "yielding", "stopping"]


@dataclass(frozen=True)
class DatabaseStatus:
    """The phase, what the gate said of the database, and what to type about it.

    The sentence and the command are for the log: they name files. `public_errors` has those for strangers, by
    ``reason``, or else by what the gate said.
    """

    phase: Phase
    gate: str = ""
    sentence: str = ""
    command: str = ""
    version: str = ""
    progress: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""


def version_of(gate: Readiness) -> str:
    """Return what the database is, in words; `readiness` recognises only what is not simply the newest."""
    from app.upgrade.versions.releases import NEWEST

    known = gate.recognition
    return (NEWEST if gate.state == "READY" else "") if known is None else known.recorded or known.label
