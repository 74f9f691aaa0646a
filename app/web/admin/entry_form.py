"""Look of the form of an entry. Which fields stand at its top, what must be filled in, what is wrong where?

What the schema of a kind can demand stands at the top, and so does the title that counts. What is refused is
said by what the fields are called in the form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from app.entries.entry import pointer_of
from app.web.admin.api import Answer
from app.web.admin.entry_fields import REST, fields_of, has_content
from app.web.admin.field_labels import refusal_in_words
from app.web.admin.language import _
from app.web.pages.shown_entry import label_of, spoken_label
from app.web.said import said

_BRANCHES_MOST = 6
_TITLES = ("title", "name")
Demand = tuple[str, ...]


@dataclass(frozen=True)
class Shown:
    """A field as it is shown: its name in the form, its label, where its value stands (JSON Pointer)."""

    form_name: str
    label: str
    pointer: str
    rows: int = 1
    help: str = ""


@dataclass(frozen=True)
class Layout:
    """The fields at the top of a form, those that are folded away, and what must be filled in, in words."""

    top: list[Shown]
    more: list[Shown]
    needed: str

    @property
    def labels(self) -> dict[str, str]:
        """What the field of a place is called, by JSON Pointer."""
        return {each.pointer: each.label for each in (*self.top, *self.more)}


def layout_of(schema: Mapping[str, Any], values: Mapping[str, str]) -> Layout:
    """Return where which field of a kind stands, for what is in them by now."""
    demanded = {name for names in demands_of(schema) for name in names}
    own = _own_titles(schema)
    is_of_meta = not own or (bool(values.get("m.title")) and not any(values.get(f"f.{each}") for each in own))
    of_meta = Shown("m.title", _("Title") if is_of_meta else _("Another title, shown instead"), "/meta/title")
    first: list[Shown] = [of_meta] if is_of_meta else []
    more: list[Shown] = [] if is_of_meta else [of_meta]
    last: list[Shown] = []
    for each in fields_of(schema):
        label = spoken_label(label_of("title")) if each.name == "title" and not is_of_meta else each.label
        shown = Shown(each.form_name, label, pointer_of([each.name]), 3 if each.is_long else 1)
        is_top = each.name in demanded or (not is_of_meta and each.name == own[0])
        (more if not is_top else last if each.is_long else first).append(shown)
    if has_content(schema):
        help_ = _("In Markdown: *slanted*, **bold**, - a list, [words](address).")
        first.append(Shown("content", _("Text"), "/content", 12, help_))
    made, demands = Layout([*first, *last], more, ""), demands_of(schema)
    return replace(made, needed=_alternatives(demands, made.labels) if demands and all(demands) else "")


def demands_of(schema: Mapping[str, Any]) -> list[Demand]:
    """Return the members that content must have, in each of the ways in which it may: any one is enough."""
    always = _names(schema)
    for word in ("anyOf", "oneOf"):
        branches = schema.get(word)
        if isinstance(branches, list) and 0 < len(branches) <= _BRANCHES_MOST:
            return [tuple(dict.fromkeys((*always, *_names(each)))) for each in branches]
    return [always] if always else []


def refused(schema: Mapping[str, Any], content: Mapping[str, Any], refusal: Answer, layout: Layout) -> Answer:
    """Return a refusal of content in the words of its form: what to fill in, and beside which field."""
    body = refusal.body if isinstance(refusal.body, dict) else {}
    errors = [each for each in body.get("errors", ()) if isinstance(each, dict)]
    demands = demands_of(schema)
    is_missing = demands and not any(all(name in content for name in names) for names in demands)
    if not is_missing or not any(each.get("pointer") == "" for each in errors):
        return refusal_in_words(refusal, {**layout.labels, f"/{REST}": _("Everything else, as JSON")})
    sentence = _("Fill in: %(fields)s.", fields=_alternatives(demands, layout.labels))
    others = [each for each in errors if each.get("pointer") != ""]
    nearest = min(demands, key=lambda names: _missing(names, content, layout))
    beside = [pointer_of([name]) for name in nearest if name not in content]
    faults = [{"pointer": each, "detail": _("Fill this in.")} for each in beside]
    rest = refusal_in_words(refusal._replace(body={"errors": others}), layout.labels) if others else None
    detail = sentence + (f" {rest.body['detail']}" if rest else "")
    told = [{**each, "detail": said(each.get("detail", ""))} for each in others]
    return refusal._replace(body={"detail": detail, "errors": [*faults, *told], "is_said": True})


def _missing(names: Demand, content: Mapping[str, Any], layout: Layout) -> tuple[bool, bool, int]:
    """How far content is from having these: what has no field is furthest, what was begun is nearest."""
    missing = [name for name in names if name not in content]
    has_no_field = any(pointer_of([name]) not in layout.labels for name in missing)
    return has_no_field, len(missing) == len(names), len(missing)


def _own_titles(schema: Mapping[str, Any]) -> list[str]:
    """The members of the data itself that are the title of an entry."""
    found = {each.name for each in fields_of(schema)}
    demanded = [name for names in demands_of(schema) for name in names if name in _TITLES and name in found]
    return list(dict.fromkeys(demanded)) or [name for name in _TITLES if name in found]


def _alternatives(demands: list[Demand], labels: Mapping[str, str]) -> str:
    """Say what is enough: "Title and Author, or Text", and of what has no field only if it must be."""
    in_fields = [names for names in demands if all(pointer_of([name]) in labels for name in names)]
    ways = sorted(in_fields or demands, key=lambda names: "content" in names)
    both, either = _("and"), _("or")
    return f", {either} ".join(f" {both} ".join(_called(names, labels)) for names in ways)


def _called(names: Demand, labels: Mapping[str, str]) -> Iterator[str]:
    for name in names:
        label = spoken_label(label_of(name))
        yield labels.get(pointer_of([name])) or _("%(name)s (below, as JSON)", name=label)


def _names(schema: object) -> Demand:
    found = schema.get("required") if isinstance(schema, dict) else None
    names = found if isinstance(found, list) else []
    return tuple(each for each in names if isinstance(each, str) and each not in ("meta", "visibility"))
