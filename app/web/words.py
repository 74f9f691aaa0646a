"""Words (gettext). In which language do the pages and the admin speak, and where do its words come from?

The words in the code are English. Another language is one file, read where it is first spoken, so that
nothing has to be compiled: `app/translations/LANGUAGE/LC_MESSAGES/messages.po`.
"""

from __future__ import annotations

import re
from contextvars import ContextVar
from functools import cache
from gettext import NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any

from starlette.types import Scope

from app.typed_commands import in_answer

FOLDER = Path(__file__).parents[1] / "translations"
DEFAULT = "en"
NAMES = {"en": "English", "de": "Deutsch"}
_RANGE = re.compile(r"([a-zA-Z]{1,8})(?:-[a-zA-Z0-9]{1,8})*(?:\s*;\s*q=([01](?:\.[0-9]{0,3})?))?")
_spoken: ContextVar[str] = ContextVar("language", default=DEFAULT)


def _(message: str, **values: Any) -> str:
    """Return a message in the language of this request, with ``%(name)s`` replaced by the values."""
    text = gettext(message)
    return text % values if values else text


def ngettext(one: str, many: str, number: int, **values: Any) -> str:
    """Return one of two messages, by a number, which is ``%(num)s`` in them."""
    return ngettext_plain(one, many, number) % {"num": number, **values}


def gettext(message: str) -> str:
    """Return a message with its variables as they are: templates replace and escape them."""
    return in_answer(translations(_spoken.get()).gettext(message))


def ngettext_plain(one: str, many: str, number: int) -> str:
    """Return one of two messages, its variables as they are."""
    return in_answer(translations(_spoken.get()).ngettext(one, many, number))


def mark(message: str) -> str:
    """Return a message as it is: it is translated where it is shown, and found by the extraction here."""
    return message


def speak(language: str) -> None:
    """Have everything that is said while this request is answered be in a language."""
    _spoken.set(language)


def spoken() -> str:
    """Return the language of this request."""
    return _spoken.get()


def wanted_language(accept_language: str, chosen: str = "") -> str:
    """Return the language that was chosen, or else that of ours which the browser would like best."""
    if chosen in NAMES:
        return chosen
    best, best_quality = DEFAULT, 0.0
    for part in accept_language[:500].split(","):
        found = _RANGE.fullmatch(part.strip())
        quality = float(found[2] or 1) if found else 0.0
        if found and found[1].lower() in NAMES and quality > best_quality:
            best, best_quality = found[1].lower(), quality
    return best


def language_of_browser(scope: Scope) -> str:
    """Return that of ours which the browser would like best."""
    said = (value for name, value in scope["headers"] if name == b"accept-language")
    return wanted_language(next(said, b"").decode("latin-1"))


def language_of(tag: str | None) -> str:
    """Return the language of ours that a tag names (de-AT: de), English where there is none."""
    main = (tag or "").partition("-")[0].lower()
    return main if main in NAMES else DEFAULT


@cache
def translations(language: str) -> NullTranslations:
    """Return the messages of a language; English ones are in the code."""
    path = FOLDER / language / "LC_MESSAGES" / "messages.po"
    if language == DEFAULT or not path.is_file():
        return NullTranslations()
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po
    from babel.support import Translations

    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, locale=language))
    compiled.seek(0)
    return Translations(compiled)
