"""Content negotiation (Accept, suffix). In which media type is an entry or a list answered, and is there one?

A suffix names a form: `ideas.md`, `ideas/7.md`. A kind or person whose own name ends so comes first. Without
a suffix `Accept` decides, and JSON is what everyone gets who takes anything.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

from fastapi import Request
from starlette.responses import Response

from app.entries.feed_ids import feed_ids
from app.entries.question import Question
from app.errors import NotAllowed, NotFound
from app.formats.entry_forms import (
    JSON_TYPE,
    Form,
    chosen_type,
    forms_of,
    media_types,
    takes,
    without_suffix,
)
from app.server.authenticate import Client
from app.server.entry_lookup import Encoded, Seen, look
from app.server.state import ServerState
from app.web.answers import NotAcceptable
from app.web.replies import reply_to


@dataclass(frozen=True)
class AskedForm:
    """What is answered: entries of a kind, in the form of a suffix, or in whichever the client takes."""

    kind: str
    suffix: str | None
    is_list: bool


def look_with_suffix(
    server: ServerState, client: Client, asked: Question
) -> tuple[Seen, Question, str | None]:
    """Return what a list shows, what was asked without the suffix of a form, and that; raises as `look`."""
    named = asked.kind if asked.owner is None else asked.owner
    parts = without_suffix(named)
    if parts is None:
        return look(server, client, asked), asked, None
    try:
        return look(server, client, asked), asked, None
    except (NotFound, NotAllowed):  # a key of some kinds only knows no kind of this name
        stem, suffix = parts
        plain = replace(asked, kind=stem) if asked.owner is None else replace(asked, owner=stem)
        return look(server, client, plain), plain, suffix


def answer_in_form(
    request: Request,
    server: ServerState,
    found: Seen,
    asked: AskedForm,
    headers: Mapping[str, str] | None = None,
    *,
    is_kept: bool = True,
) -> Response:
    """Return what was found as JSON, or in the form that is asked for; made of the same views.

    Only JSON at its own address is kept by this server: there the address says all. Raises NotFound for a
    suffix that these entries do not have, and NotAcceptable.
    """
    form = _form_of(", ".join(request.headers.getlist("accept")), asked)
    body, content_type = found.value, JSON_TYPE
    if form is not None:
        body, content_type = _written(server, form, found, asked), form.content_type
    return reply_to(
        request,
        server,
        found.caller,
        found.generation,
        body,
        dict(headers or {}),
        depends_on_agent=found.depends_on_agent,
        validity=found.validity,
        is_kept=is_kept and form is None and asked.suffix is None,
        content_type=content_type,
    )


def _form_of(accept: str, asked: AskedForm) -> Form | None:
    """Return the form that is asked for, None for JSON; raises NotFound, NotAcceptable."""
    forms = {form.media_type: form for form in forms_of(asked.kind)}
    offered = media_types(asked.kind)
    if asked.suffix is None:
        chosen = chosen_type(accept, offered)
        if chosen is None:
            raise NotAcceptable(
                f"This address answers {', '.join(offered)}.", hint="Accept: application/json"
            )
        return forms.get(chosen)
    named = next((form for form in forms.values() if form.suffix == asked.suffix), None)
    if named is None and asked.suffix != "json":
        known = ", ".join(["json", *(form.suffix for form in forms.values())])
        raise NotFound(f"These entries have no form .{asked.suffix}.", hint=f"They have: {known}.")
    media_type = JSON_TYPE if named is None else named.media_type
    if not takes(accept, media_type):
        raise NotAcceptable(f"This address answers {media_type} only.", hint=f"Accept: {media_type}")
    return named


def _written(server: ServerState, form: Form, found: Seen, asked: AskedForm) -> Encoded:
    with server.supervisor.reading() as connection:
        ids = feed_ids(connection)
    value = json.loads(found.value.body)
    views = value["items"] if asked.is_list else [value]
    body = form.write(asked.kind, views, asked.is_list, ids.of)
    if body is None:
        raise NotAcceptable(
            f"What is shown here is too little for {form.media_type}: no day, or no entry.",
            hint="Accept: application/json",
        )
    return Encoded(body, body)
