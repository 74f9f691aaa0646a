"""Does docs/privacy.md say what the code does?"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app.entries.kinds import CUSTOM_SHOWN, built_in
from app.privacy.detected import mask_of
from app.privacy.detectors.catalogue import data, names
from app.privacy.fields import FIELDS
from app.privacy.identifiers import IN_LINKS, IN_TEXT
from app.privacy.levels import LEVELS, NAMES
from app.privacy.masks import MASKS
from app.privacy.person_settings import COLUMNS, PersonSettings, read_custom_rules, read_settings
from app.privacy.rules import Rule
from app.privacy.shipped import SHIPPED
from tests.privacy.conftest import ViewOf

RULES = [
    Rule("*", "*", row.privacy_level, row.field_name, row.stored) for row in SHIPPED.values()
]  # of every new installation (tests/privacy/test_shipped.py)
Rows = dict[str, list[str]]
EVERY = IN_TEXT + IN_LINKS


@pytest.fixture(scope="module")
def text(root: Path) -> str:
    return (root / "docs/privacy.md").read_text("utf-8")


def table(text: str, heading: str) -> Rows:
    """The rows of the first table under a heading, by their first cell."""
    section = text.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("|")][2:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {row[0].strip("` "): row[1:] for row in cells}


def blocks(text: str) -> dict[str, Any]:
    """The JSON blocks, by the words that follow ``json``."""
    found = re.findall(r"```json ([a-z_ ]+)\n(.*?)```", text, re.DOTALL)
    return {name: json.loads(body) for names, body in found for name in names.split()}


def listed(paths: Any) -> str:
    return ", ".join(f"`{path}`" for path in paths) or "-"


def test_levels(text: str) -> None:
    assert table(text, "Levels") == {
        level.name: [level.title, listed(level.below), listed(level.masks)] for level in LEVELS.values()
    }


def test_kinds_and_their_fields(text: str) -> None:
    rows = table(text, "Fields of each kind")
    custom = rows.pop("any other")
    assert rows == {
        kind.name: [kind.default_visibility, *(listed(kind.shown[tier]) for tier in CUSTOM_SHOWN)]
        for kind in built_in().values()
    }
    assert custom[2] == listed(CUSTOM_SHOWN["professional"]) + ", and what its row declares"


def test_json_resume(text: str) -> None:
    added = built_in()["resume"].added
    section = text.split("\n## JSON Resume\n")[1].split("\n## ")[0]
    for tier, paths in added.shown.items():
        assert f"`{tier}` | {listed(paths)} |" in section
    assert f"has no {listed(added.employers)}" in section.replace("\n", " ")


def test_words(text: str) -> None:
    rows = {group: cells[1] for group, cells in table(text, "Names of fields").items()}
    groups = dict.fromkeys(row.group for row in FIELDS)
    assert rows == {group: ", ".join(row.word for row in FIELDS if row.group == group) for group in groups}


def test_masks(text: str) -> None:
    rows = table(text, "Parts of texts")
    assert set(rows) == set(MASKS)
    for name, cells in rows.items():
        assert cells[0] == listed(level.name for level in LEVELS.values() if name in level.masks)
        assert cells[1] == "; ".join(f"`{mask.vanishes}`".replace("\n", " ") for mask in MASKS[name])


def test_detectors(text: str) -> None:
    rows = table(text, "Detectors")
    assert set(rows) == set(names())
    for name, (mask, _, found, left) in rows.items():
        assert mask == f"`{mask_of(name)}`"
        examples = data(name)["examples"]
        assert (found, left) == (f"`{examples['found'][0]}`", f"`{examples['left'][0]}`")


def test_public_names(text: str) -> None:
    section = text.split("\n| public name |")[1].split("\n\n")[0]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE))
    assert set(rows) == {row.name for row in EVERY}
    for name, cells in rows.items():
        of_name = [row for row in EVERY if row.name == name]
        spared = "; ".join(f"`{row.spared.replace('`', '')}`" for row in of_name)
        assert cells == spared + " | " + "; ".join(f"`{row.not_spared}`" for row in of_name)


def test_rules(text: str) -> None:
    for level, (hidden_at,) in table(text, "Rules of the installation").items():
        rule = Rule(privacy_level=level if level in NAMES else None, field_name="x")
        assert hidden_at == listed(name for name in NAMES if rule.holds("ideas", name))


def test_settings(text: str) -> None:
    rows = table(text, "Settings of a person")
    others = {"privacy_level", "custom_privacy_rules", "releases_shipped_rules", "preferred_contact"}
    assert set(rows) == {*COLUMNS, *others}
    defaults = {name: int(rows[name][0]) for name in COLUMNS}
    assert (
        read_settings([{**defaults, "custom_privacy_rules": "{}", "privacy_level": None}]) == PersonSettings()
    )
    strict = {name: int(rows[name][1]) for name in COLUMNS}
    assert read_settings([strict]) == read_settings([dict.fromkeys(COLUMNS)])


@pytest.mark.parametrize("level", NAMES)
def test_the_example_at_each_level(text: str, view_of: ViewOf, level: str) -> None:
    found = blocks(text)
    new, older = PersonSettings(releases_shipped_rules=True), PersonSettings()
    assert view_of("resume", found["stored"], level, settings=new, rules=RULES) == found[level]
    assert view_of("resume", found["stored"], level) == found[level]
    contact = view_of("resume", found["stored"], level, settings=older, rules=RULES)["contact"]
    assert ("email" in contact) is (level == "public_full")


def test_the_example_of_custom_rules(text: str, view_of: ViewOf) -> None:
    found = blocks(text)
    rules, is_odd = read_custom_rules(json.dumps(found["rules"]))
    assert not is_odd
    settings = PersonSettings(custom_rules=rules)
    assert view_of("resume", found["stored"], settings=settings) == found["ruled"]
