"""How much of what is private do the detectors find, and how much that is not?

The bar of both halves of the set, on a sample; the figures that were seen are in docs/privacy.md.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.privacy.detectors.search import find
from tests.privacy.detectors.evaluation_set import decoys, measured

# Recall and precision of a kind.
BAR = {
    **dict.fromkeys(("mail", "card", "iban", "us_ssn", "ip", "mac", "secret"), (0.95, 0.97)),
    **dict.fromkeys(("id", "birth_date", "coordinates", "street_address"), (0.9, 0.97)),
    "phone": (0.9, 0.95),
}


@pytest.mark.parametrize("half", ["work", "held_out"])
def test_each_kind_is_found_and_little_else(half: str) -> None:
    held, hit, wrong = measured(half, seed=3, count=40)
    assert {*held} == {*BAR}
    seen = {kind: (hit[kind] / held[kind], hit[kind] / max(1, hit[kind] + wrong[kind])) for kind in held}
    below = {kind: both for kind, both in seen.items() if both[0] < BAR[kind][0] or both[1] < BAR[kind][1]}
    assert below == {}
    assert hit.total() / (hit.total() + wrong.total()) >= 0.98


@pytest.mark.parametrize("half", ["work", "held_out"])
def test_at_most_one_of_forty_harmless_lines_is_touched(half: str) -> None:
    lines = decoys(half)
    assert len(lines) >= 60
    assert len([line for line in lines if find(line)]) <= 1


def test_the_page_names_every_kind_with_its_bar(root: Path) -> None:
    section = (
        (root / "docs/privacy.md")
        .read_text("utf-8")
        .split("\n## What the detectors find\n")[1]
        .split("\n## ")[0]
    )
    rows = re.findall(r"^\| `(\w+)` \|.*\| ([0-9.]+) / ([0-9.]+) \|$", section, re.MULTILINE)
    assert {kind: (float(recall), float(precision)) for kind, recall, precision in rows} == BAR
