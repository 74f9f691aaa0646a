"""Privacy levels. Which are there, and which of two shows less?

The levels are a partial order, least shown at the bottom:

          public_full
          /         \\
    professional   ai_safe
          \\         /
         business_card

`professional` and `ai_safe` cannot be compared; where both bind, only what both show is shown. Such a
meeting is written ``ai_safe+professional``: a level that the arithmetic can answer, and that no one can
ask for.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache, reduce

from app.errors import UnknownLevel


@dataclass(frozen=True)
class Level:
    """One privacy level: which tiers of a kind's allow-list it shows, and what it hides of those.

    ``below`` names the levels directly above it: whatever this level shows, they show too.
    ``tiers`` are the groups of paths of a kind file that are shown; ``without`` names groups of
    sensitive words of fields.py that are hidden besides those hidden everywhere; ``masks`` names rows of
    masks.py.
    """

    name: str
    title: str
    below: tuple[str, ...]
    tiers: tuple[str, ...]
    without: tuple[str, ...]
    masks: tuple[str, ...]


_ALWAYS_MASKED = ("social_security", "card_number", "bank_account", "secret", "home_mail", "private_fact")
_STRICTLY_MASKED = (*_ALWAYS_MASKED, "mail", "phone", "network")

CONTACT_MASKS = ("mail", "phone", "network")
"""What these find in free text is hidden at every level until its owner releases it (`filter`)."""

LEVELS: dict[str, Level] = {
    level.name: level
    for level in (
        Level(
            name="business_card",
            title="Name, role and the public ways to reach the person; nothing else",
            below=("professional", "ai_safe"),
            tiers=("business_card",),
            without=("personal",),
            masks=(*_STRICTLY_MASKED, "mail_field"),
        ),
        Level(
            name="professional",
            title="What a colleague or recruiter may read",
            below=("public_full",),
            tiers=("business_card", "professional"),
            without=("personal",),
            masks=_STRICTLY_MASKED,
        ),
        Level(
            name="ai_safe",
            title="What an assistant may read",
            below=("public_full",),
            tiers=("business_card", "professional", "public_full"),
            without=("personal",),
            masks=_STRICTLY_MASKED,
        ),
        Level(
            name="public_full",
            title="Everything that strangers may see at all",
            below=(),
            tiers=("business_card", "professional", "public_full"),
            without=(),
            masks=_ALWAYS_MASKED,
        ),
    )
}

NAMES = tuple(LEVELS)
MOST_OPEN = "public_full"
STRICTEST = "business_card"
FOR_ASSISTANTS = "ai_safe"
_MEETINGS_KEPT = 256


def known(level: str) -> str:
    """Return the level as it is; raises UnknownLevel for a name that no level has."""
    if level not in LEVELS:
        raise UnknownLevel(
            f"There is no privacy level {level[:40]!r}.",
            hint=f"The levels are {', '.join(NAMES)}.",
            levels=NAMES,
        )
    return level


def members(level: str) -> tuple[str, ...]:
    """Return the named levels that bind at this level: one, or those of a meeting; raises UnknownLevel."""
    return tuple(known(name) for name in level.split("+"))


def at_most(one: str, other: str) -> bool:
    """Whether level ``one`` shows at most what level ``other`` shows."""
    return all(any(_below(mine, theirs) for mine in members(one)) for theirs in members(other))


@lru_cache(maxsize=_MEETINGS_KEPT)
def meet(one: str, other: str) -> str:
    """Return the most open level that shows at most what either shows."""
    names = set(members(one)) | set(members(other))
    strictest = sorted(name for name in names if not any(_below(less, name) for less in names - {name}))
    return "+".join(strictest)


def effective_level(asked: str | None, *ceilings: str | None) -> str:
    """Return the level at which a stranger is answered: what was asked for, under every ceiling there is.

    ``asked`` None means "as much as there is". A ceiling of None is no ceiling. Raises UnknownLevel for an
    unknown ``asked``, or an unknown ceiling.
    """
    bounds: Iterable[str] = (
        known(asked) if asked is not None else MOST_OPEN,
        *(c for c in ceilings if c is not None),
    )
    return reduce(meet, bounds, MOST_OPEN)


def _below(one: str, other: str) -> bool:
    return one == other or any(_below(above, other) for above in LEVELS[one].below)


ANSWERED = tuple(dict.fromkeys((*NAMES, *(meet(one, other) for one in NAMES for other in NAMES))))
"""Every level at which strangers can be answered: those that have a name, and meetings of two."""
