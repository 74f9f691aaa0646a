"""Bulk over HTTP: many entries of a kind in one request, all of them or none; as an array or as lines."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app.entries import bulk
from app.server.authenticate import check_scope
from app.server.state import ServerState
from app.web.answers import reply
from app.web.bodies import is_json_lines
from app.web.deps import ServerOf, body_of_writer, writer_of
from app.web.entry_writes import refuse_fixed_address, say_what_is_done
from app.web.idempotency import carried_out_once
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
    items = bulk.parse_items(kind, body, is_lines=is_json_lines(request))
    with carried_out_once(request, server) as once:
        with server.supervisor.reading() as connection:
            caller = writer_of(request, server, connection)
            prepared = bulk.prepare(connection, caller.viewer, kind, items, origin=caller.origin)
        with server.supervisor.writing() as connection:
            caller = writer_of(request, server, connection)
            if (kept := once.kept(connection, caller.viewer.user_id)) is not None:
                return kept

            def check_may_replace() -> None:
                if not is_upsert:
                    bulk.refuse_to_replace()
                check_scope(caller, "change", kind)

            done = bulk.write_all(
                connection,
                caller.viewer,
                kind,
                items,
                check_may_replace=check_may_replace,
                origin=caller.origin,
                prepared=prepared,
            )
            answer = reply(request, bulk.report(done), is_public=False)
            return once.keep(connection, caller.viewer.user_id, answer, [each.id for each in done])
