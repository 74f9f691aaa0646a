"""Does ``daemon privacy`` show and steer what people here show?"""

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


def test_settings_are_shown_and_changed(ann: Typed) -> None:
    assert "show_location           yes" in ann("privacy", "settings", "ann").out
    changed = ann(
        "privacy", "settings", "ann", "show_location=no", "privacy_level=professional", "--json"
    ).json
    assert (changed["show_location"], changed["privacy_level"]) == (False, "professional")
    assert "privacy_level           none" in ann("privacy", "settings", "ann", "privacy_level=none").out


@pytest.mark.parametrize("word", ["show_location", "show_location=perhaps", "privacy_level=all", "user_id=1"])
def test_what_is_no_setting_is_refused(ann: Typed, word: str) -> None:
    assert ann("privacy", "settings", "ann", word, status=2).err.startswith("Error: ")


def test_rules_of_a_person_from_making_to_taking_away(ann: Typed) -> None:
    assert "hidden" in ann("privacy", "rules", "add", "ann", "contact.website").out
    assert "redacted" in ann("privacy", "rules", "add", "ann", "title", "--redact").out
    listed = ann("privacy", "rules", "list", "ann", "--json").json["rules"]
    assert [each["id"] for each in listed] == ["own:contact.website", "own:title"]
    ann("privacy", "rules", "remove", "own:title", status=2)
    ann("privacy", "rules", "remove", "own:title", "ann")
    assert len(ann("privacy", "rules", "list", "ann", "--json").json["rules"]) == 1
    ann("privacy", "rules", "remove", "own:title", "ann", status=1)


def test_rules_of_the_installation_from_making_to_taking_away(ann: Typed) -> None:
    made = ann("privacy", "rules", "install", "--kind", "resume", "--field-name", "website", "--json").json
    assert (made["kind"], made["field_name"], made["path"]) == ("resume", "website", "*")
    assert "off" in ann("privacy", "rules", "change", made["id"], "--off").out
    assert "nothing (off)" in ann("privacy", "rules", "list").out
    ann("privacy", "rules", "remove", made["id"])
    assert len(ann("privacy", "rules", "list", "--json").json["rules"]) == 14
    for words in (("install",), ("change", "999", "--on"), ("remove", "999"), ("remove", "x")):
        assert ann("privacy", "rules", *words, status=None).status in (1, 2)
