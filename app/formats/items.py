"""Items of an import. What was found in a source, and where in it?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Content = dict[str, Any]


@dataclass(frozen=True)
class LeftOut:
    """Something of a source that is not imported, or not as it stands there: where it is, and why."""

    place: str
    why: str


@dataclass(frozen=True)
class Found:
    """One entry that a source would make.

    ``source_id`` tells it again in a later state of the same source. ``is_hidden`` where the source does not
    want it seen (a draft, a private note, a date to come); else the default of its kind says who sees it.
    ``visibility`` is what the source itself names in Daemon's words, if it does.
    """

    source_id: str
    kind: str
    content: Content
    place: str
    is_hidden: bool = False
    visibility: str | None = None
    slug: str | None = None
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True)
class Source:
    """Files from elsewhere by their paths, which have ``/`` between their parts and lead out of nowhere."""

    name: str
    files: Mapping[str, bytes]


@dataclass(frozen=True)
class ReadSource:
    """What a source holds, by the name of its format."""

    format: str
    items: tuple[Found, ...]
    left_out: tuple[LeftOut, ...] = ()


@dataclass(frozen=True)
class Choices:
    """What the person who imports has decided.

    ``kind`` is where items go whose format does not say it; ``encoding`` that of texts that are not UTF-8;
    ``doubled`` which value counts where a key stands twice (first, last, both); ``columns`` maps names of a
    CSV file to fields.
    """

    kind: str | None = None
    encoding: str | None = None
    doubled: str | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
