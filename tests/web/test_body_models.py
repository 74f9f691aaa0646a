"""What is said of a body that does not fit its model: where, and in which words? It is never repeated."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ValidationError

from app.errors import InvalidContent
from app.web.json_bodies import body_of_route
from app.web.models.base import SENTENCES, Body, checked
from tests.web.conftest import PASSWORD, Site
from tests.web.described import routes
from tests.web.test_problems import check_problem

TEXT = "a text is needed here"
FLAG = "true or false is needed here"
UNKNOWN = "this member is not known here"
MOMENT = "a moment with its zone is needed here, as 2030-01-31T12:00:00Z"
IDS = "must be a list of ids"
ID = "must be the id of an entry"
CHOICE = "publish and delete are what may be said here"
ACCOUNT = {"username": "eve", "email": "eve@x", "password": PASSWORD}

FAULTS: list[tuple[str, str, Any, str, str]] = [
    ("POST", "/auth/keys", [], "", "it must be a JSON object"),
    ("POST", "/auth/keys", {}, "/name", TEXT),
    ("POST", "/auth/keys", {"name": None}, "/name", TEXT),
    ("POST", "/auth/keys", {"name": 7}, "/name", TEXT),
    ("POST", "/auth/keys", {"can_write": "yes"}, "/name", TEXT),
    ("POST", "/auth/keys", {"name": "a", "can_write": "yes"}, "/can_write", FLAG),
    ("POST", "/auth/keys", {"name": "a", "can_write": 1}, "/can_write", FLAG),
    ("POST", "/auth/keys", {"name": "a", "can_write": None}, "/can_write", FLAG),
    ("POST", "/auth/keys", {"name": "a", "expires_at": 7}, "/expires_at", MOMENT),
    ("POST", "/auth/keys", {"name": "a", "expires_at": "2030-01-31T12:00:00"}, "/expires_at", MOMENT),
    ("POST", "/auth/keys", {"name": "a", "expires_at": "soon"}, "/expires_at", MOMENT),
    ("POST", "/auth/keys", {"zz": 1, "aa": 2}, "/aa", UNKNOWN),
    ("POST", "/auth/keys", {"name": "a", "a/b~c": 1}, "/a~1b~0c", UNKNOWN),
    ("PATCH", "/auth/keys/1", {"name": "a"}, "/name", UNKNOWN),
    ("PATCH", "/auth/keys/1", {"can_write": None}, "/can_write", FLAG),
    ("POST", "/api/v1/claim/review", {}, "", CHOICE),
    ("POST", "/api/v1/claim/review", {"delete": [1], "more": 1}, "/more", CHOICE),
    ("POST", "/api/v1/claim/review", {"publish": None}, "/publish", f'{IDS} or "all"'),
    ("POST", "/api/v1/claim/review", {"publish": "some"}, "/publish", f'{IDS} or "all"'),
    ("POST", "/api/v1/claim/review", {"delete": "all"}, "/delete", IDS),
    ("POST", "/api/v1/claim/review", {"delete": None}, "/delete", IDS),
    ("POST", "/api/v1/claim/review", {"delete": [1, "2"]}, "/delete/1", ID),
    ("POST", "/api/v1/claim/review", {"publish": [1, 0]}, "/publish/1", ID),
    ("POST", "/api/v1/claim/review", {"publish": [1.5]}, "/publish/0", ID),
    ("POST", "/api/v1/claim/review", {"publish": [True]}, "/publish/0", ID),
]
OF_REGISTRATION: list[tuple[dict[str, Any], str, str]] = [
    ({"username": 7}, "/username", TEXT),
    ({"email": None}, "/email", TEXT),
    ({"full_name": 7}, "/full_name", TEXT),
    ({"claim_token": 7}, "/claim_token", TEXT),
    ({"admin": True}, "/admin", UNKNOWN),
]


def check_fault(answer: Any, pointer: str, detail: str) -> None:
    problem = check_problem(answer, 422, "invalid_content")
    assert problem["errors"] == [{"pointer": pointer, "detail": detail}]
    assert problem["detail"] == f"The content does not fit: {pointer or 'the whole'}: {detail}."


@pytest.mark.parametrize(("method", "path", "body", "pointer", "detail"), FAULTS)
def test_a_fault_is_named_by_its_pointer(
    site: Site, method: str, path: str, body: Any, pointer: str, detail: str
) -> None:
    ann = site.log_in("ann")
    if path == "/auth/keys/1":
        assert site.client.post("/auth/keys", json={"name": "mine"}, headers=ann).json()["id"] == 1
    check_fault(site.client.request(method, path, json=body, headers=ann), pointer, detail)


@pytest.mark.parametrize(("member", "pointer", "detail"), OF_REGISTRATION)
def test_a_fault_of_a_registration_is(
    unclaimed: Site, member: dict[str, Any], pointer: str, detail: str
) -> None:
    token = (
        {"X-Claim-Token": unclaimed.settings.claim_path.read_text().strip()}
        if "claim_token" not in member
        else {}
    )
    answer = unclaimed.client.post("/auth/register", json={**ACCOUNT, **member}, headers=token)
    check_fault(answer, pointer, detail)


def test_what_is_not_named_may_be_left_out(site: Site) -> None:
    ann = site.log_in("ann")
    made = site.client.post("/auth/keys", json={"name": "a", "expires_at": None}, headers=ann).json()
    assert (made["can_write"], made["expires_at"]) == (False, None)
    same = site.client.patch(f"/auth/keys/{made['id']}", json={}, headers=ann)
    assert (same.status_code, same.json()["can_write"]) == (200, False)


def test_a_login_looks_at_its_two_fields_only(site: Site) -> None:
    form = {"username": "ann", "password": PASSWORD, "grant_type": "password"}
    assert site.client.post("/auth/login", data=form).status_code == 200


def test_a_fault_repeats_nothing_of_the_body() -> None:
    class Sent(Body):
        name: Literal["a"]
        count: int

    values: list[dict[str, Any]] = [
        {"name": "hunter2", "count": 1},
        {"name": "a", "count": "hunter2"},
        {"name": "a"},
    ]
    for value in values:
        with pytest.raises(InvalidContent) as raised:
            checked(Sent, value)
        assert "hunter2" not in f"{raised.value} {raised.value.details}"
        assert raised.value.__cause__ is None
        assert raised.value.__suppress_context__


def test_every_fault_of_a_model_has_a_sentence_of_ours() -> None:
    """A null, a number, a list, an object and a text in the place of every member of every body."""
    models = [found.model for found in map(body_of_route, routes()) if found is not None]
    checked_models: list[type[Body]] = [each for each in models if issubclass(each, Body)]
    assert len(checked_models) >= 4
    for model in checked_models:
        for name in (field.alias or name for name, field in model.model_fields.items()):
            sent: list[Any] = [None, 7, [], {}, "x", [{}], True]
            for value in sent:
                assert _sentence_of(model, {name: value}) in (
                    None,
                    TEXT,
                    FLAG,
                    MOMENT,
                    CHOICE,
                    ID,
                    IDS,
                    f'{IDS} or "all"',
                    "an object is needed here",
                    "a whole number is needed here",
                    "a list is needed here",
                    "it is missing",  # another one, where this one is right
                )
    assert set(SENTENCES.values()) >= {TEXT, FLAG, UNKNOWN}


def _sentence_of(model: type[Body], value: dict[str, Any]) -> str | None:
    try:
        assert isinstance(checked(model, value), BaseModel)
    except InvalidContent as error:
        return str(error.details["errors"][0]["detail"])  # type: ignore[index]
    return None


def bodies(under: type[Body] = Body) -> Iterator[type[Body]]:
    for each in under.__subclasses__():
        if each.__module__.startswith("app."):
            yield each
        yield from bodies(each)


WHOLE_NUMBERS = [
    (body, name)
    for body in bodies()
    for name, member in body.model_fields.items()
    if "int" in re.findall(r"\w+", repr(member.annotation))
]


@pytest.mark.parametrize(
    ("body", "name"), WHOLE_NUMBERS, ids=[f"{body.__name__}.{name}" for body, name in WHOLE_NUMBERS]
)
def test_a_number_without_a_fraction_is_a_whole_number(body: type[Body], name: str) -> None:
    """JSON Schema 2020-12, Validation, 6.1.1, and so what a description says of an integer."""
    faults = {fault for value in (1.0, [1.0]) for fault in faults_of(body, {name: value})}
    assert not {("int_type", "1.0"), ("int_from_float", "1.0")} & faults


def faults_of(body: type[Body], value: dict[str, Any]) -> set[tuple[str, str]]:
    """What is wrong with it, each with the value that it is about."""
    try:
        body.model_validate(value)
    except ValidationError as error:
        return {(each["type"], repr(each["input"])) for each in error.errors()}
    return set()
