"""Bulk items (parsing). Which entries does the body of a bulk hold, and what is wrong with each of them?"""

from __future__ import annotations

from dataclasses import dataclass

from app.entries import slugs
from app.entries.draft import Draft, draft_of
from app.entries.entry import invalid, parse_body
from app.errors import DaemonError, InvalidContent, TooLarge

ITEMS_MOST = 1_000
MEMBERS = ("content", "id", "slug")
LARGEST_ID = 2**63 - 1
NO_DRAFT = Draft({})


@dataclass(frozen=True)
class BulkItem:
    """One line of a bulk: an entry to be. Where there is a ``refusal``, nothing else is known of it."""

    draft: Draft = NO_DRAFT
    entry_id: int | None = None
    slug: str | None = None
    refusal: DaemonError | None = None


def parse_items(kind: str, body: bytes, *, is_lines: bool) -> list[BulkItem]:
    """Return the items of a JSON array, or of lines with one JSON object each (NDJSON; blank lines are none).

    What is wrong with one is kept with it. Raises InvalidContent for a body that is no array, and TooLarge.
    """
    if is_lines:
        lines = [line for line in body.split(b"\n") if line.strip()]
        _check_count(len(lines))
        return [_parsed(kind, line) for line in lines]
    found = parse_body(body)
    if not isinstance(found, list):
        raise invalid("", "it must be a JSON array", hint="One object a line: application/x-ndjson")
    _check_count(len(found))
    return [_item(kind, each) for each in found]


# -- inside


def _check_count(count: int) -> None:
    if count > ITEMS_MOST:
        raise TooLarge(
            f"There are {count:,} items, and {ITEMS_MOST:,} are taken at once; nothing was changed."
        )


def _parsed(kind: str, line: bytes) -> BulkItem:
    try:
        return _item(kind, parse_body(line))
    except InvalidContent as error:
        return BulkItem(refusal=error)


def _item(kind: str, value: object) -> BulkItem:
    try:
        return _checked_item(kind, value)
    except InvalidContent as error:
        return BulkItem(refusal=error)


def _checked_item(kind: str, value: object) -> BulkItem:
    if not isinstance(value, dict):
        raise invalid("", "it must be a JSON object")
    unknown = sorted(set(value) - set(MEMBERS))
    if unknown:
        raise invalid(f"/{unknown[0].replace('~', '~0').replace('/', '~1')}", "this member is not known here")
    if not isinstance(value.get("content"), dict):
        raise invalid("/content", "an object is needed here")
    entry_id, slug = value.get("id"), value.get("slug")
    if "id" in value and (type(entry_id) is not int or not 1 <= entry_id <= LARGEST_ID):
        raise invalid("/id", "an id is a whole number from 1")
    if "slug" in value and (not isinstance(slug, str) or (slug and not slugs.is_slug(slug))):
        raise invalid("/slug", "small letters, digits and single dashes are needed, a letter first")
    return BulkItem(draft_of(kind, value["content"], is_parsed=True), entry_id, slug)
