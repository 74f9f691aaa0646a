"""Can someone who is logged in tell what someone else has from what no one has? Addresses from the matrix.

Of each address at which someone else's thing is not found, what is there and what is not are answered with
the same words, the same headers and the same work of the database.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.web.conftest import Site
from tests.web.test_matrix import CALLERS, TABLE, Row, World, asked, world

__all__ = ["world"]
MISSING = "987654321012345"
OTHER, OWNER = CALLERS.index("other"), CALLERS.index("owner")


def hidden_rows() -> Iterator[tuple[str, Row]]:
    """Every address and row at which the owner finds something by a number, and someone else does not."""
    for address, rows in TABLE.items():
        for one in rows:
            if one.answers[OTHER] == 404 and one.answers[OWNER] != 404 and "_id}" in address:
                yield address, one


HIDDEN_ROWS = list(hidden_rows())


@contextmanager
def counting() -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    found: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        found.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(Engine, "before_cursor_execute", note)


def told(answer: Any, number: str) -> tuple[int, str, list[tuple[str, str]]]:
    """Return what is told, without what names the request."""
    body = re.sub(r'"request_id": ?"[^"]*"', "", answer.text)
    headers = sorted(
        (name, value)
        for name, value in answer.headers.items()
        if name not in ("x-request-id", "date", "ratelimit", "content-length", "etag")
    )
    return answer.status_code, re.sub(rf"\b{number}\b", "NUMBER", body), headers


@pytest.mark.parametrize(("address", "one"), HIDDEN_ROWS, ids=[f"{a} {r.about}" for a, r in HIDDEN_ROWS])
def test_what_someone_else_has_is_answered_as_what_no_one_has(world: World, address: str, one: Row) -> None:
    otto = world.callers["other"]
    there = asked(world, address, one, otto)
    path = there.request.url.path
    number = re.search(r"/(\d{1,16})(?=/|$)", path)
    assert number is not None, path
    method = address.partition(" ")[0]

    def ask(which: str) -> tuple[Any, int]:
        with counting() as statements:
            target = path[: number.start(1)] + which + path[number.end(1) :] + one.query
            answer = world.site.client.request(method, target, json=world.filled(one.body), headers=otto)
        return answer, len(statements)

    found, nothing = ask(number[1])[0], ask(MISSING)[0]
    assert told(found, number[1]) == told(nothing, MISSING)
    # The fewest of several: what a connection remembers, and background jobs, are not of the question.
    pairs = [(ask(number[1])[1], ask(MISSING)[1]) for _ in range(5)]
    assert min(there for there, _ in pairs) == min(none for _, none in pairs), "or the time would tell"


def test_the_matrix_has_such_rows() -> None:
    assert len(HIDDEN_ROWS) > 20


def test_a_login_tells_no_one_whether_there_is_such_an_account(site: Site) -> None:
    def refused(name: str) -> tuple[int, str, list[tuple[str, str]]]:
        form = {"username": name, "password": "certainly another one"}
        return told(site.client.post("/auth/login", data=form), "0")

    assert refused("ann") == refused("nobody")


def test_a_link_that_is_not_valid_tells_nothing_of_accounts(world: World) -> None:
    answers = []
    for token in (world.make_link(_withdrawn, world)[1], "daemon_link_never_was"):
        body = {"token": token, "new_password": "another long sentence"}
        answers.append(told(world.site.client.post("/auth/password/reset", json=body), "0"))
    assert answers[0] == answers[1]
    assert answers[0][0] == 403


def _withdrawn(connection: Any, world: World, now: Any) -> Any:
    from app.accounts import one_time_links

    made, text = one_time_links.offer_password(connection, world.owner, now)
    one_time_links.withdraw(connection, made, now)
    return made, text
