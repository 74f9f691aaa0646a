"""Does ``daemon page`` show and change what a person wishes of their page?"""

from __future__ import annotations

import pytest

from tests.cli.conftest import Typed
from tests.cli.test_user import PASSWORD


@pytest.fixture
def ann(typed: Typed) -> Typed:
    """An installation that ann has claimed."""
    typed("init")
    typed("user", "create", "ann", "ann@example.org", "--admin", "--password-stdin", stdin=PASSWORD + "\n")
    return typed


def test_wishes_are_shown_changed_one_by_one_and_taken_back(ann: Typed) -> None:
    assert "none" in ann("page", "ann").out
    made = ann("page", "ann", "theme=garden", "kinds=ideas, projects", "--json").json
    assert (made["theme"], made["kinds"]) == ("garden", ["ideas", "projects"])
    made = ann("page", "ann", "language=de", "theme=none", "--json").json
    assert (made["theme"], made["language"], made["kinds"]) == (None, "de", ["ideas", "projects"])
    assert "ideas, projects" in ann("page", "ann").out
    for wrong in ("theme", "colour=red", "theme=neon", "head_lines=phone"):
        assert ann("page", "ann", wrong, status=None).status != 0
    assert ann("page", "nobody", status=None).status != 0
