"""Columns of a CSV file in the browser. Which does a refusal name, and what may each become?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from app.web.admin import entry_fields
from app.web.admin.language import _

if TYPE_CHECKING:
    from app.web.admin.api import Answer
    from app.web.admin.form_data import Form

_POINTER = "/columns/"
_LISTS = ("tags", "genres")  # of words, with commas or semicolons between
_META = ("meta.title", "meta.tags", "meta.date", "meta.language")


def unknown_columns(refusal: Answer) -> list[str]:
    """Return the columns that the API does not know what to do with, by its pointers; else none."""
    body = refusal.body if isinstance(refusal.body, dict) else {}
    pointers = [str(each.get("pointer", "")) for each in body.get("errors", ())]
    named = [each.removeprefix(_POINTER) for each in pointers if each.startswith(_POINTER)]
    return [each.replace("~1", "/").replace("~0", "~") for each in named]


def members_of(schema: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what a column may become in a kind, in words: texts, lists of words, title, tags, date."""
    found = [(each.name, each.label) for each in entry_fields.fields_of(schema)]
    found += [
        (name, entry_fields.label_of_field(name))
        for name in _LISTS
        if name in (schema.get("properties") or {})
    ]
    if entry_fields.has_content(schema):
        found.append(("content", _("Text")))
    titles = (_("Title"), _("Tags"), _("Date"), _("Language"))
    found += zip(_META, titles, strict=True)
    found.append(("id", _("Number or name by which a row is known again")))
    return [pair for pair in found if not {"=", "."} & set(pair[0].removeprefix("meta."))]


def guessed(columns: list[str], members: list[tuple[str, str]]) -> dict[str, str]:
    """Return, by column, the member of the same name; each member once."""
    by_name: dict[str, str] = {}
    for member, label in members:
        for name in (member.removeprefix("meta."), label):
            by_name.setdefault(name.casefold(), member)
    by_name.setdefault("text", "content")
    found: dict[str, str] = {}
    for column in columns:
        member = by_name.get(column.casefold(), "")
        if member in dict(members) and member not in found.values():
            found[column] = member
    return found


def chosen_columns(form: Form) -> dict[str, str]:
    """Return what was chosen in a form, by column: its fields `columns` are `MEMBER=COLUMN`."""
    pairs = (each.replace("\r\n", "\n").partition("=") for each in form.all("columns"))
    return {column: member for member, _sign, column in pairs if member and column}


def fault_in(form: Form) -> str:
    """Return what is wrong with what was chosen in a form, in a sentence; else nothing."""
    members = list(chosen_columns(form).values())
    if form.has("columns") and not members:
        return _("Choose at least one column. Nothing is added yet.")
    if len(members) > len(set(members)):
        return _("Two columns cannot become the same. Nothing is added yet.")
    return ""
