"""Audiences and findings. What is shown to whom of an entry, and what is it called, for the screens?"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.entries.kinds import built_in
from app.sizes import size_in_words
from app.web.admin.language import _, mark
from app.web.pages.shown_entry import ShownEntry, shown_entry
from app.web.words import spoken

AUDIENCES = {
    "stranger public_full": mark("anyone who looks at your page"),
    "assistant ai_safe": mark("AI assistants"),
    "stranger ai_safe": mark("anyone who asks for what is safe for AI"),
    "stranger professional": mark("anyone who asks for your professional side"),
    "stranger business_card": mark("anyone who asks for your business card"),
}
KINDS_FOUND = {
    "mail": mark("a mail address"),
    "phone": mark("a telephone number"),
    "card": mark("a card number"),
    "secret": mark("a password or key"),
    "iban": mark("an account number (IBAN)"),
    "us_ssn": mark("a social security number"),
    "street_address": mark("a street address"),
    "birth_date": mark("a date of birth"),
    "coordinates": mark("coordinates of a place"),
    "ip": mark("an IP address"),
    "mac": mark("an address of a device (MAC)"),
    "never_list": mark("a word of your never-list"),
}
VISIBILITIES = {
    "public": mark("Public"),
    "unlisted": mark("Unlisted: only who has a share link"),
    "private": mark("Private: only you"),
}

ROLE_WORDS = {
    "admin": mark("Admin: sees and decides everything"),
    "member": mark("Member: writes their own entries"),
    "reader": mark("Reader: only reads"),
}
DONE_WORDS = {
    "initialised": mark("The database was made"),
    "adopted": mark("The database was taken over"),
    "upgraded": mark("Upgraded"),
    "rolled back": mark("Upgrade rolled back"),
    "restored": mark("A backup was put back"),
    "cut short": mark("Begun, and not ended"),
    "failed": mark("Failed; nothing was changed"),
    "claim": mark("Written down by an older version"),
    "repaired": mark("The database was repaired"),
    "moved": mark("Moved from or to another database"),
}
"""What the history of an installation calls what was done, and what screens call it."""


_LINE = re.compile(r"(.+), line (\d+)")


@dataclass
class SeenBy:
    """What some audiences are shown alike; ``entry`` None: nothing."""

    entry: ShownEntry | None
    audiences: list[str] = field(default_factory=list)


def seen_by(previews: Sequence[Mapping[str, Any]]) -> list[SeenBy]:
    """Return what audiences are shown, those who are shown the same together; the widest first."""
    answers = {f"{each['as']} {each['level']}": each["answer"] for each in previews}
    found: list[tuple[Any, SeenBy]] = []
    for audience, said in AUDIENCES.items():
        answer = answers.get(audience)
        data = None if answer is None else answer["data"]
        same = next((seen for shown, seen in found if shown == data), None)
        if same is None:
            entry = None if answer is None else shown_entry(answer, 3, is_whole=True)
            same = SeenBy(entry)
            found.append((data, same))
        same.audiences.append(_(said))
    return [seen for _data, seen in found]


@dataclass(frozen=True)
class ShownFinding:
    """Something found in a text: where and what it is, the text of it, and what can be done."""

    what: str
    where: str
    text: str
    shown_at: str
    is_hidden_somewhere: bool
    released: int | None
    release: Mapping[str, Any] | None


def shown_findings(findings: Sequence[Mapping[str, Any]], data: Any) -> list[ShownFinding]:
    """Return the findings of an entry as they are shown beside its text."""
    return [_shown(each, data) for each in without_inner(findings)]


def without_inner(findings: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the findings without those that lie in a longer one, which hides them whatever is released.

    Part of an account number looks like a card number: it is named once the account number is released.
    """
    inner: set[int] = set()
    widest: Mapping[str, Any] = {}
    for at, each in sorted(enumerate(findings), key=lambda one: _place_of(one[1])):
        if widest and _hides(widest, each):
            inner.add(at)
        elif not widest or _text_of(widest) != _text_of(each) or each["end"] > widest["end"]:
            widest = each
    return [each for at, each in enumerate(findings) if at not in inner]


def _text_of(finding: Mapping[str, Any]) -> tuple[int, str]:
    return int(finding.get("entry_id") or 0), str(finding["pointer"])


