"""Look of one's page in the browser: theme, accent, language, which kinds in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.entries.page_wishes import ACCENTS, FORMATS, HEAD_LINES, THEMES
from app.web.admin.language import _, mark
from app.web.admin.routing import ScreenRouter
from app.web.admin.shown import kind_name

if TYPE_CHECKING:
    from app.web.admin.api import Answer
    from app.web.admin.visit import Visit

router = ScreenRouter()
WISHES = "/api/v1/me/page"
HEAD_WORDS = {
    "picture": mark("My picture"),
    "does": mark("What I do"),
    "where": mark("Where I am"),
    "about": mark("A sentence about me"),
    "looks_for": mark("What I look for"),
    "now": mark("What I do now"),
    "mail": mark("My mail address"),
    "links": mark("My links"),
}
assert set(HEAD_WORDS) == set(HEAD_LINES)
FORMAT_WORDS = {
    "json-ld": mark("What search engines read (JSON-LD)"),
    "open-graph": mark("Preview and picture beside a link (Open Graph)"),
    "feeds": mark("Feeds (Atom, JSON Feed)"),
    "vcard": mark("Address card (vCard)"),
    "qr": mark("QR code"),
    "markdown": mark("Each page as Markdown"),
    "webfinger": mark("To be found by name@host (WebFinger)"),
    "pdf": mark("Resume as a PDF"),
}


@router.get("page")
async def show(visit: Visit) -> Response:
    """Show what one wishes of one's page, and the page as strangers see it now."""
    return await _page(visit)


@router.post("page")
async def wish(visit: Visit) -> Response:
    """Put other wishes in the place of one's own."""
    form = visit.form
    shown, order = form.all("kinds"), form.all("order")
    wanted: dict[str, Any] = {
        "theme": form.line("theme") or None,
        "accent": form.line("accent") or None,
        "language": form.line("language") or None,
        "kinds": _in_order(order, [form.line(f"place_{kind}") for kind in order]) or None,
        "kinds_left_out": [kind for kind in order if kind not in shown] or None,
        "head_lines": form.all("head_lines"),
        "formats_off": [each for each in FORMATS if each not in form.all("formats")] or None,
    }
    if set(wanted["head_lines"]) == set(HEAD_LINES):
        wanted["head_lines"] = None
    answer = await visit.api.call("PUT", WISHES, json=wanted)
    return (
        visit.go_to("page", _("Your page looks so from now on."))
        if answer.is_ok
        else await _page(visit, answer)
    )


def _in_order(kinds: list[str], places: list[str]) -> list[str]:
    """Return kinds by the numbers typed beside them, which may be any; none where the order is as it was."""
    numbers = [
        int(place) if place.isdecimal() and len(place) < 6 else at for at, place in enumerate(places, 1)
    ]
    by_number = sorted(range(len(kinds)), key=lambda at: (numbers[at], at))
    return [kinds[at] for at in by_number]


async def _page(visit: Visit, refusal: Answer | None = None) -> Response:
    wishes = await visit.got(WISHES)
    person = visit.person.user.username
    audience = (await visit.got("/api/v1/privacy/audience"))["items"]
    public = {each["kind"]: kind_name(each["kind"], each["title"]) for each in audience if each["public"]}
    wished = [kind for kind in wishes["kinds"] or () if kind in public]
    order = [*wished, *(kind for kind in public if kind not in wished)]
    return visit.page(
        "page_look.html",
        title=_("Look of your page"),
        refusal=refusal,
        wishes=wishes,
        person=person,
        kinds=[(kind, public[kind]) for kind in order],
        themes=[(each, each) for each in THEMES],
        accents=[(each, each) for each in ACCENTS],
        head_lines={line: _(words) for line, words in HEAD_WORDS.items()},
        formats={each: _(FORMAT_WORDS[each]) for each in FORMATS},
    )
