"""Bulk over HTTP: many entries of a kind in one request, all of them or none; as an array or as lines."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy import Connection
from starlette.responses import Response

from app.entries import bulk, bulk_items
from app.entries.bulk import PlanIsOutdated
from app.entries.bulk_items import BulkItem
from app.entries.bulk_plan import Done
from app.server.authenticate import Caller, check_scope
from app.server.planned_writes import PLANS_MOST, is_as_planned
from app.server.state import ServerState
from app.web.answers import reply
from app.web.bodies import is_json_lines
from app.web.deps import ServerOf, body_of_writer, writer_of
from app.web.entry_writes import refuse_fixed_address, say_what_is_done
from app.web.idempotency import carried_out_once, is_keyed
from app.web.json_bodies import RawBody
from app.web.models.entries import BulkItems, BulkReport
from app.web.models.parameters import BulkMode, Name
from app.web.operation import WRITER, made_once, operation, router_of

router = router_of("entries", "/api/v1")


async def _read(request: Request, server: ServerState) -> bytes:
    refuse_fixed_address(request)
    say_what_is_done(request, server, request.path_params["kind"])
    return await body_of_writer(request, server)


ItemsOf = Annotated[bytes, Depends(RawBody(BulkItems, _read))]


@router.post("/{kind}/bulk", **made_once(operation("entries_bulk", BulkReport, 404, who=WRITER)))
def write_several(
    request: Request, server: ServerOf, kind: Name, body: ItemsOf, mode: BulkMode = "upsert"
) -> Response:
    """Write many entries, all of them or none: new ones, or in the place of what an id or slug names."""
    is_upsert = bulk.is_upsert(mode)
    items = bulk_items.parse_items(kind, body, is_lines=is_json_lines(request))
    with carried_out_once(request, server) as once:
        for tries_left in reversed(range(PLANS_MOST)):
            known, done = server.supervisor.generation(), None
            prepared = _prepared(request, server, kind, items)
            with suppress(PlanIsOutdated), server.supervisor.writing() as connection:
                caller = writer_of(request, server, connection)
                if (kept := once.kept(connection, caller.viewer.user_id)) is not None:
                    return kept
                done = bulk.write_all(
                    connection,
                    caller.viewer,
                    kind,
                    items,
                    check_may_replace=partial(_check_may_replace, caller, kind, is_upsert=is_upsert),
                    origin=caller.origin,
                    prepared=prepared,
                    is_as_planned=_is_as_planned(server, connection, known, caller),
                    may_come_again=tries_left > 0,
                )
                if is_keyed(request):
                    answer = _answer(request, done)
                    return once.keep(connection, caller.viewer.user_id, answer, [each.id for each in done])
            if done is not None:  # made when no one waits for it
                return _answer(request, done)
    raise AssertionError("the last plan is carried out, or one by one")


def _answer(request: Request, done: Sequence[Done]) -> Response:
    return reply(request, bulk.report(done), is_public=False)


def _prepared(request: Request, server: ServerState, kind: str, items: Sequence[BulkItem]) -> bulk.Prepared:
    with server.supervisor.reading() as connection:
        caller = writer_of(request, server, connection)
        looked = bulk.look(connection, caller.viewer, kind, items, origin=caller.origin)
    return bulk.prepare(looked)


def _is_as_planned(server: ServerState, connection: Connection, known: int, caller: Caller) -> bool:
    user_id = caller.viewer.user_id
    return user_id is not None and is_as_planned(server.supervisor, connection, known, user_id)


def _check_may_replace(caller: Caller, kind: str, *, is_upsert: bool) -> None:
    if not is_upsert:
        bulk.refuse_to_replace()
    check_scope(caller, "change", kind)
