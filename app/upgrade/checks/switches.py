"""Text in boolean columns, in words. Who and what is off because of it, and what is to be typed?"""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from itertools import groupby

from app.upgrade.legacy.switches import OddSwitches, Switch
from app.upgrade.model import Plan, Problem

READ_AS_ON, NO_ADMIN, NOT_READ = "switches_on", "no_admin_left", "switches_not_read"
NAMED_IN_COMMANDS = 5
# By table and column: the code of the finding, what they are, what follows, which command turns one on again.
_OFF = {
    ("users", "is_active"): ("accounts_off", "accounts", "they cannot log in", "activate"),
    ("users", "is_admin"): ("admins_off", "accounts", "they are no admins", "admin"),
    ("endpoints", "is_active"): ("kinds_off", "kinds", "their entries are shown to no one but admins", ""),
    ("endpoints", "is_public"): ("kinds_not_public", "kinds", "their entries are shown to no stranger", ""),
    ("data_entries", "is_active"): ("entries_off", "entries", "they count as deleted", ""),
    ("api_keys", "is_active"): ("keys_off", "API keys", "they let no one in", ""),
}


def about_switches(odd: OddSwitches, *, are_read: bool) -> list[Problem]:
    """Return what is to be known of switches with texts in them; ``are_read`` by the steps of the plan."""
    if not odd.found:
        return []
    if not are_read:
        return [_not_read(odd.found)]
    return [*_no_admin(odd), *_off(odd.found), *_on(odd.found)]


def notes_of(plan: Plan) -> list[str]:
    """Return the same for the report of an upgrade."""
    ours = (READ_AS_ON, NO_ADMIN, *(code for code, *_ in _OFF.values()))
    return [f"{each.message} {each.hint}".strip() for each in plan.warnings if each.code in ours]


def _no_admin(odd: OddSwitches) -> Iterator[Problem]:
    if odd.lost_admins:
        names = ", ".join(odd.lost_admins)
        first = shlex.quote(odd.lost_admins[0])
        yield Problem(
            NO_ADMIN,
            f"After the upgrade no account is an active admin: {names} was one by a value that is off now.",
            f"After it: daemon user admin {first} && daemon user activate {first}",
        )


def _off(found: tuple[Switch, ...]) -> Iterator[Problem]:
    """One finding a column, with all whom it is about."""
    off = [each for each in found if not each.is_on]
    for place, each in groupby(off, key=lambda one: (one.table, one.column)):
        alike = list(each)
        code, what, then, verb = _OFF[place]
        yield Problem(
            code,
            f"Of the {what} {_named(alike)} the switch {place[1]} holds no 0 or 1 and no text that says yes: "
            f"it is off, {then}. Old servers took such a value for yes where they looked at the value.",
            _commands(verb, [one.name for one in alike]) if verb else "",
        )


def _on(found: tuple[Switch, ...]) -> Iterator[Problem]:
    on = [each for each in found if each.is_on]
    if on:
        yield Problem(
            READ_AS_ON,
            f"{_count(len(on), 'switch holds a text that means', 'switches hold texts that mean')} yes, and "
            f"on it is: {_places(on)}. The text is kept in kept_values.",
        )


def _not_read(found: tuple[Switch, ...]) -> Problem:
    return Problem(
        NOT_READ,
        f"{_count(len(found), 'switch holds', 'switches hold')} something else than 0 or 1, and that counts "
        f"as off: {_places(found)}.",
        "To have texts read as what they say (true, t, yes, on, 1): daemon upgrade run --repair",
    )


def _places(found: tuple[Switch, ...] | list[Switch]) -> str:
    groups = groupby(found, key=lambda one: (one.table, one.column))
    return "; ".join(f"{table}.{column} of {_named(list(each))}" for (table, column), each in groups)


def _named(alike: list[Switch]) -> str:
    """Name them all: entries by id, all else by name, with what is in the switch."""
    if alike[0].table == "data_entries":
        return _spans([one.row_id for one in alike])
    return ", ".join(f"{one.name} ({one.value!r})" for one in alike)


def _commands(verb: str, names: list[str]) -> str:
    commands = [f"daemon user {verb} {shlex.quote(name)}" for name in names[:NAMED_IN_COMMANDS]]
    more = "   and so on" if len(names) > NAMED_IN_COMMANDS else ""
    return f"What is to be on, after the upgrade: {' && '.join(commands)}{more}"


def _count(count: int, one: str, many: str) -> str:
    return f"{count} {one if count == 1 else many}"


def _spans(ids: list[int]) -> str:
    """Write ids short: "2-5, 9"."""
    spans: list[list[int]] = []
    for number in sorted(ids):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)
