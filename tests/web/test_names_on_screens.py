"""Has every name that the code can write words on the screens: of the audit, operations, states, units?"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from app.accounts import audit, operations
from app.backup import catalog
from app.entries import own_audit
from app.journal import OF_OPERATORS, JournalEvent
from app.mcp.tools import TOOLS
from app.server.database_status import Phase
from app.server.going_back import What
from app.settings import ROWS
from app.upgrade.records import history
from app.web.admin import activity, audit_words, backups, installation, shown, today, waiting_words, webhooks
from app.web.admin import operations as operation_screens
from app.web.models.webhooks import Webhook
from tests.conftest import ROOT
from tests.web.browsing import signed_in
from tests.web.conftest import Site

APP = sorted((ROOT / "app").rglob("*.py"))


def calls(*names: str) -> Iterator[tuple[Path, ast.Module, ast.Call]]:
    """Every call in the code of a function or method of one of these names."""
    for path in APP:
        text = path.read_text("utf-8")
        if not any(f"{name}(" in text for name in names):
            continue
        tree = ast.parse(text)
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and called(node).rpartition(".")[2] in names:
                yield path, tree, node


def called(call: ast.Call) -> str:
    return ast.unparse(call.func)


def text_of(tree: ast.Module, node: ast.expr | None) -> str | None:
    """The text that an expression is: a literal, or a constant of the same file."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Name):
        for each in tree.body:
            if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == node.id:
                return text_of(tree, each.value)
    return None


def test_every_action_of_the_audit_has_words() -> None:
    assert set(audit_words.ACTIONS) == {*audit.CHANGES, *audit.EVENTS}


def test_every_table_that_the_audit_tells_of_has_words() -> None:
    found = {}
    for path, tree, call in calls("record", "record_texts", "remember"):
        if called(call) in ("audit.record", "audit.record_texts") or called(call).endswith("memory.remember"):
            at = 1 if called(call).endswith("remember") else 2
            found[f"{path}:{call.lineno}"] = text_of(tree, call.args[at])
    of_memory = {place for place in found if "audit_memory" in place}  # what it was given is told on
    known = {place: table for place, table in found.items() if place not in of_memory}
    assert len(of_memory) == 1
    assert [place for place, table in known.items() if table is None] == []
    assert set(known.values()) == set(audit_words.TABLES)


def test_every_member_that_a_person_is_told_of_has_words() -> None:
    assert set(audit_words.DETAILS) == set(own_audit.TOLD)


def test_every_operation_and_state_has_words() -> None:
    begun = {
        f"{path}:{call.lineno}": text_of(tree, call.args[1])
        for path, tree, call in calls("start")
        if called(call) in ("server.operations.start", "server.exports.start")
    }
    assert [place for place, name in begun.items() if name is None] == []
    assert set(operation_screens.NAMES) == {*begun.values(), *get_args(What)}
    assert set(operation_screens.STATES) == {operations.RUNNING, operations.DONE, operations.FAILED}


def test_every_tool_of_assistants_has_words() -> None:
    assert set(activity.TOOL_WORDS) == set(TOOLS)


def test_every_fault_of_a_delivery_has_words() -> None:
    sent = [
        each for each in calls("Tried", "Refused") if each[0].stem in ("webhook_targets", "webhook_sender")
    ]
    found = {text_of(tree, call.args[-1]) for _path, tree, call in sent} - {None}
    assert found == set(webhooks.FAULT_WORDS) - {"redirect"}
    why = Webhook.model_fields["off_why"].annotation
    assert set(webhooks.OFF_WORDS) == set(get_args(get_args(why)[0]))


def test_every_phase_of_the_server_and_of_work_on_the_database_has_words() -> None:
    assert set(today.PHASES) == set(get_args(Phase))
    named = [(tree, call.args[0]) for _path, tree, call in calls("phase")]
    named += [(tree, call.args[1]) for _path, tree, call in calls("Event") if len(call.args) > 1]
    found = {text_of(tree, name) for tree, name in named} - {None}
    assert found <= set(waiting_words.PHASES)
    assert len(found) >= 12


def test_every_state_and_purpose_of_a_backup_has_words() -> None:
    assert set(backups.STATES) == set(get_args(catalog.State))
    made = {
        text_of(tree, call.args[1])
        for _path, tree, call in calls("back_up", "create_backup")
        if len(call.args) > 1
    }
    assert made - {None} <= set(backups.PURPOSES)
    assert {"daily", "manual", "upgrade", "repair"} <= made


def test_everything_that_the_history_tells_has_words() -> None:
    events = {event for event in _literals(JournalEvent) if event not in OF_OPERATORS} | {"claim", "step"}
    assert set(shown.DONE_WORDS) == {history._WORDS.get(event, event) for event in events}


def _literals(alias: object) -> set[str]:
    found = get_args(alias)
    return {each for one in found for each in (_literals(one) if get_args(one) else {str(one)})}


def test_units_and_defaults_of_settings_have_words() -> None:
    assert set(installation.UNITS) == {row.unit for row in ROWS.values()} - {""}
    assert set(installation.DEFAULTS) == {
        row.shown_default for row in ROWS.values() if row.shown_default[:1] == "("
    }


@pytest.mark.only_on("sqlite")
def test_settings_are_explained_in_the_language_of_the_screen(site: Site) -> None:
    browser = signed_in(site, "ann")
    browser.submit(browser.get("/manage/"), "Deutsch")
    words = browser.get("/manage/settings").words
    assert "Der Port, auf dem gelauscht wird" in words
    assert "eine ganze Zahl von 1 bis 36500" in words
    assert [row.help for row in ROWS.values() if row.help in words] == []


@pytest.mark.only_on("sqlite")
def test_the_audit_has_words_and_beside_them_the_name_to_look_for(site: Site) -> None:
    site.client.post("/auth/login", data={"username": "ann", "password": "wrong one"})
    browser = signed_in(site, "ann")
    site.app.server.pending_audit.write()
    browser.submit(browser.get("/manage/"), "Deutsch")
    page = browser.get("/manage/audit?action=login_refused")
    rows = [[" ".join("".join(cell.itertext()).split()) for cell in row] for row in page.root.iter("tr")]
    assert rows[1][1:3] == ["Anmeldung abgewiesen LOGIN_REFUSED", "Konto 1"]
    chosen = [each for each in page.root.iter("option") if each.get("selected") is not None]
    assert [each.get("value") for each in chosen] == ["LOGIN_REFUSED"]
    mine = browser.get("/manage/activity").words
    assert ("Angemeldet" in mine, "LOGIN" in mine) == (True, False)
