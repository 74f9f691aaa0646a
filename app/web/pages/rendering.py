"""Rendering of pages (Jinja2). How do values become the bytes of a page? Everything is escaped by itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.web import words
from app.web.answers import Document
from app.web.assets import icon, stylesheet
from app.web.content_security import policy_of_page
from app.web.forms import MEDIA_TYPE
from app.web.pages.alternates import Alternate
from app.web.pages.shown_entry import spoken_label
from app.web.pages.themes import DEFAULT

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).parent / "templates"
LONGEST_DESCRIPTION = 200


@dataclass(frozen=True)
class Frame:
    """What every page has around it; ``to`` leads from its address to another path of this server.

    ``canonical``: the same for the address under which the page is to be known. ``is_preview``: it may stand
    in a frame of the admin; its links lead out of that, and no form of it is sent.
    """

    title: str
    to: Callable[[str], str]
    canonical: Callable[[str], str] = str
    description: str = ""
    language: str = "en"
    theme: str = DEFAULT
    accent: str = ""
    has_open_graph: bool = True
    alternates: tuple[Alternate, ...] = ()
    is_preview: bool = False

    @property
    def stylesheet(self) -> str:
        """The path of the stylesheet."""
        return stylesheet().path

    @property
    def icon(self) -> str:
        """The path of the icon."""
        return icon().path


def rendered(
    template: str, frame: Frame, data_block: str = "", *, has_form: bool = False, **values: Any
) -> Document:
    """Return a page; ``data_block`` is the text of its script that holds data, where it has one."""
    from markupsafe import Markup

    words.speak(words.language_of(frame.language))
    block = Markup(data_block)
    text = _environment().get_template(template).render(page=frame, data_block=block, **values)
    policy = policy_of_page(
        data_blocks=(data_block,) if data_block else (),
        has_forms=has_form and not frame.is_preview,
        is_framed=frame.is_preview,
    )
    return Document(text.encode("utf-8", "replace"), MEDIA_TYPE, policy)


def fragment(template: str, **values: Any) -> str:
    """Return what a template makes, as a part of something else than a page."""
    lines = _environment().get_template(template).render(**values).split("\n")
    return "\n".join(line.rstrip() for line in lines if line.strip())


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        keep_trailing_newline=False,
        extensions=["jinja2.ext.i18n"],
    )
    made.filters["spoken_label"] = spoken_label
    made.install_gettext_callables(words.gettext, words.ngettext_plain, newstyle=True)  # type: ignore[attr-defined]
    return made
