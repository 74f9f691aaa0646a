"""Webhooks: one's own, to make, change and remove; and what was sent to each. Never with a key."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from app import clock
from app.entries import webhook_deliveries, webhooks
from app.entries.cursors import make_cursor, read_cursor
from app.entries.entry import LIMIT_DEFAULT, check_limit
from app.entries.order import Place
from app.entries.webhooks import HINT, NewHook
from app.web.answers import reply
from app.web.deps import ServerOf, account_of, author_of, body_of_author
from app.web.idempotency import carried_out_once
from app.web.json_bodies import ModelBody
from app.web.models import webhooks as model
from app.web.models.base import sent
from app.web.models.parameters import Cursor, Id, Limit, Name
from app.web.operation import ACCOUNT, made_once, operation, read_operation, router_of
from app.web.parameters import id_of

router = router_of("webhooks", "/api/v1/webhooks")
SENT = "webhook deliveries"

NewWebhookOf = Annotated[model.NewWebhook, Depends(ModelBody(model.NewWebhook, body_of_author))]
ChangedOf = Annotated[model.ChangedWebhook, Depends(ModelBody(model.ChangedWebhook, body_of_author))]


@router.get("", **read_operation("webhooks_list", model.WebhookPage, who=ACCOUNT))
def list_webhooks(request: Request, server: ServerOf) -> Response:
    """List one's own webhooks, those that are off too."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        found = webhooks.listed(connection, user.id)
    return reply(request, {"items": found, "next": None}, is_public=False)


@router.post("", **made_once(operation("webhooks_create", model.MadeWebhook, 409, who=ACCOUNT, status=201)))
def create_webhook(request: Request, server: ServerOf, body: NewWebhookOf) -> Response:
    """Have a program told of what happens to one's own entries; ``secret`` is told this once."""
    url = webhooks.checked_url(body.url, allows_loopback=server.settings.webhooks_to_loopback)
    new = NewHook(url, body.events, body.kinds, body.label)
    with carried_out_once(request, server) as once, server.supervisor.writing() as connection:
        user, actor = author_of(request, server, connection)
        if (kept := once.kept(connection, user.id)) is not None:
            return kept
        made, secret = webhooks.make(connection, server.secret, user.id, new, clock.now(), actor)
        location = {"Location": f"webhooks/{made['id']}"}
        answer = reply(request, {**made, "secret": secret}, is_public=False, status=201, headers=location)
        return once.keep(connection, user.id, answer)


@router.get("/{webhook_id}", **read_operation("webhooks_get", model.Webhook, 404, who=ACCOUNT))
def get_webhook(request: Request, server: ServerOf, webhook_id: Id) -> Response:
    """Return one of one's own webhooks, without its secret."""
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        found = webhooks.get(connection, user.id, id_of(webhook_id, hint=HINT))
    return reply(request, found, is_public=False)


@router.patch("/{webhook_id}", **operation("webhooks_change", model.Webhook, 404, who=ACCOUNT))
def change_webhook(request: Request, server: ServerOf, webhook_id: Id, body: ChangedOf) -> Response:
    """Change a webhook, or turn it off or on; what waited is sent once it is on again."""
    said = sent(body)
    if "url" in said:
        webhooks.checked_url(said["url"], allows_loopback=server.settings.webhooks_to_loopback)
    with server.supervisor.writing() as connection:
        user, _actor = author_of(request, server, connection)
        named = id_of(webhook_id, hint=HINT)
        webhooks.change(connection, user.id, named, said, clock.now())
        found = webhooks.get(connection, user.id, named)
    return reply(request, found, is_public=False)


@router.post(
    "/{webhook_id}/secret",
    **operation("webhooks_renew_secret", model.RenewedSecret, 404, who=ACCOUNT),
)
def renew_secret(request: Request, server: ServerOf, webhook_id: Id) -> Response:
    """Give a webhook another secret; the one before signs nothing any more."""
    with server.supervisor.writing() as connection:
        user, _actor = author_of(request, server, connection)
        named = id_of(webhook_id, hint=HINT)
        secret = webhooks.renew_secret(connection, server.secret, user.id, named)
    return reply(request, {"secret": secret}, is_public=False)


@router.delete("/{webhook_id}", **operation("webhooks_remove", None, 404, who=ACCOUNT, status=204))
def remove_webhook(request: Request, server: ServerOf, webhook_id: Id) -> Response:
    """Remove a webhook, and what was sent to it."""
    with server.supervisor.writing() as connection:
        user, actor = author_of(request, server, connection)
        webhooks.remove(connection, user.id, id_of(webhook_id, hint=HINT), clock.now(), actor)
    return Response(None, 204, {"Cache-Control": "no-store"})


@router.get(
    "/{webhook_id}/deliveries",
    **read_operation("webhooks_deliveries", model.DeliveryPage, 404, who=ACCOUNT),
)
def list_deliveries(
    request: Request, server: ServerOf, webhook_id: Id, limit: Limit = LIMIT_DEFAULT, cursor: Cursor = None
) -> Response:
    """List what was sent to a webhook in the last thirty days, or waits; the newest event first."""
    most, key = check_limit(limit), server.cursor_key
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        named = id_of(webhook_id, hint=HINT)
        after = None if cursor is None else read_cursor(key, named, cursor, SENT)
        items, following = webhook_deliveries.listed(connection, user.id, named, most, after)
    token = None if following is None else make_cursor(key, named, Place(*following), SENT)
    return reply(request, {"items": items, "next": token}, is_public=False)


@router.post(
    "/{webhook_id}/deliveries/{delivery_id}/resend",
    **operation("webhooks_resend", model.Delivery, 404, who=ACCOUNT, status=202),
)
def resend(request: Request, server: ServerOf, webhook_id: Id, delivery_id: Name) -> Response:
    """Send something that was not sent, or once more: at the next look, under the same `webhook-id`."""
    with server.supervisor.writing() as connection:
        user, _actor = author_of(request, server, connection)
        named = id_of(webhook_id, hint=HINT)
        sent_again = id_of(delivery_id.removeprefix("msg_"), hint="GET .../deliveries lists them.")
        found = webhook_deliveries.send_again(connection, user.id, named, sent_again, clock.now())
    return reply(request, found, is_public=False, status=202)
