"""Privacy rules, as doors show and change them: a person's own, and for admins those of the installation.

| whose | id | says |
|---|---|---|
| `own` | `own:` and the path | hide or redact this place of my entries (a row's custom_privacy_rules) |
| `installation` | a number | a row of data_privacy_rules |

Both hold from the next request on: a policy is made of the rows that are there when it is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from sqlalchemy import Connection

from app import clock
from app.accounts import audit
from app.accounts.audit import COMMAND_LINE, Actor
from app.entries import endpoints, policies, privacy_settings
from app.entries.entry import check_json, invalid
from app.entries.json_safe import presentable
from app.errors import Conflict, NotFound
from app.privacy.levels import NAMES
from app.privacy.patterns import missing, pattern
from app.privacy.person_settings import HIDE
from app.privacy.rules import Rule

OWN = "own"
INSTALLATION = "installation"
ANYTHING = "*"
MOST = 500
RuleView = dict[str, Any]
"""A rule as doors show it: id, of ("own", "installation"), and `path` and `action`, or else `kind`, `path`,
`privacy_level`, `field_name`, `pattern`, `is_active`, `created_at`."""


# -- a person's own


def own_rules(connection: Connection, user_id: int) -> list[RuleView]:
    """Return a person's own rules, in their order."""
    rules = privacy_settings.settings_view(connection, user_id)["custom_privacy_rules"]
    return [_own_view(path, action) for path, action in rules.items()]


def add_own_rule(
    connection: Connection, user_id: int, path: str, action: str = HIDE, actor: Actor = COMMAND_LINE
) -> RuleView:
    """Add a rule of a person's own. Raises InvalidContent, and Conflict where the path has one."""
    if path in _own(connection, user_id):
        raise Conflict(f"There is a rule for {path!r} already.", hint="Change that one.")
    return change_own_rule(connection, user_id, path, action, actor)


def change_own_rule(
    connection: Connection, user_id: int, path: str, action: str, actor: Actor = COMMAND_LINE
) -> RuleView:
    """Say what happens at a path; raises InvalidContent."""
    privacy_settings.check_rule(path, action, "/path")
    patch = {"custom_privacy_rules": {path: action}}
    privacy_settings.change_settings(connection, user_id, patch, actor)
    return _own_view(path, action)


def get_own_rule(connection: Connection, user_id: int, path: str) -> RuleView:
    """Return one rule of a person's own; raises NotFound."""
    rules = _own(connection, user_id)
    if path not in rules:
        raise no_such_rule()
    return _own_view(path, rules[path])


def remove_own_rule(connection: Connection, user_id: int, path: str, actor: Actor = COMMAND_LINE) -> None:
    """Take a rule of a person's own away; raises NotFound."""
    get_own_rule(connection, user_id, path)
    privacy_settings.change_settings(connection, user_id, {"custom_privacy_rules": {path: None}}, actor)


def _own(connection: Connection, user_id: int) -> dict[str, str]:
    found: dict[str, str] = privacy_settings.settings_view(connection, user_id)["custom_privacy_rules"]
    return found


def _own_view(path: str, action: str) -> RuleView:
    return {"id": f"{OWN}:{path}", "of": OWN, "path": path, "action": action}


# -- the installation's


@dataclass(frozen=True)
class WantedRule:
    """What a rule of the installation is to say; the names are those of its view."""

    kind: str = ANYTHING
    path: str = ANYTHING
    privacy_level: str | None = None
    field_name: str | None = None
    pattern: str | None = None
    is_active: bool = True


def installation_rules(connection: Connection) -> list[RuleView]:
    """Return the rules of the installation, switched off ones too, by id."""
    return [installation_view(row) for row in policies.all_rules(connection)]


def get_installation_rule(connection: Connection, rule_id: int) -> RuleView:
    """Return one of them; raises NotFound."""
    return installation_view(_row(connection, rule_id))


def add_installation_rule(
    connection: Connection, wanted: WantedRule, actor: Actor = COMMAND_LINE
) -> RuleView:
    """Add a rule of the installation. Raises InvalidContent, and Conflict where there are too many."""
    _check(connection, wanted, _known_anything)
    if len(policies.all_rules(connection)) >= MOST:
        raise Conflict(f"There are {MOST} rules already.", hint="Remove one that holds no more.")
    rule_id = policies.add_rule(connection, _rule_of(wanted), clock.now())
    if not wanted.is_active:
        policies.change_rule(connection, rule_id, {"is_active": 0})
    return _recorded(connection, audit.CREATE, rule_id, actor, None)


