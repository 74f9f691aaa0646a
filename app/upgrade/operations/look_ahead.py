"""Look ahead: the plan of an upgrade with all that strangers would no longer see. Writes nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.upgrade.plan import make_plan

if TYPE_CHECKING:
    from app.settings import Settings
    from app.upgrade.model import Plan


def plan_with_hidden(settings: Settings, **options: Any) -> Plan:
    """Return the plan, with what would be hidden from strangers; a rehearsal on a copy where looking is not
    enough (tables of an odd form). ``options`` are those of `make_plan`; raises what `with_hidden` raises.
    """
    made = make_plan(settings, **options)
    if made.hidden is not None:
        return made
    from app.upgrade.operations.rehearse import with_hidden  # with Alembic and SQLAlchemy

    return with_hidden(settings, made)
