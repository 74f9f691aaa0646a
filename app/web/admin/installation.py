"""Installation in the browser, for admins: settings with where each is said, and what the doctor finds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.responses import Response

from app.web.admin.language import _, mark
from app.web.admin.routing import ScreenRouter

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()
UNITS = {
    "days": mark("days"),
    "minutes": mark("minutes"),
    "bytes": mark("bytes"),
    "requests a minute": mark("requests a minute"),
}
"""The units of settings."""

_ZERO = re.compile(r"\b0: ([^.;]+)")
DEFAULTS = {"(none)": mark("(none)"), "(generated)": mark("(generated)")}
"""What a setting is by itself, where that is no value."""


@router.get("settings", who="admin")
async def settings(visit: Visit) -> Response:
    """Show each setting as it is obeyed. They are changed on the machine."""
    found = (await visit.got("/api/v1/admin/settings"))["items"]
    sources = {"environment": _("the environment"), ".env": ".env", "default": _("the default")}
    shown = [
        {
            **each,
            "help": _(each["help"]),
            "zero": zero_in(_(each["help"])) if each["value"] == "0" else "",
            "allowed": _(each["allowed"]),
            "unit": _(UNITS[each["unit"]]) if each["unit"] else "",
            "default": _(DEFAULTS[each["default"]]) if each["default"] in DEFAULTS else each["default"],
        }
        for each in found
    ]
    return visit.page("settings.html", title=_("Settings"), settings=shown, sources=sources)


def zero_in(help_of: str) -> str:
    """Return what 0 means, as the help of a setting says it; empty where that is a number like any other."""
    found = _ZERO.search(help_of)
    return found[1] if found else ""


@router.get("findings", who="admin")
async def findings(visit: Visit) -> Response:
    """Show what is old or dangerous about the installation, the worst first."""
    found = await visit.api.call("GET", "/api/v1/admin/findings")
    severities = {"danger": _("dangerous"), "old": _("old"), "advice": _("advice")}
    return visit.page(
        "doctor.html",
        title=_("Is it sound?"),
        refusal=None if found.is_ok else found,
        findings=found.body["items"] if found.is_ok else None,
        severities=severities,
    )
