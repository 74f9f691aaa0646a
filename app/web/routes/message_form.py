"""Message form: what is left on the page of a person, without a script; answered as a page."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import Depends, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app.accounts import messages
from app.errors import NotAllowed
from app.server import message_intake
from app.server.message_intake import Left
from app.web.answers import reply
from app.web.bodies import WrongMediaType, form_fields
from app.web.deps import ServerOf, client_of
from app.web.json_bodies import RawBody, body_of_anybody
from app.web.models.messages import LeftMessage, MessageForm
from app.web.models.parameters import Name
from app.web.operation import EVERYWHERE, NOT_ASKED, PAGE, Described, operation, router_of
from app.web.pages import composing
from app.web.references import reference_to
from app.web.routes.pages import is_page
from app.web.words import speak, wanted_language

router = router_of("messages")
FORM = "application/x-www-form-urlencoded"


def _or_page(said: Described) -> Described:
    """Return the description of a refusal that a browser gets as a page."""
    return {**said, "content": {**said["content"], **PAGE}}


FormOf = Annotated[bytes, Depends(RawBody(MessageForm, body_of_anybody, FORM))]
_DESCRIBED = operation("message_form", LeftMessage, 403, 404, who=NOT_ASKED, status=202)
_DESCRIBED["responses"] |= {
    202: {"content": PAGE},
    **{status: _or_page(said) for status, said in EVERYWHERE.items()},
    **{status: _or_page(said) for status, said in _DESCRIBED["responses"].items()},
}


@router.post("/@{username}/messages", **_DESCRIBED)
async def leave(request: Request, server: ServerOf, username: Name, body: FormOf) -> Response:
    """Leave a message for a person, from the form on their page; pages of other sites may not send it."""
    if request.headers.get("sec-fetch-site") == "cross-site":
        raise NotAllowed("The form is sent from the page that it is on.", hint="Open the page of the person.")
    fields = await form_fields(request, body)
    if fields is None:
        raise WrongMediaType("This is the address of a form.", hint=f"Content-Type: {FORM}")
    draft = messages.checked(fields.get("text"), fields.get("name"), fields.get("contact"))
    client = client_of(request, server)
    left = Left(username, draft, "page", client.origin.user_agent)
    await run_in_threadpool(message_intake.leave, server, client, left)
    value: object = {"detail": message_intake.SAID}
    if is_page(request):
        speak(wanted_language(request.headers.get("accept-language", "")))
        value = composing.page_of_left_message(username, partial(reference_to, request.scope))
    return reply(request, value, is_public=False, status=202)
