"""Bulk write (create, upsert). How are many entries of a kind written at once: all of them, or none?

An item names its entry by id, by slug, or not at all: then it is a new one. What can be known before the
transaction is worked out before it, the search of the texts above all, and where all items are new ones they
are ready to be written then (`new_entries`). Otherwise, and where anything is in the way, each item is tried,
also after one that failed, so that the report names every fault; then all of it is taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Connection

from app.entries import new_entries, read, slugs, write
from app.entries.draft import Draft, draft_of
from app.entries.entry import Origin, invalid, parse_body
from app.entries.new_entries import NewOne, Ready
from app.entries.policies import Policies
from app.entries.searched_texts import SearchedTexts
from app.errors import (
    BulkRefused,
    Conflict,
    DaemonError,
    InvalidContent,
    QuotaReached,
    TooLarge,
    UsageError,
)
from app.privacy.viewer import Viewer

ITEMS_MOST = 1_000
MEMBERS = ("content", "id", "slug")
MODES = ("upsert", "create")
LARGEST_ID = 2**63 - 1
NO_DRAFT = Draft({})

_FROM_COMMAND_LINE = Origin()


@dataclass(frozen=True)
class BulkItem:
    """One line of a bulk: an entry to be. Where there is a ``refusal``, nothing else is known of it."""

    draft: Draft = NO_DRAFT
    entry_id: int | None = None
    slug: str | None = None
    refusal: DaemonError | None = None


@dataclass(frozen=True)
class Done:
    """What became of an item. ``status`` as a request of its own would have it: 201 new, 200 replaced."""

    index: int
    status: int
    id: int
    slug: str | None


def is_upsert(mode: str) -> bool:
    """Return whether entries that are there are replaced; raises UsageError for a mode that is none."""
    if mode not in MODES:
        raise UsageError("mode is upsert or create.", hint="mode=create makes new entries only.")
    return mode == "upsert"


def report(done: Sequence[Done]) -> dict[str, Any]:
    """Return what is told of a bulk that was written."""
    created = sum(each.status == 201 for each in done)
    items = [asdict(each) for each in done]
    return {"items": items, "created_count": created, "replaced_count": len(done) - created}


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


@dataclass(frozen=True)
class Prepared:
    """What was worked out before the transaction. ``new``: all items, where all seem to be new ones."""

    texts: SearchedTexts
    new: Ready | None = None


def prepare(
    connection: Connection,
    viewer: Viewer,
    kind: str,
    items: Sequence[BulkItem],
    *,
    origin: Origin = _FROM_COMMAND_LINE,
) -> Prepared:
    """Return what is found in the texts of the items, what of them does not fit the kind's schema, and more.

    To be asked before the transaction that writes. Raises NotFound (kind).
    """
    endpoint = read.known_endpoint(connection, viewer, kind)
    words, texts = Policies(connection).words_of(viewer.user_id), SearchedTexts()
    schema_text = endpoint.schema_text if endpoint.is_checked and not endpoint.is_built_in else None
    for each in items:
        texts.prepare(each.draft.text, each.draft.content, each.draft.shown, words, schema_text)
    return Prepared(texts, _all_new(connection, viewer, kind, items, origin, texts))


def _all_new(
    connection: Connection,
    viewer: Viewer,
    kind: str,
    items: Sequence[BulkItem],
    origin: Origin,
    texts: SearchedTexts,
) -> Ready | None:
    """Make items ready that may all be new ones; None where one is not, or has a fault that is to be told."""
    slugs_said = [each.slug for each in items if each.slug]
    is_plain = all(each.refusal is None and each.entry_id is None for each in items)
    if viewer.user_id is None or not items or not is_plain or len(slugs_said) > len(set(slugs_said)):
        return None
    wanted = [NewOne(kind, each.draft, each.slug) for each in items]
    try:
        ready = new_entries.make_ready(connection, viewer, wanted, origin, texts)
    except DaemonError as error:
        if error.status >= 500:
            raise
        return None
    return None if new_entries.find_taken_slugs(connection, ready) else ready


def write_all(
    connection: Connection,
    viewer: Viewer,
    kind: str,
    items: Sequence[BulkItem],
    *,
    check_may_replace: Callable[[], object] = lambda: None,
    origin: Origin = _FROM_COMMAND_LINE,
    prepared: Prepared | None = None,
) -> list[Done]:
    """Write all items as entries of the viewer's, or raise BulkRefused, which names what is wrong with each.

    An item with the slug of an entry that is there replaces it, as one with its id does;
    ``check_may_replace`` raises where that may not be. Raises NotFound (kind). Writes what `write.create` and
    `write.replace` do; after an error the transaction has to be taken back.
    """
    new, texts = (prepared.new, prepared.texts) if prepared else (None, None)
    if new and new_entries.holds(connection, viewer, origin, new):
        written = _written_at_once(connection, items, new)
        if written is not None:
            return written
    bulk = _Bulk(connection, viewer, kind, check_may_replace, origin, texts)
    done: list[Done] = []
    refused: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        try:
            done.append(bulk.write(index, item))
        except DaemonError as error:
            if error.status >= 500:
                raise
            refused.append(_fault(index, error))
    if refused:
        raise _refusal(refused, len(items))
    return done


def _written_at_once(connection: Connection, items: Sequence[BulkItem], new: Ready) -> list[Done] | None:
    """Write new entries; None, and nothing is written, where one is there or the person has no room."""
    if new_entries.find_taken_slugs(connection, new):
        return None
    try:
        made = new_entries.add(connection, new)
    except QuotaReached:  # it is raised before anything is written
        return None
    pairs = zip(made, items, strict=True)
    return [Done(index, 201, entry_id, item.slug or None) for index, (entry_id, item) in enumerate(pairs)]


class _Bulk:
    """One transaction's items: what is the same for all of them, and which entries they have named."""

    def __init__(
        self,
        connection: Connection,
        viewer: Viewer,
        kind: str,
        check_may_replace: Callable[[], object],
        origin: Origin,
        texts: SearchedTexts | None,
    ) -> None:
        self._to = (connection, viewer, kind)
        self._endpoint = write.endpoint_in_use(connection, viewer, kind)
        self._check_may_replace = check_may_replace
        self._more: Any = {"origin": origin, "texts": texts}
        self._named: dict[tuple[str, object], int] = {}

    def write(self, index: int, item: BulkItem) -> Done:
        """Write one item; raises what is wrong with it, with pointers into the item."""
        if item.refusal is not None:
            raise item.refusal
        entry_id = self._find_entry_id(index, item)
        try:
            return self._written(index, item, entry_id)
        except InvalidContent as error:
            raise _pointing_into_item(error) from None

    def _written(self, index: int, item: BulkItem, entry_id: int | None) -> Done:
        slug = item.slug or None
        if entry_id is None:
            made = write.create(*self._to, item.draft, slug=slug, **self._more)
            return Done(index, 201, made.id, slug)
        if item.draft.refusal is not None:
            raise item.draft.refusal
        write.replace(*self._to, entry_id, item.draft.content, slug=item.slug, **self._more)
        return Done(index, 200, entry_id, slug)

    def _find_entry_id(self, index: int, item: BulkItem) -> int | None:
        """Return the id of the entry that an item replaces, None for a new one."""
        connection, viewer, _ = self._to
        entry_id = item.entry_id
        if entry_id is None and item.slug:
            entry_id = slugs.find_entry_id(connection, viewer, self._endpoint, item.slug)
        self._name_once(index, "id", entry_id)
        self._name_once(index, "slug", item.slug or None)
        if entry_id is not None:
            self._check_may_replace()
        return entry_id

    def _name_once(self, index: int, member: str, value: object) -> None:
        before = index if value is None else self._named.setdefault((member, value), index)
        if before != index:
            raise invalid(f"/{member}", f"item {before} names the same entry")


