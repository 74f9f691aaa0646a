"""Kinds and their validation. What may be written to each, and what of it is on which level's list?

A built-in kind is one file in kind_files: name, title, description, default visibility, the paths that each
tier of levels shows, a JSON Schema for writes, an example. Every other endpoint row is a custom kind:
strangers see a general list and the fields which the row's own schema declares.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.entries.compiled_schema import Fits, compiled
from app.entries.entry import pointer_of
from app.entries.reasons_of_schema import in_words
from app.errors import InvalidContent
from app.privacy.levels import LEVELS
from app.privacy.paths import AllowLists, allow_list

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator, ValidationError

ADDED_TO_ALL: Mapping[str, tuple[str, ...]] = {"professional": ("meta.language",)}
"""Paths that came later to every kind that has a file."""

FOLDER = Path(__file__).parent / "kind_files"
_ERRORS_MOST = 20

CUSTOM = ""  # stands for any custom kind, since no kind is named so
CUSTOM_SHOWN = {
    "business_card": (),
    "professional": (
        *("title", "name", "content", "description", "body", "summary", "tags", "date", "url", "category"),
        *("status", "rating", "meta.title", "meta.date", "meta.tags", "meta.visibility", "meta.category"),
        "meta.status",
    ),
    "public_full": (),
}
"""What strangers see of a custom kind besides the fields that its own row declares."""

CUSTOM_SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "meta": {
            "type": ["object", "null"],
            "properties": {"visibility": {"enum": ["public", "unlisted", "private"]}},
        }
    },
}


@dataclass(frozen=True)
class Added:
    """Paths of a kind that came later than it; what was stored before could have them, hidden from all.

    ``employers`` are those that tell the employer of a job.
    """

    shown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    at_most: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    employers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """A built-in kind: what its file says.

    One that came later says ``since`` when: a row of its name that was there before stays a custom kind's.
    """

    name: str
    order: int
    title: str
    description: str
    default_visibility: str
    shown: Mapping[str, tuple[str, ...]]
    at_most: Mapping[str, Mapping[str, int]]
    schema: dict[str, Any]
    example: dict[str, Any]
    since: str | None = None
    added: Added = field(default_factory=Added)


@lru_cache(maxsize=1)
def built_in() -> dict[str, Kind]:
    """Return every built-in kind by its name, in their order."""
    found = [_read_kind(path) for path in FOLDER.glob("*.json")]
    return {kind.name: kind for kind in sorted(found, key=lambda kind: kind.order)}


def _read_kind(path: Path) -> Kind:
    said = json.loads(path.read_text("utf-8"))
    added = Added(**said.get("added", {}))
    shown = {tier: (*added.shown.get(tier, ()), *ADDED_TO_ALL.get(tier, ())) for tier in said["shown"]}
    return Kind(**{**said, "added": replace(added, shown=shown)})


def is_built_in(name: str, *, is_shipped: bool) -> bool:
    """Whether a row of this name is a built-in kind's; ``is_shipped``: it was made for the kind's file."""
    kind = built_in().get(name)
    return kind is not None and (kind.since is None or is_shipped)


@lru_cache(maxsize=1)
def always_built_in() -> frozenset[str]:
    """Return the names of the kinds that are built in whoever made their rows."""
    return frozenset(kind.name for kind in built_in().values() if kind.since is None)


def has_later_fields(name: str) -> bool:
    """Whether a built-in kind has paths that came later than it."""
    return bool(built_in()[name].added.shown)


def allow_lists_of(name: str, schema_text: str | None, *, with_added: bool = True) -> AllowLists:
    """Return, for each level, what strangers see of a kind's entries.

    ``schema_text`` is that of the row of a custom kind, None for a built-in one. Without what was ``added``
    later it is what they saw before.
    """
    return _built_in_lists(name, with_added) if schema_text is None else _custom_lists(schema_text)


@lru_cache(maxsize=128)
def _built_in_lists(name: str, with_added: bool) -> AllowLists:
    kind = built_in()[name]
    added = kind.added if with_added else Added()
    return {
        level.name: allow_list(
            [*_of_tiers(kind.shown, level.tiers), *_of_tiers(added.shown, level.tiers)],
            {**kind.at_most.get(level.name, {}), **added.at_most.get(level.name, {})},
            added.employers,
        )
        for level in LEVELS.values()
    }


@lru_cache(maxsize=256)
def _custom_lists(schema_text: str) -> AllowLists:
    declared = tuple(declared_paths(schema_text))
    return {
        level.name: allow_list(
            (*_of_tiers(CUSTOM_SHOWN, level.tiers), *(declared if "professional" in level.tiers else ()))
        )
        for level in LEVELS.values()
    }


def _of_tiers(shown: Mapping[str, Iterable[str]], tiers: Iterable[str]) -> list[str]:
    return [path for tier in tiers for path in shown.get(tier, ())]


def declared_paths(schema_text: str) -> Iterator[tuple[str, ...]]:
    """Yield the paths that an endpoint row's own schema declares: the old flat field list, or a JSON
    Schema.
    """
    try:
        schema = json.loads(schema_text)
    except (ValueError, RecursionError):
        return
    if isinstance(schema, dict):
        is_json_schema = schema.get("type") == "object" and isinstance(schema.get("properties"), dict)
        yield from _declared(schema["properties"] if is_json_schema else schema, (), 0)


def _declared(fields: dict[str, Any], above: tuple[str, ...], depth: int) -> Iterator[tuple[str, ...]]:
    for name, one in fields.items():
        if not isinstance(one, dict) or depth > 8 or name.startswith("$"):
            continue
        inner = one.get("items") if isinstance(one.get("items"), dict) else one
        below = inner.get("properties") if isinstance(inner, dict) else None
        if isinstance(below, dict):
            yield from _declared(below, (*above, name), depth + 1)
        if not isinstance(below, dict) or inner is not one:
            yield (*above, name)


def check(kind: str, content: object) -> None:
    """Raise InvalidContent, with JSON Pointers, where content does not fit a built-in kind."""
    if not _surely_fits(kind)(content):
        _refuse(kind, _validator(kind).iter_errors(content))


def check_custom(kind: str, content: object) -> None:
    """Raise InvalidContent, with JSON Pointers, where content fits no custom kind, such as this one."""
    if not _surely_fits(CUSTOM)(content):
        _refuse(kind, _validator(CUSTOM).iter_errors(content))


def _refuse(kind: str, found: Iterable[ValidationError]) -> None:
    in_order = sorted(found, key=lambda error: list(map(str, error.absolute_path)))
    errors = [{"pointer": pointer_of(error.absolute_path), "detail": in_words(error)} for error in in_order]
    if errors:
        first = errors[0]
        raise InvalidContent(
            f"The content does not fit {kind}: {first['pointer'] or 'the whole'}: {first['detail']}.",
            hint=f"GET /api/v1/endpoints/{kind} shows the schema.",
            errors=errors[:_ERRORS_MOST],
        )


def fits(kind: str, content: object) -> bool:
    """Whether content fits a built-in kind."""
    return _surely_fits(kind)(content) or bool(_validator(kind).is_valid(content))


def fits_custom(content: object) -> bool:
    """Whether content fits a custom kind, whose schema only says what strangers see."""
    return fits(CUSTOM, content)


def schema_of(kind: str) -> dict[str, Any]:
    """Return the JSON Schema of what may be written to a built-in kind, or to any other."""
    return built_in()[kind].schema if kind in built_in() else CUSTOM_SCHEMA


@lru_cache(maxsize=64)
def _surely_fits(kind: str) -> Fits:
    return compiled(schema_of(kind))


@lru_cache(maxsize=64)
def _validator(kind: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator  # heavy, and needed by what does not fit only

    return Draft202012Validator(schema_of(kind))
