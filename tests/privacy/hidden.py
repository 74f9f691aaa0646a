"""What do masks hide of one text, by what is found in it?"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from app.privacy.detected import RULE, mask_of
from app.privacy.entry_search import found_in
from app.privacy.masks import Span


def hidden_parts(text: str, masks: Collection[str]) -> Iterator[Span]:
    found = (one for one in found_in(text) if not one.detector.startswith(RULE))  # which a row decides about
    return (Span(one.start, one.end) for one in found if mask_of(one.detector) in masks)
