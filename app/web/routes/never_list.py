"""Never-list over HTTP: one's own words that must never leave. No answer has a word. Never with a key."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app.entries import never_words
from app.web.answers import reply
from app.web.deps import ServerOf, account_of, body_of_account
from app.web.idempotency import carried_out_once
from app.web.json_bodies import ModelBody
from app.web.models import privacy as model
from app.web.models.parameters import Id
from app.web.operation import ACCOUNT, made_once, operation, read_operation, router_of
from app.web.parameters import id_of

router = router_of("privacy", "/api/v1/privacy/never-list")
HINT = "GET /api/v1/privacy/never-list lists them."

NewWordOf = Annotated[model.NewNeverWord, Depends(ModelBody(model.NewNeverWord, body_of_account))]


@router.get("", **read_operation("never_list", model.NeverWordPage, who=ACCOUNT))
def list_words(request: Request, server: ServerOf) -> Response:
    """List one's own words by their ids and lengths: the words themselves are stored nowhere."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        items = never_words.words_of(connection, user.id)
    return reply(request, {"items": items, "next": None}, is_public=False)


@router.post("", **made_once(operation("never_list_add", model.NeverWord, 409, who=ACCOUNT, status=201)))
def add_word(request: Request, server: ServerOf, body: NewWordOf) -> Response:
    """Put a word on one's own list. It is hidden from the next request on, in texts that are there too."""
    with carried_out_once(request, server) as once, server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        if (kept := once.kept(connection, user.id)) is not None:
            return kept
        made = never_words.add_word(connection, user.id, body.word, body.privacy_level, actor)
        location = {"Location": f"never-list/{made['id']}"}  # beside the address of the list
        answer = reply(request, made, is_public=False, status=201, headers=location)
        return once.keep(connection, user.id, answer)


@router.delete("/{word_id}", **operation("never_list_remove", None, 404, who=ACCOUNT, status=204))
def remove_word(request: Request, server: ServerOf, word_id: Id) -> Response:
    """Take a word off one's own list; where it stands in texts, it is shown again."""
    with server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        never_words.remove_word(connection, user.id, id_of(word_id, hint=HINT), actor)
    return Response(None, 204, {"Cache-Control": "no-store"})
