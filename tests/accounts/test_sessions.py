"""Do sessions go on for those who have their newest refresh token, and for no one else?"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from app.accounts import audit, refresh_tokens, sessions, token_grants, users
from app.accounts.audit import Actor
from app.accounts.sessions import SESSIONS_MOST
from app.accounts.token_grants import Token
from app.accounts.users import NewUser, User
from app.errors import NotFound
from app.privacy.detectors import search
from app.tables import audit_logs

HOME = Actor(None, "192.0.2.7", "a phone")
DAY = timedelta(days=1)


class Terms:
    secret, token_minutes, session_days = "s" * 40, 30, 30


@pytest.fixture
def ann(connection: Connection, now: datetime) -> User:
    return users.create_user(connection, NewUser("ann", "a@x", "hash"), now)


def begin(connection: Connection, user: User, now: datetime, *, with_refresh: bool = True) -> Token:
    return token_grants.begin(Terms(), connection, user, HOME, now, with_refresh=with_refresh)


def refresh(connection: Connection, token: Token | None, now: datetime) -> Token | None:
    assert token is not None
    assert token.refresh_text is not None
    return token_grants.refresh(Terms(), connection, token.refresh_text, HOME, now)


def told(connection: Connection, action: str) -> list[tuple[int, str]]:
    query = select(audit_logs.c.record_id, audit_logs.c.new_values).where(audit_logs.c.action == action)
    return [(row.record_id, row.new_values) for row in connection.execute(query)]


def test_a_refresh_token_gives_the_next_one_and_the_session_goes_on(
    connection: Connection, ann: User, now: datetime
) -> None:
    token: Token | None = begin(connection, ann, now)
    (first,) = sessions.list_sessions(connection, ann.id, now)
    assert (first.has_refresh, first.ip_address, first.user_agent) == (True, "192.0.2.7", "a phone")
    for days in (10, 20, 45, 74):
        token = refresh(connection, token, now + days * DAY)
        assert token is not None
        (found,) = sessions.list_sessions(connection, ann.id, now + days * DAY)
        assert found.id == first.id
    assert refresh(connection, token, now + 105 * DAY) is None
    assert sessions.list_sessions(connection, ann.id, now + 105 * DAY) == []


def test_a_refresh_token_that_comes_again_ends_the_session_and_is_told(
    connection: Connection, ann: User, now: datetime
) -> None:
    stolen = begin(connection, ann, now)
    others = begin(connection, ann, now)
    own = refresh(connection, refresh(connection, stolen, now), now)
    assert refresh(connection, stolen, now) is None
    assert refresh(connection, own, now) is None, "the whole family ends, the newest one too"
    assert refresh(connection, others, now) is not None, "another session is another family"
    ((about, said),) = told(connection, audit.REFRESH_REUSED)
    assert about == ann.id
    assert '"session"' in said


def test_what_was_never_given_ends_nothing(connection: Connection, ann: User, now: datetime) -> None:
    token = begin(connection, ann, now)
    assert token.refresh_text is not None
    for place in range(len(token.refresh_text)):  # whatever of it is guessed
        was = token.refresh_text[place]
        other = token.refresh_text[:place] + ("A" if was != "A" else "B") + token.refresh_text[place + 1 :]
        assert token_grants.refresh(Terms(), connection, other, HOME, now) is None
    for text in (
        "",
        "daemon_refresh_",
        "daemon_refresh_" + "A" * 64,
        "daemon_refresh_" + "_" * 64,
        token.text,
        "\udc80" * 68,
    ):
        assert token_grants.refresh(Terms(), connection, text, HOME, now) is None
    assert told(connection, audit.REFRESH_REUSED) == []
    assert refresh(connection, token, now) is not None


def test_a_refresh_token_ends_with_password_generation_and_account(
    connection: Connection, ann: User, now: datetime
) -> None:
    def set_password() -> None:
        users.change_password(connection, "ann", "another", now)

    def end_tokens() -> None:
        users.end_tokens(connection, users.get_user(connection, "ann"), now)

    def deactivate() -> None:
        users.create_user(connection, NewUser("bea", "b@x", "hash", is_admin=True), now)
        users.set_active(connection, "ann", False, now)
        users.set_active(connection, "ann", True, now)

    def set_hash_by_hand() -> None:
        connection.exec_driver_sql("UPDATE users SET hashed_password = 'by hand'")

    for change in (set_password, end_tokens, deactivate, set_hash_by_hand):
        token = begin(connection, users.get_user(connection, "ann"), now)
        change()
        assert refresh(connection, token, now) is None, change.__name__
    assert told(connection, audit.REFRESH_REUSED) == []


def test_nothing_that_opens_a_session_is_stored(connection: Connection, ann: User, now: datetime) -> None:
    token = begin(connection, ann, now)
    assert token.refresh_text is not None
    stored = repr(connection.exec_driver_sql("SELECT * FROM sessions").all())
    assert token.refresh_text not in stored
    assert token.refresh_text.removeprefix(refresh_tokens.PREFIX)[11:40] not in stored
    (row,) = connection.exec_driver_sql("SELECT refresh_hash FROM sessions").all()
    assert token_grants.refresh(Terms(), connection, row[0], HOME, now) is None


def test_a_refresh_token_in_a_text_is_found_as_a_secret(
    connection: Connection, ann: User, now: datetime
) -> None:
    for _ in range(20):
        text = begin(connection, ann, now).refresh_text
        assert search.find(f"my phone has {text} now"), text


def test_an_account_has_so_many_sessions_and_what_is_over_is_cleared_away(
    connection: Connection, ann: User, now: datetime
) -> None:
    bea = users.create_user(connection, NewUser("bea", "b@x", "hash"), now)
    kept = begin(connection, bea, now)
    first = begin(connection, ann, now - timedelta(seconds=1))
    for _ in range(SESSIONS_MOST):
        begin(connection, ann, now)
    assert len(sessions.list_sessions(connection, ann.id, now)) == SESSIONS_MOST
    assert refresh(connection, first, now) is None
    assert refresh(connection, kept, now) is not None
    begin(connection, ann, now + 31 * DAY, with_refresh=False)
    count = f"SELECT count(*) FROM sessions WHERE user_id = {ann.id}"
    assert connection.exec_driver_sql(count).scalar() == 1


def test_a_session_is_found_by_its_person_alone(connection: Connection, ann: User, now: datetime) -> None:
    bea = users.create_user(connection, NewUser("bea", "b@x", "hash"), now)
    begin(connection, ann, now)
    (mine,) = sessions.list_sessions(connection, ann.id, now)
    assert sessions.get_session(connection, mine.id, ann.id) == mine
    with pytest.raises(NotFound):
        sessions.get_session(connection, mine.id, bea.id)
    assert sessions.list_sessions(connection, bea.id, now) == []


def test_a_password_counts_as_typed_for_five_minutes(
    connection: Connection, ann: User, now: datetime
) -> None:
    begin(connection, ann, now)
    (session,) = sessions.list_sessions(connection, ann.id, now)
    late = now + timedelta(minutes=5)
    assert session.is_confirmed(late - timedelta(seconds=1))
    assert not session.is_confirmed(late)
    sessions.confirm(connection, session.id, late)
    (session,) = sessions.list_sessions(connection, ann.id, now)
    assert session.is_confirmed(late)