def change_installation_rule(
    connection: Connection, rule_id: int, patch: Mapping[str, Any], actor: Actor = COMMAND_LINE
) -> RuleView:
    """Change what a rule of the installation says; raises NotFound, InvalidContent.

    What is stored already and is not changed does not have to be what a new rule must be.
    """
    before = installation_view(_row(connection, rule_id))
    known = {each.name: before[each.name] for each in fields(WantedRule)}
    wanted = replace(WantedRule(**known), **patch)
    _check(connection, wanted, lambda name: name not in patch)
    columns = {**asdict(_rule_of(wanted)), "is_active": int(wanted.is_active)}
    changed = {name: columns[_COLUMN_OF.get(name, name)] for name in patch}
    policies.change_rule(connection, rule_id, {_COLUMN_OF.get(name, name): v for name, v in changed.items()})
    return _recorded(connection, audit.UPDATE, rule_id, actor, before)


def remove_installation_rule(connection: Connection, rule_id: int, actor: Actor = COMMAND_LINE) -> None:
    """Take a rule of the installation away for good; raises NotFound. The audit keeps what it said."""
    before = installation_view(_row(connection, rule_id))
    policies.remove_rule(connection, rule_id)
    _record(connection, audit.DELETE, rule_id, actor, before, None)


def no_such_rule() -> NotFound:
    """Return the one error for every rule that is not there."""
    return NotFound("There is no such rule.", hint="GET /api/v1/privacy/rules lists them.")


# -- inside


_COLUMN_OF = {"kind": "endpoint_name", "path": "field_path"}
_MOST_CHARACTERS = {"kind": 100, "path": 200, "field_name": 50, "pattern": 200}


def _known_anything(_name: str) -> bool:
    return False


def _check(connection: Connection, wanted: WantedRule, is_kept: Callable[[str], bool]) -> None:
    """Raise InvalidContent for a member that is not kept as it was and means nothing."""
    for name, most in _MOST_CHARACTERS.items():
        value = getattr(wanted, name)
        if value is not None and not is_kept(name):
            check_json(value)
            if not value.strip() or len(value) > most:
                raise invalid(f"/{name}", f"a text of up to {most} characters is needed here")
    if not is_kept("kind") and wanted.kind != ANYTHING and not endpoints.find_named(connection, wanted.kind):
        raise invalid("/kind", f'there is no such kind; "{ANYTHING}" is every kind')
    if not is_kept("privacy_level") and wanted.privacy_level not in (None, *NAMES):
        raise invalid("/privacy_level", f"one of {', '.join(NAMES)}, or null for all")
    if (
        wanted.path == ANYTHING
        and wanted.field_name is None
        and wanted.pattern is None
        and wanted.kind == ANYTHING
    ):
        raise invalid("", "a path, a field_name, a pattern or a kind says what is hidden")
    if wanted.pattern is not None and not is_kept("pattern"):
        _check_pattern(wanted.pattern)


def _check_pattern(text: str) -> None:
    if pattern(text) is None and missing() is None:
        raise invalid(
            "/pattern", "it cannot be read, and would hide every text; docs/privacy.md says what can"
        )


def _rule_of(wanted: WantedRule) -> Rule:
    return Rule(wanted.kind, wanted.path, wanted.privacy_level, wanted.field_name, wanted.pattern)


def _row(connection: Connection, rule_id: int) -> Mapping[str, Any]:
    found = next((row for row in policies.all_rules(connection) if row["id"] == rule_id), None)
    if found is None:
        raise no_such_rule()
    return found


def installation_view(row: Mapping[str, Any]) -> RuleView:
    """Return the rule of a row as doors show it."""
    rule = policies.rule_of(row)
    view = {
        "id": str(row["id"]),
        "of": INSTALLATION,
        "kind": rule.endpoint_name,
        "path": rule.field_path,
        "privacy_level": rule.privacy_level,
        "field_name": rule.field_name,
        "pattern": rule.pattern,
        "is_active": policies.is_on(row),
        "created_at": None if row["created_at"] is None else clock.rfc3339(str(row["created_at"])),
    }
    return {name: presentable(value) for name, value in view.items()}


def _recorded(
    connection: Connection, action: str, rule_id: int, actor: Actor, before: RuleView | None
) -> RuleView:
    after = get_installation_rule(connection, rule_id)
    _record(connection, action, rule_id, actor, before, after)
    return after


def _record(
    connection: Connection,
    action: str,
    rule_id: int,
    actor: Actor,
    before: RuleView | None,
    after: RuleView | None,
) -> None:
    audit.record(
        connection,
        action,
        "data_privacy_rules",
        rule_id,
        now=clock.now(),
        user_id=actor.user_id,
        old_values=before,
        new_values=after,
        ip_address=actor.ip_address,
        user_agent=actor.user_agent,
    )
