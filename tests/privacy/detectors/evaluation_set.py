"""Evaluation set (templates, decoys). In which sentences must what be found, and in which nothing?

Two halves that share no sentence: one to work with, one held out, by which the figures in benchmarks/README
were taken. Each is made anew from its seed.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

from app.privacy.detectors.finding import Finding
from app.privacy.detectors.search import find
from tests.privacy.detectors import identities
from tests.privacy.detectors.made_secrets import secret

_WRITTEN: dict[str, Any] = tomllib.loads(
    Path(__file__).with_name("sentences.toml").read_text(encoding="utf-8")
)


class Sentence(NamedTuple):
    """A text, the kind of what it holds, and where that is; no kind where it holds nothing."""

    text: str
    kind: str | None
    start: int = 0
    end: int = 0


def sentences(half: str, seed: int, count: int) -> Iterator[Sentence]:
    """Yield sentences of a half of the set, as many of each kind."""
    random = Random(f"{half}{seed}")
    for _ in range(count):
        for kind, make in _MAKERS.items():
            yield _sentence(random, half, kind, make(random))
        yield _phone(random, half)
        yield _national_id(random, half)
        text, start, end = secret(random, half)
        yield Sentence(text, "secret", start, end)


class Measured(NamedTuple):
    """By kind: how many there are, how many are found, and how many findings are none."""

    held: Counter[str]
    hit: Counter[str]
    wrong: Counter[str]


def measured(half: str, seed: int, count: int) -> Measured:
    """Return what the detectors find in a half: a finding of the same kind that overlaps counts."""
    seen = Measured(Counter(), Counter(), Counter())
    for one in sentences(half, seed, count):
        found = find(one.text)
        seen.held[kind_of(str(one.kind))] += 1
        seen.hit[kind_of(str(one.kind))] += any(_is_right(each, one) for each in found)
        seen.wrong.update(kind_of(each.detector) for each in found if not _is_right(each, one))
    return seen


def kind_of(detector: str) -> str:
    """National ids of all countries are one kind."""
    return "id" if detector.startswith("id_") else detector


def _is_right(found: Finding, one: Sentence) -> bool:
    is_kind = kind_of(found.detector) == kind_of(str(one.kind))
    return is_kind and found.start < one.end and one.start < found.end


def decoys(half: str) -> list[str]:
    """Return the harmless lines of a half."""
    return list(_WRITTEN[half]["decoys"])


_MAKERS = {
    "mail": identities.mail,
    "card": identities.card,
    "iban": identities.iban,
    "us_ssn": identities.ssn,
    "ip": identities.ip,
    "mac": identities.mac,
    "birth_date": identities.birth_date,
    "coordinates": identities.coordinates,
    "street_address": identities.street_address,
}


def _sentence(random: Random, half: str, kind: str, value: str) -> Sentence:
    return _filled(random.choice(_WRITTEN[half]["sentences"][kind]), kind, value)


def _filled(template: str, kind: str, value: str) -> Sentence:
    start = template.index("{}")
    return Sentence(template.replace("{}", value), kind, start, start + len(value))


def _phone(random: Random, half: str) -> Sentence:
    """A number of one of 48 countries: mostly after a label, some in a sentence, some alone."""
    region = random.choice(identities.REGIONS)
    international = random.random() < 0.5
    value = identities.phone(random, region, international=international)
    if random.random() < 0.6:
        label = random.choice(_WRITTEN[half]["labels"])
        gap = random.choice((": ", " ", ":\n", " - ", ":", ".: ", "\u00a0"))
        return _filled(f"{label}{gap}{{}}", "phone", value)
    return _filled(random.choice(_WRITTEN[half]["sentences"]["phone"]), "phone", value)


def _national_id(random: Random, half: str) -> Sentence:
    country = random.choice(sorted(_WRITTEN["national_labels"]))
    value = identities.national_id(random, country)
    template = random.choice(_WRITTEN[half]["sentences"]["national_id"])
    label = random.choice(_WRITTEN["national_labels"][country])
    return _filled(template.replace("LABEL", label), f"id_{country}", value)
