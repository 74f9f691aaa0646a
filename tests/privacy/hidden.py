"""What do masks hide of one text, by what is found in it?"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from app.privacy.detected import mask_of
from app.privacy.entry_search import found_in
from app.privacy.masks import Span


def hidden_parts(text: str, masks: Collection[str]) -> Iterator[Span]:
    return (Span(one.start, one.end) for one in found_in(text) if mask_of(one.detector) in masks)
