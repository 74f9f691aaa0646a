"""Lines of a report. How is what a command would say of the database, line by line, said on a screen?

The rooms write a report for a terminal, in English: headings, lists, counts. Here each line is taken apart,
its sentence is said in the language of the screen, and its place in the report stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.web.admin.language import _, mark
from app.web.admin.shown import kind_name, visibility_word
from app.web.said import said
from app.web.words import DEFAULT, spoken

_LINE = re.compile(r"(\s*(?:- |\d{1,3}\. )?)(.*?)((?: \([\w:.]+\))?:?)")
_LABELLED = re.compile(r"(Detected:|Recorded:)( +)(.*)")
_OF_HIDDEN = " " * 6  # before an entry that strangers would no longer see
_HIDDEN = re.compile(r"([^\s:]+) (\d+) of ([^:]+): (.+)")
_COUNTED = re.compile(r"( *)([^:]+): (\d+ (?:new|changed|deleted)(?:, \d+ (?:new|changed|deleted))*)")
_THEN = re.compile(r"( *)([^:]+): (\d+) rows then, (\d+) now")
CALLED = {
    "entries": mark("entries"),
    "people": mark("people"),
    "API keys": mark("API keys"),
    "kinds": mark("kinds"),
    "share links": mark("share links"),
    "lines of the audit": mark("lines of the audit"),
    "privacy rules": mark("privacy rules"),
    "privacy settings": mark("privacy settings"),
}
"""How tables are called in a report (`upgrade/operations/would_be_lost.py`); any other by its own name."""

_VISIBILITY = re.compile(r"it is (public|unlisted|private): (.+)")
_DIFFERS = re.compile(
    r"(missing|changed|extra|yours): (table|column|index|constraint|trigger|view) ([^(]*)(?:\((.*)\))?"
)
DIFFERENCES = {
    "missing": mark("missing"),
    "changed": mark("changed"),
    "extra": mark("too much"),
    "yours": mark("yours"),
}
OBJECTS = {
    "table": mark("table"),
    "column": mark("column"),
    "index": mark("index"),
    "constraint": mark("constraint"),
    "trigger": mark("trigger"),
    "view": mark("view"),
}
"""What is in a schema, and how it may differ from that of a version."""

LABELS = {"Detected:": mark("Detected:"), "Recorded:": mark("Recorded:")}
CHANGES = {"new": mark("new"), "changed": mark("changed"), "deleted": mark("deleted")}


def report_line(line: str) -> str:
    """Return a line of a report in the language of the request: plain text, to be escaped."""
    if spoken() == DEFAULT:
        return line  # as the command says it
    counted = _COUNTED.fullmatch(line) or _THEN.fullmatch(line)
    if counted is not None:
        return counted[1] + _counted(*counted.groups()[1:])
    found = _LINE.fullmatch(line)
    if found is None:
        return said(line)
    before, sentence, after = found.groups()
    told = _sentence(sentence + after, line)
    if told == sentence + after:
        told = _sentence(sentence, line) + after
    return before + told if told != sentence + after else said(line)


def report(lines: Iterable[str]) -> str:
    """Return a report, its lines one below the other."""
    return "\n".join(map(report_line, lines))


def _sentence(text: str, line: str) -> str:
    if labelled := _LABELLED.fullmatch(text):
        label, space, value = labelled.groups()
        return _(LABELS[label]).ljust(len(label + space)) + said(value)
    if line.startswith(_OF_HIDDEN) and (hidden := _HIDDEN.fullmatch(text)):
        kind, number, owner, why = hidden.groups()
        named = {"kind": kind_name(kind), "id": number, "owner": said(owner), "why": _why(why)}
        return _("%(kind)s %(id)s of %(owner)s: %(why)s", **named)
    if differs := _DIFFERS.fullmatch(text):
        how, what, name, detail = differs.groups()
        more = f" ({said(detail)})" if detail else ""
        return f"{_(DIFFERENCES[how])}: {_(OBJECTS[what])} {name.strip()}{more}"
    return said(text)


def _counted(name: str, counts: str, now: str = "") -> str:
    called = _(CALLED[name]) if name in CALLED else said(name)
    if now:
        return _("%(what)s: %(was)s rows then, %(now)s now", what=called, was=counts, now=now)
    parts = (each.split(" ", 1) for each in counts.split(", "))
    return f"{called}: " + ", ".join(f"{count} {_(CHANGES[word])}" for count, word in parts)


def _why(reason: str) -> str:
    found = _VISIBILITY.fullmatch(reason)
    if found is None:
        return said(reason)
    seen = visibility_word(found[1]).lower()
    return _("it is %(visibility)s: %(why)s", visibility=seen, why=said(found[2]))