def refuse_to_replace() -> None:
    """Raise Conflict: for a bulk that makes new entries only."""
    raise Conflict("An entry is there already, and only new ones are taken.", hint="mode=upsert replaces it.")


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


def _pointing_into_item(error: InvalidContent) -> InvalidContent:
    """Return what rooms say of content and of a slug, with pointers into the item that has both."""
    found: Any = error.details["errors"]
    errors = [{**each, "pointer": _in_item(str(each["pointer"]))} for each in found]
    return InvalidContent(error.message, hint=error.hint, errors=errors)


def _in_item(pointer: str) -> str:
    of_parameter = pointer.removeprefix("/query/")
    return f"/content{pointer}" if of_parameter == pointer else f"/{of_parameter}"


def _fault(index: int, error: DaemonError) -> dict[str, Any]:
    """Return the line of the report for an item that cannot be written."""
    said = error.details.get("errors", [{"pointer": "", "detail": error.message}])
    return {"index": index, "status": error.status, "code": error.code, "errors": said}


def _refusal(refused: list[dict[str, Any]], count: int) -> BulkRefused:
    first = refused[0]["errors"][0]
    return BulkRefused(
        f"{len(refused)} of {count} items cannot be written, and none was: "
        f"item {refused[0]['index']}: {first['pointer'] or 'the whole'}: {first['detail']}",
        hint="`items` names what is wrong with each; mend these, and send all of them again.",
        items=refused,
        errors=[
            {"pointer": f"/{each['index']}{one['pointer']}", "detail": one["detail"]}
            for each in refused
            for one in each["errors"]
        ],
    )
