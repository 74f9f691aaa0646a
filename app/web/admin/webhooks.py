"""Webhooks in the browser: who is told of one's entries, with what was sent and how that went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.entries.webhook_events import EVENTS
from app.web.admin import choosing
from app.web.admin.api import path_of
from app.web.admin.form_data import Form
from app.web.admin.language import _, mark
from app.web.admin.routing import ScreenRouter

if TYPE_CHECKING:
    from app.web.admin.api import Answer
    from app.web.admin.visit import Visit

router = ScreenRouter()
WEBHOOKS = "/api/v1/webhooks"
AGAIN = "again "
OFF_WORDS = {
    "not_reached": mark("off: it was not reached"),
    "gone": mark("off: it is gone"),
    "secret_lost": mark("off: its secret is lost"),
    "by_its_person": mark("off"),
}
EVENT_WORDS = {
    "entry.created": mark("An entry is made"),
    "entry.changed": mark("An entry is changed"),
    "entry.deleted": mark("An entry is deleted"),
    "entry.published": mark("An entry is published, now or at its time"),
}
FAULT_WORDS = {
    "no_address": mark("its name has no address"),
    "not_https": mark("its address is not https"),
    "not_public": mark("its address is not a public one"),
    "no_answer": mark("no answer"),
    "too_slow": mark("too slow"),
    "tls_failed": mark("no secure connection"),
    "redirect": mark("it leads elsewhere"),
    "secret_lost": mark("its secret is lost"),
}
"""Why a try was not accepted, where the status of the answer does not say it."""

STATE_WORDS = {
    "waiting": mark("waits"),
    "delivered": mark("delivered"),
    "failed": mark("failed"),
    "not_sent": mark("not sent: it waited in a backup that was put back"),
}


@router.get("webhooks")
async def list_webhooks(visit: Visit) -> Response:
    """List one's own webhooks, with a form for another one."""
    return await _list_page(visit)


@router.post("webhooks")
async def make(visit: Visit) -> Response:
    """Make a webhook; its secret is on this page and nowhere else."""
    form = visit.form
    wanted = {
        "url": form.line("url"),
        "label": form.line("label") or None,
        "events": form.all("events") or None,
        "kinds": form.all("kinds") or None,
    }
    made = await visit.api.call("POST", WEBHOOKS, json=wanted)
    return (
        await _list_page(visit, secret=made.body["secret"]) if made.is_ok else await _list_page(visit, made)
    )


@router.get("webhooks/{webhook:int}")
async def show(visit: Visit) -> Response:
    """Show a webhook, and what was sent to it in thirty days, or waits."""
    return await _one_page(visit)


@router.post("webhooks/{webhook:int}")
async def act(visit: Visit) -> Response:
    """Turn a webhook on or off, send something again, give it another secret, or delete it."""
    done = visit.form.line("do")
    if done == "delete":
        answer = await visit.api.call("DELETE", _address(visit))
        if answer.is_ok:
            return visit.go_to("webhooks", _("It is sent nothing any more."))
    elif done.startswith(AGAIN):
        answer = await visit.api.call(
            "POST", _address(visit, "deliveries", done.removeprefix(AGAIN), "resend")
        )
        if answer.is_ok:
            return visit.go_to(_back(visit), _("It is sent again."))
    elif done == "secret":
        answer = await visit.api.call("POST", _address(visit, "secret"))
        if answer.is_ok:
            return await _one_page(visit, secret=answer.body["secret"])
    else:
        answer = await visit.api.call("PATCH", _address(visit), json={"is_active": done == "on"})
        if answer.is_ok:
            return visit.go_to(_back(visit), _("It is on.") if done == "on" else _("It is off."))
    return visit.refused(answer, _back(visit))


def _address(visit: Visit, *below: str) -> str:
    return path_of("api", "v1", "webhooks", visit.names["webhook"], *below)


def _back(visit: Visit) -> str:
    return f"webhooks/{visit.names['webhook']}"


def _sent(delivery: dict[str, Any]) -> dict[str, Any]:
    """Return a delivery with words for what it told of, and for what came of the last try."""
    fault = delivery["last_fault"]
    why = _(FAULT_WORDS[fault]) if fault in FAULT_WORDS else fault or ""
    answer = ", ".join(filter(None, (str(delivery["last_status"] or ""), why)))
    return {**delivery, "event_said": _event_word(delivery["event"]), "answer_said": answer}


def _event_word(event: str) -> str:
    return _(EVENT_WORDS[event]) if event in EVENT_WORDS else event


def _states() -> dict[str, str]:
    return {name: _(words) for name, words in (*OFF_WORDS.items(), *STATE_WORDS.items())}


async def _list_page(visit: Visit, refusal: Answer | None = None, secret: str = "") -> Response:
    return visit.page(
        "webhooks.html",
        title=_("Webhooks"),
        typed=Form() if secret else visit.form,
        refusal=refusal,
        webhooks=(await visit.got(WEBHOOKS))["items"],
        secret=secret,
        events={each: _(EVENT_WORDS[each]) for each in EVENTS},
        kinds=[each["name"] for each in (await visit.got("/api/v1/endpoints"))["items"] if each["is_active"]],
        states=_states(),
    )


async def _one_page(visit: Visit, secret: str = "") -> Response:
    webhook: dict[str, Any] = await visit.got(_address(visit))
    sent = await visit.got(_address(visit, "deliveries"), {"cursor": visit.query("cursor") or None})
    return visit.page(
        "webhook.html",
        title=webhook["label"] or webhook["url"],
        webhook=webhook,
        events=[_event_word(each) for each in webhook["events"] or ()],
        secret=secret,
        deliveries=[_sent(each) for each in sent["items"]],
        names=await choosing.named(visit, [each["entry_id"] for each in sent["items"]]),
        following=sent["next"],
        states=_states(),
    )
