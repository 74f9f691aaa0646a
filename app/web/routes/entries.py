"""Entries over HTTP: read, create, replace, change and delete, one address for every kind."""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from app.entries import write
from app.web.deps import ServerOf
from app.web.entry_lists import FilterOf, PartOf, asked_level, list_of, one_of
from app.web.entry_writes import (
    Body,
    change,
    create,
    create_named,
    is_to_be_made,
    refuse_fixed_address,
    remove,
    say_what_is_done,
)
from app.web.models.entries import Entry, Page
from app.web.models.parameters import (
    ActiveOnly,
    IdOrSlug,
    Level,
    Name,
    OlderLevel,
    Slug,
)
from app.web.operation import (
    ANYBODY,
    WRITER,
    in_all_forms,
    made_once,
    operation,
    or_made,
    read_operation,
    router_of,
)

router = router_of("entries", "/api/v1")
_REFUSED = (404, 412)


@router.get("/{kind}", **in_all_forms(read_operation("entries_list", Page, 404, who=ANYBODY)))
def list_entries(
    request: Request,
    server: ServerOf,
    kind: Name,
    part: PartOf,
    chosen: FilterOf,
    level: Level = None,
    privacy_level: OlderLevel = None,
    active_only: ActiveOnly = True,
) -> Response:
    """List the entries of a kind: one's own, or for strangers the public ones of anyone who lives here."""
    return list_of(request, server, kind, None, asked_level(level, privacy_level), part, chosen)


@router.get(
    "/{kind}/users/{username:path}",
    **in_all_forms(read_operation("entries_list_of_user", Page, 404, who=ANYBODY)),
)
def list_entries_of_user(
    request: Request,
    server: ServerOf,
    kind: Name,
    username: Name,
    part: PartOf,
    chosen: FilterOf,
    level: Level = None,
    privacy_level: OlderLevel = None,
    active_only: ActiveOnly = True,
) -> Response:
    """List the entries of one person."""
    return list_of(request, server, kind, username, asked_level(level, privacy_level), part, chosen)


@router.get("/{kind}/{entry_id}", **in_all_forms(read_operation("entries_get", Entry, 404, who=ANYBODY)))
def get_entry(
    request: Request,
    server: ServerOf,
    kind: Name,
    entry_id: IdOrSlug,
    level: Level = None,
    privacy_level: OlderLevel = None,
) -> Response:
    """Return one entry as far as the caller may see it."""
    return one_of(request, server, kind, entry_id, asked_level(level, privacy_level))


@router.post(
    "/{kind}", **made_once(operation("entries_create", Entry, *_REFUSED, 409, who=WRITER, status=201))
)
async def create_entry(
    request: Request, server: ServerOf, kind: Name, body: Body, slug: Slug = None
) -> Response:
    """Write a new entry."""
    return await create(request, server, kind, body, slug)


@router.put(
    "/{kind}/{entry_id}",
    **or_made(operation("entries_replace", Entry, *_REFUSED, 409, who=WRITER)),
)
async def replace_entry(
    request: Request, server: ServerOf, kind: Name, entry_id: IdOrSlug, body: Body, slug: Slug = None
) -> Response:
    """Put new content in the place of an entry's; its visibility stays unless the content says another.

    With `If-None-Match: *` at the address of a slug it makes a new entry of that slug, or is refused (412).
    """
    if is_to_be_made(request):
        return await create_named(request, server, kind, entry_id, body, slug)
    return await change(write.replace, request, server, kind, entry_id, body, slug)


@router.patch("/{kind}/{entry_id}", **operation("entries_change", Entry, *_REFUSED, 409, who=WRITER))
async def change_entry(
    request: Request, server: ServerOf, kind: Name, entry_id: IdOrSlug, body: Body, slug: Slug = None
) -> Response:
    """Change an entry by a JSON merge patch (RFC 7396)."""
    return await change(write.merge, request, server, kind, entry_id, body, slug)


@router.delete("/{kind}/{entry_id}", **operation("entries_delete", None, *_REFUSED, who=WRITER, status=204))
async def delete_entry(request: Request, server: ServerOf, kind: Name, entry_id: IdOrSlug) -> Response:
    """Delete an entry; afterwards no one finds it."""
    refuse_fixed_address(request)
    say_what_is_done(request, server, kind)
    return await remove(request, server, kind, entry_id)
