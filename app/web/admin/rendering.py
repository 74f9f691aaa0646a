"""Rendering of screens (Jinja2). How do values become a page of the admin? All is escaped by itself."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.web import assets, words
from app.web.admin.audience_words import why
from app.web.admin.audit_words import action_word, record_word
from app.web.admin.report_lines import report, report_line
from app.web.admin.shown import (
    done_word,
    found_word,
    kind_name,
    moment,
    place_said,
    role_word,
    size_said,
    visibility_word,
)
from app.web.content_security import policy_of_page
from app.web.forms import MANAGE_PREFIX
from app.web.forms import MEDIA_TYPE as MEDIA_TYPE
from app.web.pages.shown_entry import spoken_label
from app.web.said import said

if TYPE_CHECKING:
    from jinja2 import Environment


FOLDER = Path(__file__).parent / "templates"
PAGES = Path(__file__).parents[1] / "pages" / "templates"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": policy_of_page(has_scripts=True, connects=True, has_forms=True),
    "Referrer-Policy": "same-origin",  # without a referrer, browsers say "null" for the origin of a form
    "X-Robots-Tag": "noindex",
    "Vary": "Cookie, Accept-Language",
}


def rendered(template: str, frame: Mapping[str, Any], values: Mapping[str, Any]) -> bytes:
    """Return the bytes of a page; ``frame`` is what `base.html` has around it, whatever the screen."""
    around = {
        "language": words.spoken(),
        "languages": words.NAMES,
        "stylesheet": assets.admin_stylesheet().path,
        "icon": assets.icon().path,
        "script": assets.htmx().path,
        "form_script": assets.form_sizes().path,
        "prefix": MANAGE_PREFIX,
    }
    text = environment().get_template(template).render({**around, **frame, **values})
    return text.encode("utf-8", "replace")


@cache
def environment() -> Environment:
    """Return what renders; its words are in the language of the request."""
    from jinja2 import ChoiceLoader, Environment, FileSystemLoader, PrefixLoader, StrictUndefined

    of_pages = PrefixLoader({"pages": FileSystemLoader(PAGES)})  # how strangers are shown an entry
    made = Environment(
        loader=ChoiceLoader([FileSystemLoader(FOLDER), of_pages]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    made.globals["kind_name"] = made.filters["kind_name"] = kind_name
    made.globals["record_word"] = record_word
    made.filters.update(
        action_word=action_word,
        moment=moment,
        place_said=place_said,
        done_word=done_word,
        found_word=found_word,
        why=why,
        role_word=role_word,
        size_said=size_said,
        spoken_label=spoken_label,
        report=report,
        report_line=report_line,
        said=said,
        visibility_word=visibility_word,
    )
    install = made.install_gettext_callables  # type: ignore[attr-defined]
    install(words.gettext, words.ngettext_plain, newstyle=True)
    return made
