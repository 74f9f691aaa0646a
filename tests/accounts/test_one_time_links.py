"""Is a link good once, in time, for what it is for, and as long as its maker may give it?"""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from sqlalchemy import Connection, select

from app.accounts import audit, one_time_links, users
from app.accounts.audit import COMMAND_LINE, Actor
from app.accounts.one_time_links import INVITATION, INVITATIONS_MOST, PASSWORD
from app.accounts.users import NewUser, User
from app.errors import Conflict, InvalidContent, NotAllowed, NotFound
from app.privacy.detectors import search
from app.tables import audit_logs

DAY = timedelta(days=1)


@pytest.fixture
def ann(connection: Connection, now: datetime) -> User:
    """An admin, who is not the only one."""
    users.create_user(connection, NewUser("zoe", "z@x", "hash", is_admin=True), now)
    return users.create_user(connection, NewUser("ann", "a@x", "hash", is_admin=True), now)


def test_an_invitation_is_good_once(connection: Connection, ann: User, now: datetime) -> None:
    made, text = one_time_links.invite(connection, "reader", 3, "for rosa", now, Actor(ann.id))
    found = one_time_links.get_link(connection, text, INVITATION, now)
    assert (found, found.role, found.label) == (made, "reader", "for rosa")
    assert one_time_links.list_invitations(connection, now) == [made]
    one_time_links.use(connection, found, now, Actor(7))
    with pytest.raises(NotAllowed):
        one_time_links.get_link(connection, text, INVITATION, now)
    with pytest.raises(NotAllowed):
        one_time_links.use(connection, found, now, Actor(7))
    told = select(audit_logs.c.action).where(audit_logs.c.table_name == "one_time_links")
    actions = connection.execute(told.order_by(audit_logs.c.id))
    assert actions.scalars().all() == [audit.CREATE, audit.LINK_USED]


def test_nothing_that_opens_a_link_is_stored(connection: Connection, ann: User, now: datetime) -> None:
    _, text = one_time_links.invite(connection, "member", 3, None, now)
    rows = [
        connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in ("one_time_links", "audit_logs")
    ]
    assert text.removeprefix(one_time_links.PREFIX) not in repr(rows)
    (stored,) = connection.exec_driver_sql("SELECT token_hash FROM one_time_links").scalars()
    for junk in (stored, "", "daemon_link_", text[:-1], text.upper(), text + "\n", "\udc80"):
        assert one_time_links.find_link(connection, junk, now) is None


def test_a_link_in_a_text_is_found_as_a_secret(connection: Connection, now: datetime) -> None:
    for _ in range(20):
        _, text = one_time_links.invite(connection, "member", 3, None, now)
        assert search.find(f"come in with {text}, once"), text


def test_a_link_ends_at_its_time_and_is_for_its_purpose(
    connection: Connection, ann: User, now: datetime
) -> None:
    _, invitation = one_time_links.invite(connection, "member", 3, None, now)
    _, password = one_time_links.offer_password(connection, ann, now)
    for text, purpose in ((invitation, PASSWORD), (password, INVITATION)):
        with pytest.raises(NotAllowed):
            one_time_links.get_link(connection, text, purpose, now)
    assert one_time_links.find_link(connection, invitation, now + 3 * DAY - timedelta(seconds=1)) is not None
    assert one_time_links.find_link(connection, invitation, now + 3 * DAY) is None
    assert one_time_links.find_link(connection, password, now + DAY) is None
    assert one_time_links.list_invitations(connection, now + 3 * DAY) == []


@pytest.mark.parametrize("change", ["demoted", "deactivated"])
def test_a_link_is_good_as_long_as_its_maker_is_an_admin(
    connection: Connection, ann: User, now: datetime, change: str
) -> None:
    bea = users.create_user(connection, NewUser("bea", "b@x", "hash"), now)
    mine = [one_time_links.invite(connection, "admin", 3, None, now, Actor(ann.id))[1]]
    mine.append(one_time_links.offer_password(connection, bea, now, Actor(ann.id))[1])
    _, of_the_command_line = one_time_links.invite(connection, "admin", 3, None, now, COMMAND_LINE)
    if change == "demoted":
        users.set_role(connection, ann, "member", now)
    else:
        users.set_active(connection, "ann", False, now)
    assert [one_time_links.find_link(connection, text, now) for text in mine] == [None, None]
    assert one_time_links.find_link(connection, of_the_command_line, now) is not None


def test_another_password_has_one_link_and_none_for_who_may_not_come_in(
    connection: Connection, ann: User, now: datetime
) -> None:
    _, first = one_time_links.offer_password(connection, ann, now)
    _, second = one_time_links.offer_password(connection, ann, now)
    assert one_time_links.find_link(connection, first, now) is None
    assert one_time_links.find_link(connection, second, now) is not None
    users.set_active(connection, "ann", False, now)
    assert one_time_links.find_link(connection, second, now) is None
    with pytest.raises(Conflict):
        one_time_links.offer_password(connection, users.get_user(connection, "ann"), now)


def test_an_invitation_is_withdrawn_and_there_are_so_many(
    connection: Connection, ann: User, now: datetime
) -> None:
    made, text = one_time_links.invite(connection, "member", 3, None, now)
    one_time_links.withdraw(connection, one_time_links.get_invitation(connection, made.id), now)
    assert one_time_links.find_link(connection, text, now) is None
    with pytest.raises(NotFound):
        one_time_links.get_invitation(connection, made.id)
    for _ in range(INVITATIONS_MOST):
        one_time_links.invite(connection, "member", 1, None, now)
    with pytest.raises(Conflict):
        one_time_links.invite(connection, "member", 1, None, now)
    one_time_links.invite(connection, "member", 1, None, now + DAY)  # the others are over


@pytest.mark.parametrize(("days", "label"), [(0, None), (31, None), (1, ""), (1, "x" * 101), (1, "a\nb")])
def test_an_invitation_that_cannot_be_is_refused(
    connection: Connection, now: datetime, days: int, label: str | None
) -> None:
    with pytest.raises(InvalidContent):
        one_time_links.invite(connection, "member", days, label, now)
