"""Bulk write (create, upsert). How are many entries of a kind written at once: all of them, or none?

An item names its entry by id, by slug, or not at all: then it is a new one. What can be known before the
transaction is worked out before it: nearly all of it, where nothing is in the way (`new_entries` and
`replaced_entries`). Where something is, each item is tried, also after one that failed, so that the report
names every fault; then all of it is taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from app.entries import (
    bulk_plan,
    slugs,
    write,
)
from app.entries.bulk_items import BulkItem
from app.entries.bulk_plan import Done, LookedAt, Plan
from app.entries.entry import Origin, invalid
from app.entries.policies import Policies
from app.entries.searched_texts import SearchedTexts
from app.errors import BulkRefused, Conflict, DaemonError, InvalidContent, UsageError
from app.privacy.entry_search import Words
from app.privacy.viewer import Viewer

MODES = ("upsert", "create")

_FROM_COMMAND_LINE = Origin()


def is_upsert(mode: str) -> bool:
    """Return whether entries that are there are replaced; raises UsageError for a mode that is none."""
    if mode not in MODES:
        raise UsageError("mode is upsert or create.", hint="mode=create makes new entries only.")
    return mode == "upsert"


def report(done: Sequence[Done]) -> dict[str, Any]:
    """Return what is told of a bulk that was written."""
    created = sum(each.status == 201 for each in done)
    items = [vars(each) for each in done]
    return {"items": items, "created_count": created, "replaced_count": len(done) - created}


class PlanIsOutdated(Exception):
    """Something was changed since a bulk was prepared; nothing was written: it is to be prepared again."""


@dataclass(frozen=True)
class Looked:
    """What was read before the transaction; without ``entries`` each item is tried in it."""

    kind: str
    items: Sequence[BulkItem]
    words: Words | None
    schema_text: str | None
    entries: LookedAt | None


@dataclass(frozen=True)
class Prepared:
    """What was worked out before the transaction. ``plan``: all items, where nothing was in the way."""

    texts: SearchedTexts
    plan: Plan | None = None


def look(
    connection: Connection,
    viewer: Viewer,
    kind: str,
    items: Sequence[BulkItem],
    *,
    origin: Origin = _FROM_COMMAND_LINE,
) -> Looked:
    """Read what `prepare` needs, in as little time as that takes: who reads may hold up who writes.

    Raises NotFound (kind).
    """
    endpoint = write.endpoint_in_use(connection, viewer, kind)
    return Looked(
        kind,
        items,
        Policies(connection).words_of(viewer.user_id),
        endpoint.schema_text if endpoint.is_checked and not endpoint.is_built_in else None,
        bulk_plan.look_at(connection, viewer, endpoint, kind, items, origin),
    )


def prepare(looked: Looked) -> Prepared:
    """Return what is found in the texts of the items, what of them does not fit the kind's schema, and more.

    To be asked before the transaction that writes; needs no database.
    """
    texts = SearchedTexts()
    for each in looked.items:
        draft = each.draft
        texts.prepare(draft.text, draft.content, draft.shown, looked.words, looked.schema_text)
    return Prepared(texts, bulk_plan.plan_of(looked.kind, looked.items, looked.entries, texts))


def write_all(
    connection: Connection,
    viewer: Viewer,
    kind: str,
    items: Sequence[BulkItem],
    *,
    check_may_replace: Callable[[], object] = lambda: None,
    origin: Origin = _FROM_COMMAND_LINE,
    prepared: Prepared | None = None,
    is_as_planned: bool = False,
    may_come_again: bool = False,
) -> list[Done]:
    """Write all items as entries of the viewer's, or raise BulkRefused, which names what is wrong with each.

    An item with the slug of an entry that is there replaces it, as one with its id does;
    ``check_may_replace`` raises where that may not be. Where it is known to hold what was ``prepared``
    ``is_as_planned``, and is not compared. Raises NotFound (kind), and PlanIsOutdated where it does not, and
    the caller ``may_come_again`` with another one. Writes what `write.create` and `write.replace` do; after
    an error the transaction has to be taken back.
    """
    plan, texts = (prepared.plan, prepared.texts) if prepared else (None, None)
    if plan:
        is_same = is_as_planned or bulk_plan.holds(connection, viewer, kind, origin, plan)
        if is_same and bulk_plan.is_of_now(plan):
            written = bulk_plan.write(connection, viewer, plan, check_may_replace)
            if written is not None:
                return written
        elif may_come_again:
            raise PlanIsOutdated
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


# -- inside: one by one


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
