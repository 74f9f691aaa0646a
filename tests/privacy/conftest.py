"""What does every test of the filter use? The allow-lists of the kinds, and views at a level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import pytest

from app.entries import kinds
from app.privacy.paths import AllowLists
from app.privacy.person_settings import DEFAULT, PersonSettings
from app.privacy.rules import Rule
from tests.privacy.views import visible_view


class ViewOf(Protocol):
    """`view_of("resume", entry, "professional")`: what a stranger sees."""

    def __call__(
        self,
        kind: str,
        data: object,
        level: str = "public_full",
        settings: PersonSettings = DEFAULT,
        rules: Sequence[Rule] = (),
        schema: str = "{}",
    ) -> Any: ...


def lists_of(kind: str, schema: str = "{}") -> AllowLists:
    return kinds.allow_lists_of(kind, None if kind in kinds.built_in() else schema)


@pytest.fixture(scope="session")
def view_of() -> ViewOf:
    def view(
        kind: str,
        data: object,
        level: str = "public_full",
        settings: PersonSettings = DEFAULT,
        rules: Sequence[Rule] = (),
        schema: str = "{}",
    ) -> Any:
        allowed = lists_of(kind, schema)
        return visible_view(data, kind=kind, allowed=allowed, level=level, settings=settings, rules=rules)

    return view
