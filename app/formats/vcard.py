"""vCard 2.1, 3.0, 4.0. Which people do the cards of a phone hold?

Each card becomes an entry of the kind `contacts`, which is private. Numbers, addresses and birthdays are
fields of their own, on no level's list, and never part of the text; pictures stay in the source.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import replace

from app.formats.items import Choices, Content, Found, LeftOut
from app.formats.vcard_lines import VALUE_CHARACTERS_MOST, Card, Property, read_cards

NAME = "vCard"
KIND = "contacts"
_PICTURES = ("PHOTO", "LOGO", "SOUND", "KEY")
_MADE_BY_PROGRAMS = frozenset(
    {"VERSION", "PRODID", "REV", "UID", "N", "FN", "CLASS", "MAILER", "SORT-STRING"}
)
_ADDRESS = ("po_box", "extended", "street", "city", "region", "postal_code", "country")
_LISTS = {"TEL": "phones", "EMAIL": "emails", "URL": "urls", "IMPP": "messengers", "ADR": "addresses"}
_TEXTS = {
    "ORG": "organization",
    "TITLE": "role",
    "ROLE": "role",
    "NICKNAME": "nickname",
    "BDAY": "birthday",
    "ANNIVERSARY": "anniversary",
    "GENDER": "gender",
}
_DAY = re.compile(r"(\d{4}|--)-?(\d{2})-?(\d{2})(?:T.*)?")


def is_vcard(path: str, content: bytes) -> bool:
    """Whether a file is one of cards, by its name or its first line."""
    return path.lower().endswith((".vcf", ".vcard")) or b"BEGIN:VCARD" in content[:200].upper()


def read_file(path: str, content: bytes, choices: Choices) -> Iterator[Found]:
    """Yield an entry for each card. Raises InvalidContent."""
    seen: dict[str, int] = {}
    for card in read_cards(content, path, choices.encoding):
        found = _entry(card, path)
        count = seen[found.source_id] = seen.get(found.source_id, 0) + 1
        if count > 1:  # the same person twice in one file stays twice
            found = replace(found, source_id=f"{found.source_id}:{count}")
        yield found


def _entry(card: Card, path: str) -> Found:
    place = f"{path}, card {card.number}"
    content: Content = {"name": _name(card)}
    others: dict[str, list[str]] = {}
    left_out: list[LeftOut] = []
    labels = {each.group: _label(each.text()) for each in card.of("X-ABLABEL") if each.group}
    for each in card.properties:
        if each.name in _PICTURES or len(each.value) > VALUE_CHARACTERS_MOST:
            left_out.append(LeftOut(f"{place}: {each.name}", "a picture or a key; it stays in the source"))
        elif each.name in _LISTS:
            content.setdefault(_LISTS[each.name], []).append(_of_list(each, labels.get(each.group or "")))
        elif each.name in _TEXTS:
            content.setdefault(_TEXTS[each.name], _text(each))
        elif each.name == "NOTE":
            content["note"] = "\n\n".join(filter(None, [content.get("note"), each.text()]))
        elif each.name == "CATEGORIES":
            content.setdefault("tags", []).extend(
                tag for part in each.value.split(",") if (tag := part.strip())
            )
        elif each.name not in _MADE_BY_PROGRAMS and each.name != "X-ABLABEL":
            others.setdefault(each.name, []).append(each.text())
    if others:
        content["vcard"] = others
    return Found(_source_id(card), KIND, content, place, is_hidden=True, left_out=tuple(left_out))


def _source_id(card: Card) -> str:
    uid = card.first("UID")
    if uid:
        return f"vcard:{uid}"
    known = "\n".join([_name(card), *sorted(each.text() for each in card.of("EMAIL", "TEL"))])
    return f"vcard:{hashlib.sha256(known.encode()).hexdigest()}"


def _name(card: Card) -> str:
    """FN, else what N's five parts say in the order in which a name is spoken, else how to reach them."""
    written = card.first("FN")
    if written:
        return written
    for each in card.of("N"):
        family, given, middle, before, after = [*each.parts(), "", "", "", "", ""][:5]
        spoken = " ".join(filter(None, [before, given, middle, family, after]))
        if spoken:
            return spoken
    return card.first("ORG", "NICKNAME", "EMAIL", "TEL") or "(no name)"


def _of_list(each: Property, label: str | None) -> Content:
    types = sorted(each.types - {"pref", "internet", "voice", "x-internet"})
    if each.name == "ADR":
        parts = dict(zip(_ADDRESS, each.parts(), strict=False))
        found: Content = {name: part for name, part in parts.items() if part}
        if each.parameters.get("LABEL"):
            found["label"] = each.parameters["LABEL"]
    else:
        text = each.text()
        found = {"value": text[4:] if text.lower().startswith("tel:") else text}
    if types:
        found["types"] = types
    if label:
        found["label"] = label
    if "pref" in each.types or "PREF" in each.parameters:
        found["preferred"] = True
    return found


def _label(text: str) -> str:
    found = re.fullmatch(r"_\$!<(.*)>!\$_", text)
    return found[1] if found else text


def _text(each: Property) -> str:
    if each.name == "BDAY" and (day := _DAY.fullmatch(each.text())):
        return f"{day[1]}-{day[2]}-{day[3]}" if day[1] != "--" else f"--{day[2]}-{day[3]}"
    if each.name == "ORG":
        return ", ".join(filter(None, each.parts()))
    return each.text()