def _place_of(finding: Mapping[str, Any]) -> tuple[int, str, int, int]:
    return *_text_of(finding), finding["start"], -finding["end"]


def _hides(outer: Mapping[str, Any], inner: Mapping[str, Any]) -> bool:
    """Whether a longer finding that begins no later hides another one wherever that is hidden."""
    is_longer = outer["end"] - outer["start"] > inner["end"] - inner["start"]
    is_in = _text_of(outer) == _text_of(inner) and inner["end"] <= outer["end"] and is_longer
    fates = ((outer["levels"].get(level), fate) for level, fate in inner["levels"].items())
    return is_in and not outer["released"] and all(its != "shown" or fate == "shown" for its, fate in fates)


def _shown(finding: Mapping[str, Any], data: Any) -> ShownFinding:
    levels = finding["levels"]
    shown = [name for name, fate in levels.items() if fate == "shown"]
    kind = str(finding["kind"])
    return ShownFinding(
        found_word(kind),
        str(finding["pointer"]).strip("/").replace("/", " › ") or _("the text"),
        _text_at(data, finding),
        ", ".join(shown),
        any(fate == "hidden" for fate in levels.values()),
        finding["released"],
        finding["release"],
    )


def _text_at(data: Any, finding: Mapping[str, Any]) -> str:
    value = data
    for token in str(finding["pointer"]).split("/")[1:]:
        name = token.replace("~1", "/").replace("~0", "~")
        if isinstance(value, list) and name.isdigit() and int(name) < len(value):
            value = value[int(name)]
        elif isinstance(value, dict) and name in value:
            value = value[name]
        else:
            return ""
    return value[finding["start"] : finding["end"]] if isinstance(value, str) else str(value)


def found_word(kind: str) -> str:
    """Return what something that was found in a text is called."""
    if kind.startswith("id_"):
        return _("a number of a person (%(country)s)", country=kind[3:].upper())
    return _(KINDS_FOUND[kind]) if kind in KINDS_FOUND else kind.replace("_", " ")


def kind_name(name: str, title: str = "") -> str:
    """Return what a kind of this name is called: of one that a person made up its title, or else its name."""
    known = built_in().get(name.removeprefix("~"))
    return _(known.title) if known else title or name


def place_said(place: str) -> str:
    """Return where in a file something stands: of a line of it the number, in the language of the screen."""
    found = _LINE.fullmatch(place)
    return _("%(file)s, line %(number)s", file=found[1], number=found[2]) if found else place


def moment(value: object) -> str:
    """Return a point of time as people read it, to the minute; empty for none."""
    text = str(value or "")
    return f"{text[:10]} {text[11:16]} UTC" if text[10:11] in ("T", " ") else text


def size_said(size_bytes: float | None) -> str:
    """Return a size as people read it, with the signs of the language; empty for none."""
    if size_bytes is None:
        return ""
    from babel.numbers import get_decimal_symbol, get_group_symbol

    signs: dict[str, str | int | None] = {".": get_decimal_symbol(spoken()), ",": get_group_symbol(spoken())}
    return size_in_words(size_bytes).translate(str.maketrans(signs))


def visibility_word(visibility: str) -> str:
    """Return what a visibility is called, without what it means."""
    return _(VISIBILITIES[visibility]).partition(":")[0] if visibility in VISIBILITIES else visibility


def role_word(role: str) -> str:
    """Return what a role is called, without what it may do."""
    return _(ROLE_WORDS[role]).partition(":")[0] if role in ROLE_WORDS else role


def done_word(what: str) -> str:
    """Return what a screen calls something in the history."""
    return _(DONE_WORDS[what]) if what in DONE_WORDS else what.replace("_", " ")


def kind_title(kind: Mapping[str, Any]) -> str:
    """Return what a kind is called, in the language of the screen where it comes with Daemon."""
    return _(kind["title"]) if kind["is_builtin"] else str(kind["title"])


def title_of(view: Mapping[str, Any]) -> str:
    """Return by what an entry is called in a list: its title, or how it begins."""
    entry = shown_entry(view, 3, is_whole=False)
    if entry.record.title:
        return entry.record.title
    words = " ".join(entry.record.text.striptags().split())
    return words[:80] or _("Entry %(number)s", number=view["id"])
