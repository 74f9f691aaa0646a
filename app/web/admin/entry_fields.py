"""Form of an entry. Which fields does the editor have for a kind, and which content do they become?

Whatever an entry has that no field of the editor is for stands in one text as JSON, so that nothing of it is
lost by a change.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.entries.entry import invalid
from app.web.admin.form_data import Form
from app.web.admin.language import _
from app.web.admin.shown import visibility_word
from app.web.pages.shown_entry import label_of, spoken_label

META_TEXTS = ("title", "date", "language", "publish_at", "expires_at")
REST = "rest"
LONG_FIELDS = ("bio", "description", "summary")
_NOT_FIELDS = ("content", "meta", "visibility")


@dataclass(frozen=True)
class Field:
    """A text of a kind besides its content: its name, what it is called, and whether it has several lines."""

    name: str
    label: str
    is_long: bool

    @property
    def form_name(self) -> str:
        """What it is called in the form."""
        return f"f.{self.name}"


def fields_of(schema: Mapping[str, Any]) -> list[Field]:
    """Return the texts that a kind may have at its top, in the order of its schema."""
    found = schema.get("properties") or {}
    return [
        Field(name, label_of_field(name), name in LONG_FIELDS)
        for name, said in found.items()
        if name not in _NOT_FIELDS and isinstance(said, dict) and _is_text(said.get("type"))
    ]


def has_content(schema: Mapping[str, Any]) -> bool:
    """Whether entries of a kind have a text in Markdown."""
    return "content" in (schema.get("properties") or {"content": {}})


def values_of(schema: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, str]:
    """Return what stands in the fields for an entry as its owner sees it."""
    data = entry.get("data")
    content: Mapping[str, Any] = data if isinstance(data, dict) else {}
    meta = content.get("meta") if isinstance(content.get("meta"), dict) else {}
    assert isinstance(meta, dict)
    values = {f"m.{name}": _text(meta.get(name)) for name in META_TEXTS}
    values["m.tags"] = ", ".join(meta["tags"]) if _has_field("tags", meta.get("tags")) else ""
    values["m.status"] = "draft" if _is_draft(meta) else ""
    values["m.visibility"] = str(entry.get("visibility", ""))
    values["content"] = _text(content.get("content"))
    values |= {each.form_name: _text(content.get(each.name)) for each in fields_of(schema)}
    rest = _rest_of(schema, content, meta)
    values[REST] = json.dumps(rest, ensure_ascii=False, indent=2) if rest else ""
    return values


def in_words(schema: Mapping[str, Any], values: Mapping[str, str]) -> dict[str, str]:
    """Return what stands in the fields, by what they are called in the form; what is empty is left out."""
    called = {"m.title": _("Title"), "content": _("Text"), REST: _("Everything else, as JSON")}
    called |= {each.form_name: each.label for each in fields_of(schema)}
    called |= {"m.tags": _("Tags"), "m.visibility": _("Who may see it"), "m.status": _("State")}
    called |= {"m.date": _("Date"), "m.language": _("Language")}
    called |= {"m.publish_at": _("Shown from"), "m.expires_at": _("Shown until")}
    said = {**values, "m.visibility": visibility_word(values["m.visibility"])}
    said["m.status"] = _("Draft") if values["m.status"] else _("Published")
    return {words: said[name] for name, words in called.items() if said[name]}


def content_of(schema: Mapping[str, Any], form: Form) -> dict[str, Any]:
    """Return the content that a form says; raises InvalidContent where the rest of it is no JSON object."""
    content = _object_in(form.line(REST))
    rest_of_meta = content.pop("meta", None)
    meta: dict[str, Any] = dict(rest_of_meta) if isinstance(rest_of_meta, dict) else {}
    if form.text("content").strip():
        content["content"] = form.text("content")
    for each in fields_of(schema):
        text = form.text(each.form_name) if each.is_long else form.line(each.form_name)
        if text.strip():
            content[each.name] = text
    meta |= {name: form.line(f"m.{name}") for name in META_TEXTS if form.line(f"m.{name}")}
    tags = [word.strip() for word in form.line("m.tags").split(",") if word.strip()]
    if tags:
        meta["tags"] = tags
    if form.line("m.status") == "draft":
        meta["status"] = "draft"
    if form.line("m.visibility"):
        meta["visibility"] = form.line("m.visibility")
    return content | {"meta": meta} if meta else content


def _rest_of(
    schema: Mapping[str, Any], content: Mapping[str, Any], meta: Mapping[str, Any]
) -> dict[str, Any]:
    texts = {each.name for each in fields_of(schema)}
    shown = {
        name for name in (*texts, "content") if isinstance(content.get(name), str) or name not in content
    }
    rest = {
        name: value
        for name, value in content.items()
        if name not in shown and name not in ("meta", "visibility") and not (name in texts and value is None)
    }
    of_meta = {name: value for name, value in meta.items() if not _has_field(name, value)}
    if of_meta:
        rest["meta"] = of_meta
    return rest


def _has_field(name: str, value: Any) -> bool:
    """Whether the editor has a field for a member of `meta`, and its value stands in there as it is."""
    if name in META_TEXTS:
        return isinstance(value, str) or value is None
    if name == "tags":
        return _is_words(value) and not any("," in word or word != word.strip() for word in value)
    return name == "visibility" or (name == "status" and _is_draft({"status": value}))


def _is_draft(meta: Mapping[str, Any]) -> bool:
    status = meta.get("status")
    return isinstance(status, str) and status.strip().casefold() == "draft"


def _is_words(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(word, str) for word in value)


def _is_text(said: object) -> bool:
    return said == "string" or (isinstance(said, list) and sorted(said) == ["null", "string"])


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def label_of_field(name: str) -> str:
    """Return what a member of a kind is called; what `meta` has too is told from it."""
    label = spoken_label(label_of(name))
    return _("%(name)s (in the data)", name=label) if name in (*META_TEXTS, "status", "tags") else label


def _object_in(text: str) -> dict[str, Any]:
    if not text:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise invalid(f"/{REST}", "it is no JSON") from None
    if not isinstance(found, dict):
        raise invalid(f"/{REST}", 'it must be a JSON object: {"name": "value"}')
    return found
