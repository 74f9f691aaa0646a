"""How much of what is private do the detectors find, and how much that is not?

The bar of both halves of the set; the figures that were seen are in benchmarks/README.md.
"""

from __future__ import annotations

from collections import Counter

import pytest

from app.privacy.detectors.finding import Finding
from app.privacy.detectors.search import find
from tests.privacy.detectors.evaluation_set import Sentence, decoys, sentences

RECALL = {**dict.fromkeys(("mail", "card", "iban", "us_ssn", "ip", "mac", "id"), 0.95), "phone": 0.9}
PRECISION = 0.98


def overlap(found: Finding, one: Sentence) -> bool:
    return found.start < one.end and one.start < found.end


@pytest.mark.parametrize("half", ["work", "held_out"])
def test_each_kind_is_found_and_little_else(half: str) -> None:
    held: Counter[str] = Counter()
    hit: Counter[str] = Counter()
    wrong = 0
    for one in sentences(half, seed=3, count=60):
        kind = str(one.kind).partition("_")[0] if str(one.kind).startswith("id_") else str(one.kind)
        held[kind] += 1
        found = find(one.text)
        right = [each for each in found if each.detector.startswith(kind) and overlap(each, one)]
        hit[kind] += bool(right)
        wrong += len(found) - len(right)
    assert {kind: hit[kind] / held[kind] for kind in RECALL if hit[kind] < RECALL[kind] * held[kind]} == {}
    assert hit.total() / (hit.total() + wrong) >= PRECISION


@pytest.mark.parametrize("half", ["work", "held_out"])
def test_at_most_one_of_forty_harmless_lines_is_touched(half: str) -> None:
    lines = decoys(half)
    assert len(lines) >= 40
    assert len([line for line in lines if find(line)]) <= 1
