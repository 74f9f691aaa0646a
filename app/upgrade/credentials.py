"""What of its secret, tokens and API keys should the owner know when a database is upgraded?"""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.upgrade.releases import version_key
from app.upgrade.state import Plan, Problem, Recognition

if TYPE_CHECKING:
    from app.settings import Settings

PUBLISHED_SECRET = "published_secret"
LIMITED_SINCE = "0.4.0"  # published secrets and old tokens are refused, and keys read only, from here on
AFTERWARDS = (
    "It is used no more, and every token from before ends: people log in again once. Whoever is an admin "
    "there (daemon user list), and what was changed, is worth a look."
)


def about_secret(settings: Settings, known: Recognition) -> Problem | None:
    """Return what is to be said of the secret that an earlier server signed with, as far as `.env` tells."""
    if settings.secret_key is not None or not _is_of_an_earlier_server(known):
        return None
    if settings.was_secret_known:
        how = (
            "with a SECRET_KEY that was published or is easily guessed: whoever knows it could be anybody "
            "there, an admin too."
        )
        return Problem(PUBLISHED_SECRET, f"As far as .env tells, this installation ran {how}", AFTERWARDS)
    if known.recorded is None and known.in_history is None:
        how = (
            "without a SECRET_KEY of its own. The old server then signed with the published one that every "
            "copy of it had: whoever knows that could be anybody there, an admin too."
        )
        return Problem(PUBLISHED_SECRET, f"As far as .env tells, this installation ran {how}", AFTERWARDS)
    return None


def notes_of(plan: Plan) -> list[str]:
    """Return the sentences of the upgrade's report about what lets people in."""
    notes = [f"{found.message} {found.hint}" for found in plan.warnings if found.code == PUBLISHED_SECRET]
    if not notes and plan.current.recorded is None:
        notes.append("Tokens of the old server are taken no more: people log in again once.")
    return notes


def _is_of_an_earlier_server(known: Recognition) -> bool:
    at = known.recorded or known.in_history
    return known.kind == "daemon" and (at is None or version_key(at) < version_key(LIMITED_SINCE))
