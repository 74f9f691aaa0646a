"""Catalogue (gettext). Gathers the words of screens and pages, and what the rooms say: `make catalogue`.

Writes `app/translations/messages.pot`, and into each language's file what is new there, without a
translation, for somebody to fill in; what is no longer said anywhere goes.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from io import BytesIO
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po
from pydantic_core import PydanticKnownError
from pydantic_core.core_schema import ErrorType

from app.settings import ROWS
from app.upgrade.legacy.table_forms import get_shape
from app.upgrade.versions.releases import SCHEMA_VERSIONS
from app.web.pages.shown_entry import known_labels
from tests.conftest import ROOT
from tests.web import said_texts

TRANSLATIONS = ROOT / "app" / "translations"
FOLDERS = ("admin", "pages")
STATUSES = (
    400,
    401,
    403,
    404,
    405,
    406,
    408,
    409,
    410,
    412,
    413,
    414,
    415,
    422,
    428,
    429,
    431,
    500,
    502,
    503,
)
"""What is the title of a page that says what went wrong."""

PHRASES = frozenset(
    {
        *(HTTPStatus(each).phrase for each in STATUSES),
        *("Content Too Large", "URI Too Long", "Unprocessable Content"),  # as Python says from 3.13 on
        *("Request Entity Too Large", "Request-URI Too Long", "Unprocessable Entity"),  # and before
    }
)

PLAIN_FAULTS: tuple[ErrorType, ...] = (
    *("missing", "extra_forbidden", "none_required", "invalid_key", "json_type", "recursion_loop"),
    *("model_attributes_type", "dict_type", "list_type", "string_type", "string_unicode"),
    *("bool_type", "bool_parsing", "int_type", "int_parsing", "int_parsing_size", "int_from_float"),
    *("float_type", "float_parsing", "finite_number", "date_type", "datetime_type", "timezone_aware"),
)
"""Faults that Pydantic finds in the form of a body or parameter."""

MANY = 987_654
FAULTS_WITH_VALUES: dict[ErrorType, dict[str, Any]] = {
    "model_type": {"class_name": "@a"},
    "greater_than": {"gt": MANY},
    "greater_than_equal": {"ge": MANY},
    "less_than": {"lt": MANY},
    "less_than_equal": {"le": MANY},
    "string_too_short": {"min_length": MANY},
    "string_too_long": {"max_length": MANY},
    "string_pattern_mismatch": {"pattern": "@a"},
    "too_short": {"field_type": "@a", "min_length": MANY, "actual_length": 777_777},
    "too_long": {"field_type": "@a", "max_length": MANY, "actual_length": 777_777},
    "literal_error": {"expected": "@a"},
    "value_error": {"error": "@a"},
    "json_invalid": {"error": "@a"},
    "date_parsing": {"error": "@a"},
    "date_from_datetime_parsing": {"error": "@a"},
    "datetime_parsing": {"error": "@a"},
    "datetime_from_date_parsing": {"error": "@a"},
}
"""The same, with values in what is said of them."""

KEYWORDS = {"_": None, "gettext": None, "mark": None, "ngettext": (1, 2)}
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
JINJA = {"**/templates/**.html": {"trim_blocks": "true", "lstrip_blocks": "true", "newstyle_gettext": "true"}}


def gathered() -> Catalog:
    """Return every message that the code has, in the order of the alphabet."""
    found: dict[str | tuple[str, ...], None] = {}
    for folder in FOLDERS:
        for _file, _line, message, *_more in extract_from_dir(
            str(ROOT / "app" / "web" / folder), METHODS, JINJA, KEYWORDS
        ):
            found[tuple(message) if isinstance(message, (list, tuple)) else message] = None
    found |= dict.fromkeys((*words_of_kinds(), *words_of_settings(), *words_of_steps(), *words_of_models()))
    found |= dict.fromkeys(said_texts.walked().found)
    found |= dict.fromkeys(PHRASES)
    catalog = Catalog(project="Daemon", charset="utf-8")
    for each in sorted(found, key=lambda one: one if isinstance(one, str) else one[0]):
        catalog.add(each)
    return catalog


def words_of_kinds() -> list[str]:
    """What the kinds are called that come with Daemon, what is said of them, and their fields."""
    files = sorted((ROOT / "app" / "entries" / "kind_files").glob("*.json"))
    said = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    titles = [words for kind in said for words in (kind["title"], kind["description"])]
    return [*titles, *sorted(known_labels())]


def words_of_steps() -> list[str]:
    """What the steps of an upgrade are called."""
    files = sorted((ROOT / "app" / "upgrade" / "legacy" / "shapes").glob("[a-z]*.py"))
    titles = [row.title for row in SCHEMA_VERSIONS]
    return [*titles, *(get_shape(path.stem).TITLE for path in files)]


def words_of_models() -> list[str]:
    """What Pydantic says of a body or a parameter that is not of its form, with numbered holes."""
    found = [PydanticKnownError(name).message() for name in PLAIN_FAULTS]
    for name, values in FAULTS_WITH_VALUES.items():
        for one in (1, MANY):  # a character, characters
            text = PydanticKnownError(
                name, {key: one if value == MANY else value for key, value in values.items()}
            )
            shown = text.message()
            for number, value in enumerate(one if each == MANY else each for each in values.values()):
                shown = shown.replace(str(value), f"{{{number}}}")
            found.append(shown)
    return list(dict.fromkeys(found))


def words_of_settings() -> list[str]:
    """What is said of each setting, and what it may be."""
    return [words for row in ROWS.values() for words in (row.help, row.allowed)]


def languages() -> list[Path]:
    """The file of each language."""
    return sorted(TRANSLATIONS.glob("*/LC_MESSAGES/messages.po"))


def read(path: Path) -> Catalog:
    """Return the messages of a language."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3])


def read_messages(text: str) -> Catalog:
    """Return the messages of a file without translations."""
    return read_po(BytesIO(text.encode()))


def write(path: Path, catalog: Catalog) -> None:
    """Write a file that is the same whenever the messages are: no time, no version of a program."""
    made = BytesIO()
    write_po(made, catalog, omit_header=False, width=110, no_location=True, ignore_obsolete=True)
    lines = made.getvalue().decode().split("\n")
    kept = [line for line in lines if not line.startswith(('"POT-Creation', '"PO-Revision', '"Generated-By'))]
    kept = [
        line for line in kept if not line.startswith(('"Last-Translator', '"Language-Team', '"Report-Msgid'))
    ]
    text = "\n".join(
        line for line in kept if not line.startswith("# ") and line != "#" and line != "#, fuzzy"
    )
    path.write_text(text.lstrip("\n"), encoding="utf-8")


def main() -> None:
    """Gather, and bring each language up to date."""
    catalog = gathered()
    write(TRANSLATIONS / "messages.pot", catalog)
    for path in languages():
        known = read(path)
        made = Catalog(locale=path.parts[-3], project="Daemon", charset="utf-8")
        for each in catalog:
            if each.id:
                before = known.get(each.id[0] if isinstance(each.id, tuple) else each.id)
                made.add(each.id, before.string if before is not None else None)
        write(path, made)


if __name__ == "__main__":
    main()
