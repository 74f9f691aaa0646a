"""Activity in the browser: what one did, what was done about one, what assistants read; the audit of all."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.accounts.audit_memory import STRANGERS
from app.accounts.operations import RUNNING
from app.web.admin.audit_words import ACTIONS, action_word, details_in_words
from app.web.admin.language import _, mark
from app.web.admin.routing import ScreenRouter

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()
VERIFY = "audit-verify"  # what such an operation is called
TOOL_WORDS = {
    "who_is": mark("Who someone is"),
    "list_kinds": mark("Kinds of entries"),
    "read_items": mark("Entries of a kind"),
    "search": mark("Search"),
    "get_item": mark("One entry"),
    "get_resume": mark("Resume"),
    "leave_message": mark("Leave a message"),
}
"""Every tool of the assistants' door, by its name there."""


@router.get("activity")
async def own(visit: Visit) -> Response:
    """List one's own part of the audit, the newest first."""
    found = await visit.got("/auth/audit", {"cursor": visit.query("cursor") or None})
    rows = [
        {**each, "text": details_in_words(each["details"] or {}), "by": each["by"] or _no_one(each)}
        for each in found["items"]
    ]
    return visit.page("activity.html", title=_("Activity"), rows=_newest_first(rows), following=found["next"])


@router.get("activity/assistants")
async def assistants(visit: Visit) -> Response:
    """List what assistants read of one's own, by names of fields, for thirty days."""
    found = await visit.got("/api/v1/me/ai-reads", {"cursor": visit.query("cursor") or None})
    settings = await visit.got("/api/v1/privacy/settings")
    return visit.page(
        "ai_reads.html",
        title=_("What assistants read"),
        reads=[{**each, "said": _tool_word(each["tool"])} for each in found["items"]],
        following=found["next"],
        are_let_in=settings["ai_assistant_access"],
    )


@router.get("audit", who="admin")
async def everyones(visit: Visit) -> Response:
    """List the audit of all, by whom or what or since when; and say how the last verification ended."""
    day = visit.query("since")
    asked = {
        "user": visit.query("user") or None,
        "action": visit.query("action").upper() or None,
        "since": f"{day}T00:00:00Z" if day else None,
        "cursor": visit.query("cursor") or None,
    }
    found = await visit.api.call("GET", "/api/v1/admin/audit", query=asked)
    items = found.body["items"] if found.is_ok else []
    operations = (await visit.got("/api/v1/operations"))["items"]
    verified = next((each for each in operations if each["name"] == VERIFY), None)
    return visit.page(
        "audit.html",
        title=_("Audit"),
        refusal=None if found.is_ok else found,
        rows=_newest_first(
            [
                {**each, "text": _change_of(each), "username": each["username"] or _stranger(each)}
                for each in items
            ]
        ),
        following=found.body["next"] if found.is_ok else None,
        asked={name: visit.query(name) for name in ("user", "action", "since")},
        actions=_actions(asked["action"]),
        verified=verified,
        is_running=verified is not None and verified["state"] == RUNNING,
    )


@router.post("audit/verify", who="admin")
async def verify(visit: Visit) -> Response:
    """Begin to read the whole chain of the audit."""
    answer = await visit.api.call("POST", "/api/v1/admin/audit/verify")
    if not answer.is_ok:
        return visit.refused(answer, "audit")
    return visit.go_to("audit", _("The audit is being read."))


def _newest_first(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a page of rows by their time, and of one time by their id: a folded row is written later."""
    return sorted(rows, key=lambda each: each["created_at"] or "", reverse=True)


def _stranger(row: dict[str, Any]) -> str:
    """Return who it was where no one had signed in: whoever tried to."""
    return _("someone who is not signed in") if row["action"] in STRANGERS else ""


def _no_one(row: dict[str, Any]) -> str:
    return _stranger(row) or _("on the machine")


def _actions(asked: str | None) -> list[tuple[str, str]]:
    """Return the actions to choose from, in words; one of another program's too, where it was asked for."""
    names = [*ACTIONS, *([asked] if asked and asked not in ACTIONS else [])]
    known = sorted((f"{action_word(name)} ({name})" if name in ACTIONS else name, name) for name in names)
    return [("", _("Everything")), *((name, said) for said, name in known)]


def _tool_word(name: str) -> str:
    return _(TOOL_WORDS[name]) if name in TOOL_WORDS else name


def _change_of(row: dict[str, Any]) -> str:
    values = {"before": row["old_values"], "after": row["new_values"]}
    return _text({name: value for name, value in values.items() if value})


def _text(value: Any) -> str:
    return json.dumps(value, indent=1, ensure_ascii=False) if value else ""
