"""Search over HTTP: in entries of all kinds and people, as far as the caller is shown them."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from app.entries.search_question import LIMIT_DEFAULT, search_question
from app.server.entry_lookup import look
from app.web.deps import ServerOf, client_of
from app.web.entry_lists import link_to_next
from app.web.models.parameters import (
    Cursor,
    KindName,
    Level,
    Limit,
    SearchSort,
    SearchWords,
    Since,
    Tag,
    Until,
    UserName,
)
from app.web.models.search import HitPage
from app.web.operation import ANYBODY, read_operation, router_of
from app.web.parameters import is_tracker
from app.web.replies import reply_to

router = router_of("search", "/api/v1")


@router.get("/search", **read_operation("search", HitPage, 404, who=ANYBODY))
def find(
    request: Request,
    server: ServerOf,
    q: SearchWords,
    kind: KindName = None,
    user: UserName = None,
    tag: Tag = None,
    since: Since = None,
    until: Until = None,
    sort: SearchSort = None,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = None,
    level: Level = None,
) -> Response:
    """Find entries by their words: one's own and what strangers are shown of everyone's."""
    asked = search_question(
        q,
        kind=kind,
        owner=user,
        tag=tag,
        since=since,
        until=until,
        sort=sort,
        limit=limit,
        cursor=cursor,
        level=level,
        key=server.cursor_key,
        installed=server.settings.privacy_level,
    )
    found = look(server, client_of(request, server), asked)
    query = {name: value for name, value in request.query_params.items() if not is_tracker(name)}
    return reply_to(
        request,
        server,
        found.caller,
        found.generation,
        found.value,
        link_to_next(query, found.next),
        depends_on_agent=found.depends_on_agent,
        is_kept=False,
    )
