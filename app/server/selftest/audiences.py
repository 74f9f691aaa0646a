"""Audiences (self-test). Who asks, with which credentials, as whom, and at which levels?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from app.privacy.levels import NAMES, STRICTEST
from app.server.selftest import papers
from app.server.selftest.plant import ADMIN, OPEN, OTHER, Planted

ASSISTANT = {"user-agent": "GPTBot/1.2 (self-test)"}


@dataclass(frozen=True)
class Audience:
    """Who asks: with which headers, as whom, and which levels are asked for."""

    name: str
    headers: Mapping[str, str]
    owner_id: int | None = None
    is_assistant: bool = False
    levels: tuple[str | None, ...] = (None,)
    ceiling: str | None = None  # of a key that reads what strangers see at this level at most

    @property
    def has_credential(self) -> bool:
        """Whether it says who it is."""
        return bool({"authorization", "x-api-key"} & set(self.headers))


def audiences_of(planted: Planted) -> list[Audience]:
    """Return who asks; owners first, so that a wrongly kept answer of theirs is found by strangers."""
    people, headers = planted.people, planted.headers
    own, every = people[OPEN].id, (None, *NAMES)
    return [
        Audience("its owner", headers[OPEN], own, levels=(None, "public_full")),
        Audience("a key of its owner that reads", headers[f"{OPEN}'s key that reads"], own),
        Audience("a key of its owner that writes", headers[f"{OPEN}'s key that writes"], own),
        Audience("a key of its owner that reads one kind", headers[f"{OPEN}'s key of a kind"], own),
        Audience(
            "a key of its owner that reads at one level",
            headers[f"{OPEN}'s key of a level"],
            ceiling=STRICTEST,
        ),
        Audience("a stranger", {}, levels=every),
        Audience("a stranger who asks again", {}),
        Audience("an assistant", ASSISTANT, is_assistant=True, levels=(None, "professional")),
        Audience("someone else", headers[OTHER], people[OTHER].id),
        Audience("someone else's key that reads", headers[f"{OTHER}'s key that reads"], people[OTHER].id),
        Audience("someone else's key that writes", headers[f"{OTHER}'s key that writes"], people[OTHER].id),
        Audience("a key of an admin", headers[f"{ADMIN}'s key that writes"], people[ADMIN].id),
    ]


def asking_for_paper(planted: Planted, target: str) -> list[Audience]:
    """Return who asks for a PDF: each sort of audience once, a stranger at every level; of others a stranger.

    Each takes a process about a second. The page of which it is set is asked by everyone at every level.
    """
    everyone = audiences_of(planted)
    if target == papers.SUFFIX:  # of a server of one person: here there is none
        return everyone
    strangers = [one for one in everyone if one.name == EVERY_LEVEL]
    if target != f"/@{planted.people[OPEN].username}{papers.SUFFIX}":
        return [replace(one, levels=(None,)) for one in strangers]
    found = [one for one in everyone if one.name in (EVERY_LEVEL, *ONCE)]
    return [one if one in strangers else replace(one, levels=one.levels[:1]) for one in found]


EVERY_LEVEL = "a stranger"
ONCE = (
    *("its owner", "a key of its owner that reads", "a key of its owner that reads one kind"),
    *("a key of its owner that reads at one level", "a stranger who asks again", "an assistant"),
    *("someone else", "a key of an admin"),
)
