"""Privacy rules of the installation and of everyone who lives there. What does an admin see of them?

First the installation's, by id, then each person's own, by the person's id and the path. A page begins at a
place, which need not be there any more; none looks at more than PEOPLE_MOST people, so it may be a short one.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection

from app.accounts import audit, audit_reading, privacy_settings
from app.entries import policies
from app.entries.json_safe import presentable
from app.entries.privacy_rules import ANYTHING, OWN, RuleView, installation_view
from app.errors import UsageError
from app.privacy.person_settings import HIDE, read_custom_rules

PEOPLE_MOST = 500
CURSOR_FORM = r"^[1-9][0-9]{0,17}(\.[A-Za-z0-9_-]*)?$"
_FORM = re.compile(r"([1-9][0-9]{0,17})(?:\.([A-Za-z0-9_-]*))?")


@dataclass(frozen=True)
class _Place:
    """Where a page begins: at a rule of the installation, or (no rule_id) at a path of a person."""

    rule_id: int | None = None
    user_id: int = 0
    path: str = ""

    def text(self) -> str:
        if self.rule_id is not None:
            return str(self.rule_id)
        path = base64.urlsafe_b64encode(self.path.encode("utf-8", "surrogatepass"))
        return f"{self.user_id}.{path.decode().rstrip('=')}"


def page_of_all(connection: Connection, cursor: str | None, most: int) -> tuple[list[RuleView], str | None]:
    """Return rules from a cursor on, with whose each is, and the cursor of the rest; None: that is all.

    Each is as in `privacy_rules`, and has all its members, `action` and `is_active` too, and besides `owner`
    and `made_by`, names of accounts. Raises UsageError.
    """
    items: list[RuleView] = []
    for place, view in _all_from(connection, _read(cursor), most + 1):
        if len(items) == most or view is None:
            return items, place.text()
        items.append({name: presentable(value) for name, value in view.items()})
    return items, None


def _all_from(connection: Connection, start: _Place, most: int) -> Iterator[tuple[_Place, RuleView | None]]:
    """Yield rules, so many of the installation's at most; a place without one where it has looked enough."""
    if start.rule_id is not None:
        yield from _installations(connection, start.rule_id, most)
    people = privacy_settings.custom_rules_from(connection, start.user_id, PEOPLE_MOST + 1)
    for number, (user_id, username, stored) in enumerate(people):
        if number == PEOPLE_MOST:
            yield _Place(user_id=user_id), None
        rules, _is_odd = read_custom_rules(stored)
        for path, action in sorted(dict(rules).items()):
            if (user_id, path) >= (start.user_id, start.path):
                yield _Place(user_id=user_id, path=path), _own_view(username, path, action)


def _installations(connection: Connection, first_id: int, most: int) -> Iterator[tuple[_Place, RuleView]]:
    rows = policies.rules_from(connection, first_id, most)
    made_by = audit_reading.names_of_makers(connection, audit.CREATE, "data_privacy_rules", [*rows])
    for rule_id, row in rows.items():
        view = {**installation_view(row), "action": HIDE, "owner": None, "made_by": made_by.get(rule_id)}
        yield _Place(rule_id), view


def _own_view(username: str, path: str, action: str) -> RuleView:
    return {
        "id": f"{OWN}:{path}",
        "of": OWN,
        "owner": username,
        "kind": ANYTHING,
        "path": path,
        "action": action,
        "privacy_level": None,
        "field_name": None,
        "pattern": None,
        "is_active": True,
        "made_by": None,
        "created_at": None,
    }


def _read(cursor: str | None) -> _Place:
    if cursor is None:
        return _Place(0)
    if (found := _FORM.fullmatch(cursor)) is None:
        raise _not_ours()
    number, path = int(found[1]), found[2]
    if path is None:
        return _Place(number)
    try:
        read = base64.urlsafe_b64decode(path + "=" * (-len(path) % 4)).decode("utf-8", "surrogatepass")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise _not_ours() from error
    return _Place(user_id=number, path=read)


def _not_ours() -> UsageError:
    return UsageError("The cursor is not one of this list.", hint="Send the `next` of the page before.")
