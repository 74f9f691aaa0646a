"""What does a stranger see of one entry? A policy for the occasion, and its filter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from app.privacy.entry_search import search
from app.privacy.found import tree_of
from app.privacy.paths import AllowLists
from app.privacy.person_settings import DEFAULT, PersonSettings
from app.privacy.policy import make_policy
from app.privacy.rules import Rule

TODAY = date(2026, 11, 26)


def visible_view(
    data: object,
    *,
    kind: str,
    allowed: AllowLists,
    level: str,
    settings: PersonSettings = DEFAULT,
    rules: Sequence[Rule] = (),
) -> Any:
    entry_filter = make_policy(kind, allowed, settings, rules).filter_at(level, TODAY)
    return entry_filter.view(data, tree_of((one for one, _ in search(data)), lambda one: False))
