"""Privacy rules over HTTP: one's own, and for admins those of the installation. Never with a key."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

from fastapi import Depends, Query, Request
from starlette.responses import Response

from app.entries import privacy_rules
from app.entries.entry import invalid, pointer_of
from app.entries.privacy_rules import INSTALLATION, OWN, WantedRule
from app.errors import UsageError
from app.web.answers import reply
from app.web.deps import ServerOf, account_of, admin_of, body_of_account
from app.web.idempotency import carried_out_once
from app.web.json_bodies import ModelBody
from app.web.models import privacy as model
from app.web.models.base import form, sent
from app.web.models.parameters import Name
from app.web.operation import ACCOUNT, made_once, operation, read_operation, router_of
from app.web.parameters import id_of

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.accounts.audit import Actor
    from app.server.state import ServerState

router = router_of("privacy", "/api/v1/privacy/rules")
ONE = "/{rule_id:path}"
HINT = "GET /api/v1/privacy/rules lists them."
_OF_OWN = frozenset({"path", "action"})

NewRuleOf = Annotated[model.NewRule, Depends(ModelBody(model.NewRule, body_of_account))]
ChangedRuleOf = Annotated[model.ChangedRule, Depends(ModelBody(model.ChangedRule, body_of_account))]
Whose = Annotated[
    str | None,
    form(type="string", enum=[OWN, INSTALLATION]),
    Query(alias="of", description="One's own only, or the installation's (admins)."),
]


@router.get("", **read_operation("privacy_rules", model.PrivacyRulePage, who=ACCOUNT))
def list_rules(request: Request, server: ServerOf, of: Whose = None) -> Response:
    """List one's own rules; for admins also those of the installation."""
    if of not in (None, OWN, INSTALLATION):
        raise UsageError(f"of is {OWN} or {INSTALLATION}.", hint=HINT)
    with server.supervisor.reading() as connection:
        user, _actor = account_of(request, server, connection)
        if of == INSTALLATION:
            admin_of(request, server, connection)
        items = [] if of == INSTALLATION else privacy_rules.own_rules(connection, user.id)
        if user.is_admin and of != OWN:
            items += privacy_rules.installation_rules(connection)
    return reply(request, {"items": items, "next": None}, is_public=False)


@router.post(
    "", **made_once(operation("privacy_rules_create", model.PrivacyRule, 409, who=ACCOUNT, status=201))
)
def add_rule(request: Request, server: ServerOf, body: NewRuleOf) -> Response:
    """Hide or redact a place of one's own entries; as an admin, make a rule of the installation."""
    said = {name: value for name, value in sent(body).items() if name != "of"}
    if body.of not in (OWN, INSTALLATION):
        raise invalid("/of", f"{OWN} or {INSTALLATION} is needed here")
    with carried_out_once(request, server) as once, server.supervisor.writing() as connection:
        user, actor = account_of(request, server, connection)
        if body.of == INSTALLATION:
            admin_of(request, server, connection)
        if (kept := once.kept(connection, user.id)) is not None:
            return kept
        if body.of == INSTALLATION:
            wanted = WantedRule(**_of_installation(said))
            made = privacy_rules.add_installation_rule(connection, wanted, actor)
        else:
            path, action = _of_own(said)
            made = privacy_rules.add_own_rule(connection, user.id, path, action, actor)
        location = {"Location": f"rules/{quote(made['id'], safe='')}"}  # beside the address of the list
        answer = reply(request, made, is_public=False, status=201, headers=location)
        return once.keep(connection, user.id, answer)


@router.get(ONE, **read_operation("privacy_rules_get", model.PrivacyRule, 404, who=ACCOUNT))
def get_rule(request: Request, server: ServerOf, rule_id: Name) -> Response:
    """Return one of one's own rules, or (admins) of the installation's."""
    with server.supervisor.reading() as connection:
        path = _own_path(rule_id)
        user, _actor = _asker(request, server, connection, rule_id)
        if path is not None:
            found = privacy_rules.get_own_rule(connection, user, path)
        else:
            found = privacy_rules.get_installation_rule(connection, id_of(rule_id, hint=HINT))
    return reply(request, found, is_public=False)


@router.patch(ONE, **operation("privacy_rules_change", model.PrivacyRule, 404, who=ACCOUNT))
def change_rule(request: Request, server: ServerOf, rule_id: Name, body: ChangedRuleOf) -> Response:
    """Change one of one's own rules, or (admins) of the installation's, by a JSON merge patch."""
    said = sent(body)
    with server.supervisor.writing() as connection:
        path = _own_path(rule_id)
        user, actor = _asker(request, server, connection, rule_id)
        if path is not None:
            found = privacy_rules.get_own_rule(connection, user, path)
            wanted, action = _of_own({"path": path, "action": found["action"], **said})
            if wanted != path:
                raise invalid("/path", "another place is another rule: make that one, and delete this")
            changed = privacy_rules.change_own_rule(connection, user, path, action, actor)
        else:
            asked = id_of(rule_id, hint=HINT)
            changed = privacy_rules.change_installation_rule(connection, asked, _of_installation(said), actor)
    return reply(request, changed, is_public=False)


@router.delete(ONE, **operation("privacy_rules_delete", None, 404, who=ACCOUNT, status=204))
def delete_rule(request: Request, server: ServerOf, rule_id: Name) -> Response:
    """Take away one of one's own rules, or (admins) of the installation's. What it hid is shown again."""
    with server.supervisor.writing() as connection:
        path = _own_path(rule_id)
        user, actor = _asker(request, server, connection, rule_id)
        if path is not None:
            privacy_rules.remove_own_rule(connection, user, path, actor)
        else:
            privacy_rules.remove_installation_rule(connection, id_of(rule_id, hint=HINT), actor)
    return Response(None, 204, {"Cache-Control": "no-store"})


def _asker(request: Request, server: ServerState, connection: Connection, rule_id: str) -> tuple[int, Actor]:
    """Return who asks for a rule: its owner, or for one of the installation's an admin. Raises as they do."""
    user, actor = account_of(request, server, connection)
    if _own_path(rule_id) is None:
        admin_of(request, server, connection)
    return user.id, actor


def _own_path(rule_id: str) -> str | None:
    whose, colon, path = rule_id.partition(":")
    return path if whose == OWN and colon else None


def _of_own(said: dict[str, Any]) -> tuple[str, str]:
    _refuse_others(said, _OF_OWN)
    if "path" not in said:
        raise invalid("/path", "it is missing")
    return said["path"], said.get("action", "hide")


def _of_installation(said: dict[str, Any]) -> dict[str, Any]:
    _refuse_others(said, frozenset(model.ChangedRule.model_fields) - {"action"})
    return said


def _refuse_others(said: dict[str, Any], known: frozenset[str]) -> None:
    others = sorted(set(said) - known)
    if others:
        raise invalid(pointer_of(others[:1]), "a rule of this sort has no such member")
