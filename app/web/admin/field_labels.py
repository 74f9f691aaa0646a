"""Labels of fields. How is what the API says of a place in a body said of a field of a form?

The API names places by JSON Pointers. People see labels: a refusal is said by those.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.web.admin.api import Answer
from app.web.admin.language import _
from app.web.said import said
from app.web.words import mark

LABELS = {
    "/meta/title": mark("Title"),
    "/meta/date": mark("Date"),
    "/meta/language": mark("Language"),
    "/meta/tags": mark("Tags"),
    "/meta/publish_at": mark("Shown from"),
    "/meta/expires_at": mark("Shown until"),
    "/meta/visibility": mark("Who may see it"),
    "/meta/status": mark("State"),
    "/visibility": mark("Who may see it"),
    "/content": mark("Text"),
    "/url": mark("Its address"),
    "/expires_at": mark("Until the end of"),
    "/views_most": mark("At most so many times"),
    "/days": mark("Good for so many days"),
    "/email": mark("Mail address"),
    "/password": mark("Password"),
    "/new_password": mark("New password"),
    "/username": mark("User name"),
}


def refusal_in_words(refusal: Answer, labels: Mapping[str, str] | None = None) -> Answer:
    """Return a refusal whose sentence names fields by their labels, where each of them has one."""
    body: dict[str, Any] = refusal.body if isinstance(refusal.body, dict) else {}
    errors = [each for each in body.get("errors", ()) if isinstance(each, dict)]
    known = {**{pointer: _(label) for pointer, label in LABELS.items()}, **(labels or {})}
    if body.get("is_said") or not errors or not all(each.get("pointer") for each in errors):
        return refusal
    if labels is None and not all(each["pointer"] in known for each in errors):
        return refusal
    told = [{**each, "detail": _detail(each, known)} for each in errors]
    faults = "; ".join(f"{_called(each['pointer'], known)}: {each['detail']}" for each in told)
    return refusal._replace(body={"detail": f"{faults.rstrip('.')}.", "errors": told, "is_said": True})


def _called(pointer: str, known: Mapping[str, str]) -> str:
    """The label of a field; of a place that has none, the way to it."""
    return known.get(pointer) or " › ".join(
        each.replace("~1", "/").replace("~0", "~") for each in pointer.split("/")[1:]
    )


def _detail(error: Mapping[str, Any], known: Mapping[str, str]) -> str:
    if error.get("detail") == "must be later than publish_at":
        return _("must be later than “%(field)s”", field=known["/meta/publish_at"])
    return said(error.get("detail", ""))
