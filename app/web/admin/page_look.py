"""Look of one's page in the browser: theme, accent, language, which kinds in which order."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.responses import Response

from app.entries.page_wishes import ACCENTS, FORMATS, HEAD_LINES, THEMES
from app.web.admin.language import _, mark
from app.web.admin.routing import ScreenRouter
from app.web.admin.shown import kind_name
from app.web.content_security import policy_of_page

if TYPE_CHECKING:
    from app.web.admin.api import Answer
    from app.web.admin.form_data import Form
    from app.web.admin.visit import Visit

router = ScreenRouter()
WISHES = "/api/v1/me/page"
POLICY_WITH_FRAME = policy_of_page(has_scripts=True, connects=True, has_forms=True, has_frames=True)
THEME_WORDS = {
    "plain": mark("plain"),
    "paper": mark("paper"),
    "garden": mark("garden"),
    "ink": mark("ink"),
}
assert tuple(THEME_WORDS) == THEMES
ACCENT_WORDS = {
    "blue": mark("blue"),
    "teal": mark("teal"),
    "green": mark("green"),
    "amber": mark("amber"),
    "red": mark("red"),
    "violet": mark("violet"),
    "ink": mark("ink"),
}
assert tuple(ACCENT_WORDS) == ACCENTS
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
LANGUAGES = dict(
    each.split(" ", 1)
    for each in (
        *("en English", "de Deutsch", "ar العربية", "cs Čeština", "da Dansk", "el Ελληνικά", "es Español"),
        *("fi Suomi", "fr Français", "he עברית", "hu Magyar", "it Italiano", "ja 日本語", "ko 한국어"),
        *("nb Norsk bokmål", "nl Nederlands", "pl Polski", "pt Português", "ro Română", "sv Svenska"),
        *("tr Türkçe", "uk Українська", "zh 中文"),
    )
)
"""Languages of pages, by their own names: what a page says by itself is in those of `words.NAMES`."""
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
    """Show what one wishes of one's page, and how it looks so."""
    return await _page(visit)


@router.post("page")
async def wish(visit: Visit) -> Response:
    """Put other wishes in the place of one's own."""
    answer = await visit.api.call("PUT", WISHES, json=_wanted(visit.form))
    if not answer.is_ok:
        return await _page(visit, answer, tried=_wanted(visit.form))
    return visit.go_to("page", _("Your page looks so from now on."))


@router.post("page/look")
async def try_on(visit: Visit) -> Response:
    """Show how one's page would look, with nothing saved; the part alone where a script asks."""
    tried = _wanted(visit.form)
    if visit.request.headers.get("hx-request") == "true":
        return visit.page("page_tried.html", title="", tried=_in_address(tried), is_tried=True)
    return await _page(visit, tried=tried)


def _wanted(form: Form) -> dict[str, Any]:
    """Return the wishes that a form says."""
    shown, order = form.all("kinds"), form.all("order")
    lines = form.all("head_lines")
    return {
        "theme": form.line("theme") or None,
        "accent": form.line("accent") or None,
        "language": form.line("language") or None,
        "kinds": _in_order(order, [form.line(f"place_{kind}") for kind in order]) or None,
        "kinds_left_out": [kind for kind in order if kind not in shown] or None,
        "head_lines": None if set(lines) == set(HEAD_LINES) else lines,
        "formats_off": [each for each in FORMATS if each not in form.all("formats")] or None,
    }


def _in_address(wishes: dict[str, Any]) -> str:
    """Return wishes as they stand in the address of a preview."""
    return quote(json.dumps({name: value for name, value in wishes.items() if value is not None}), safe="")


def _in_order(kinds: list[str], places: list[str]) -> list[str]:
    """Return kinds by the numbers typed beside them, which may be any; none where the order is as it was."""
    numbers = [
        int(place) if place.isdecimal() and len(place) < 6 else at for at, place in enumerate(places, 1)
    ]
    by_number = sorted(range(len(kinds)), key=lambda at: (numbers[at], at))
    return [kinds[at] for at in by_number]


async def _page(visit: Visit, refusal: Answer | None = None, tried: dict[str, Any] | None = None) -> Response:
    wishes = await visit.got(WISHES) if tried is None else tried
    person = visit.person.user.username
    audience = (await visit.got("/api/v1/privacy/audience"))["items"]
    public = {each["kind"]: kind_name(each["kind"], each["title"]) for each in audience if each["public"]}
    wished = [kind for kind in wishes["kinds"] or () if kind in public]
    order = [*wished, *(kind for kind in public if kind not in wished)]
    response = visit.page(
        "page_look.html",
        title=_("Look of your page"),
        refusal=refusal,
        wishes=wishes,
        person=person,
        kinds=[(kind, public[kind]) for kind in order],
        themes=[(each, _(words)) for each, words in THEME_WORDS.items()],
        accents=[(each, _(words)) for each, words in ACCENT_WORDS.items()],
        page_languages=_languages(wishes["language"]),
        head_lines={line: _(words) for line, words in HEAD_WORDS.items()},
        formats={each: _(FORMAT_WORDS[each]) for each in FORMATS},
        tried=_in_address(wishes),
        is_tried=tried is not None,
    )
    response.headers["Content-Security-Policy"] = POLICY_WITH_FRAME
    return response


def _languages(wished: str | None) -> list[tuple[str, str]]:
    """Return the languages that a page can be said to be in; one that was wished by its code, too."""
    known = LANGUAGES if wished is None or wished in LANGUAGES else {**LANGUAGES, wished: wished}
    return list(known.items())
