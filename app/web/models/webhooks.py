"""Models: webhooks, and what was sent to them."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.entries.webhook_events import EVENTS
from app.entries.webhooks import KINDS_MOST, LABEL_MOST, URL_MOST
from app.web.models.base import Answer, Body, MayBeMissing, PageOf, Stored, form

_EVENTS = form(type=["array", "null"], items={"type": "string", "enum": list(EVENTS)})
_KINDS = form(type=["array", "null"], items={"type": "string", "maxLength": LABEL_MOST}, maxItems=KINDS_MOST)
_LABEL = form(type=["string", "null"], maxLength=LABEL_MOST)
_URL = form(type="string", format="uri", maxLength=URL_MOST)


class Webhook(Answer):
    id: int
    url: str
    label: str | None
    events: list[str] | None = Field(description="null: every one.")
    kinds: list[str] | None = Field(description="Names of kinds; null: every one.")
    is_active: bool
    created_at: Stored
    failed_count: int = Field(description="Tries that failed since the last that was accepted.")
    off_since: Stored | None
    off_why: Literal["not_reached", "gone", "secret_lost", "by_its_person"] | None


class WebhookPage(PageOf[Webhook]):
    pass


class MadeWebhook(Webhook):
    secret: str = Field(description="To check signatures with (Standard Webhooks). Told this once.")


class NewWebhook(Body):
    url: Annotated[str, _URL]
    events: Annotated[list[str] | None, _EVENTS] = None
    kinds: Annotated[list[str] | None, _KINDS] = None
    label: Annotated[str | None, _LABEL] = None


class ChangedWebhook(Body):
    url: Annotated[MayBeMissing[str], _URL] = None
    events: Annotated[list[str] | None, _EVENTS] = None
    kinds: Annotated[list[str] | None, _KINDS] = None
    label: Annotated[str | None, _LABEL] = None
    is_active: MayBeMissing[bool] = None


class RenewedSecret(Answer):
    secret: str = Field(description="It signs from now on. Told this once.")


class Delivery(Answer):
    id: str = Field(description="`webhook-id`: the same at every try.")
    event: str
    kind: str
    entry_id: int
    occurred_at: Stored
    state: Literal["waiting", "delivered", "failed", "not_sent"] = Field(
        description="not_sent: it waited in a backup that was put back, and is sent if you say so."
    )
    attempts: int
    next_attempt_at: Stored | None
    last_attempt_at: Stored | None
    last_status: int | None
    last_fault: str | None = Field(
        description="One word for why there was no answer, or for why it was not sent."
    )


class DeliveryPage(PageOf[Delivery]):
    pass
