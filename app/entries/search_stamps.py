"""Stamps of the search index. Of what was a row made, and is that what it would be made of now?

Settings, rules, words, releases, kinds and texts are changed without a look at the rows: a row whose stamp is
another than that of now is not found until it is made again. So no change costs more for it, whoever makes
it, and none can be forgotten.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from app import __version__, clock
from app.entries.findings import set_version
from app.entries.policies import Policies
from app.entries.row_types import StrangersRow
from app.privacy.policy import Policy

VERSION = 2
"""Of what the rows are made like: another one makes all of them stale."""

STAMP_HALF = 16  # characters: of the policy, and as many of the entry


def policy_stamp(policy: Policy, words_generation: int, level: str, ceiling: str) -> str:
    """Return the first half of a row's stamp for strangers; of today, where views change with the day."""
    day = None if policy.settings.show_current_company else clock.now().date()
    return _policy_stamp(policy, words_generation, level, ceiling, day)


@lru_cache(maxsize=1_024)
def _policy_stamp(policy: Policy, words_generation: int, level: str, ceiling: str, day: date | None) -> str:
    return half((VERSION, __version__, set_version(), policy.digest, words_generation, level, ceiling, day))


def entry_stamp(row: StrangersRow, policies: Policies) -> str:
    """Return the second half: of the text, what was found in it and what of that is released."""
    return half(
        (row[3:-1], type(row.data).__name__, policies.releases_of(row.created_by_id).touching(row.id))
    )


def own_stamp(row: Any) -> str:
    """Return the stamp of the row of what its owner sees."""
    return half((VERSION, __version__, row.endpoint_id)) + half((row.data, row.created_at, row.created_by_id))


def whole_stamp(ceiling: str) -> str:
    """Return what is kept in search_stamps once every entry has its rows."""
    return half((VERSION, "whole", ceiling)) * 2


def half(made_of: object) -> str:
    return blake2b(repr(made_of).encode("utf-8", "surrogatepass"), digest_size=STAMP_HALF // 2).hexdigest()
