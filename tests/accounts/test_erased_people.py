"""Does a person leave every table of a database, in steps, so that the audit's chain stays whole?"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, insert, select

from app import erased_people, erasures
from app.accounts import audit, audit_verify, departure_rows, departures, users
from app.accounts.audit import Actor
from app.accounts.users import NewUser, User
from app.erased_people import NOT_OF_PEOPLE, OF_PERSON, hash_of_name
from app.erasures import BY_ENTRY, OfToday
from app.errors import Conflict
from app.tables import audit_logs, metadata, privacy_secrets
from app.tables import users as user_table
from tests.accounts.conftest import NOW
from tests.test_every_table import ANN, fill, mark_of

AT = erasures.precise(NOW)
_SAYS_WHO = [column for column in user_table.c if column.name != "created_at"]
BEN = Actor(None, "198.51.100.7", "Ben's own browser")


def dump(connection: Connection, *names: str) -> str:
    return repr([connection.execute(select(metadata.tables[name])).all() for name in names])


def ben(connection: Connection) -> User:
    users.create_user(connection, NewUser("ann", "ann@example.org", "x", is_admin=True), NOW)
    return users.create_user(connection, NewUser("Ben", "ben@example.org", "x", "Ben the Second"), NOW)


def erase(connection: Connection, user_id: int) -> int:
    count = 0
    while erased_people.step(OfToday(connection), user_id, AT):
        count += 1
        assert count < 1_000, "it goes round in circles"
    return count


def test_every_table_is_known() -> None:
    known = {*OF_PERSON, *NOT_OF_PEOPLE, *BY_ENTRY}
    assert known == set(metadata.tables)
    assert not {*OF_PERSON} & {*NOT_OF_PEOPLE}


def test_nothing_of_a_person_is_left_in_any_table(connection: Connection) -> None:
    fill(connection)
    theirs = [*OF_PERSON, *BY_ENTRY, "users"]
    for table in theirs:
        if table not in ("privacy_secrets", "unclaimed_entries"):
            assert connection.execute(select(metadata.tables[table])).first(), table
    secret = {"name": f"never_list:{ANN}:0123", "secret": "key-of-imported-words", "created_at": "x"}
    connection.execute(insert(privacy_secrets).values(secret))
    connection.execute(
        insert(privacy_secrets).values(secret | {"name": f"never_list:{ANN}1:0", "secret": "b"})
    )
    assert erase(connection, ANN) > 3
    in_users = repr(connection.execute(select(*_SAYS_WHO)).all())
    whole = in_users + dump(connection, *(set(metadata.tables) - {"users", "erasures"}))  # they have times
    for table in theirs:
        if table != "privacy_secrets":  # the installation's own has a mark, too
            assert mark_of(table) not in whole, table
    assert "key-of-imported-words" not in whole
    assert f"never_list:{ANN}1:0" in whole
    assert erase(connection, ANN) == 0


def test_others_keep_all_that_is_theirs(connection: Connection) -> None:
    fill(connection)
    before = {name: dump(connection, name) for name in metadata.tables}
    user = ben(connection)
    erase(connection, user.id)
    after = {name: dump(connection, name) for name in metadata.tables}
    grown = {"users", "user_privacy_settings", "audit_logs", "erasures", "id_counters"}
    assert {name for name in before if before[name] != after[name]} <= grown
    for name in ("users", "user_privacy_settings", "audit_logs"):
        assert mark_of(name) in after[name]


def test_the_audit_forgets_who_and_where_and_stays_whole(connection: Connection) -> None:
    user = ben(connection)
    by_ben: dict[str, Any] = {"ip_address": BEN.ip_address, "user_agent": BEN.user_agent, "user_id": user.id}
    said = {"username": "Ben", "full_name": "Ben the Second"}
    for number in range(120):
        audit.record(connection, audit.UPDATE, "users", user.id, now=NOW, new_values=said, **by_ben)
        audit.record(connection, audit.CREATE, "data_entries", number + 5, now=NOW, new_values=said, **by_ben)
    audit.record(
        connection, audit.LOGIN_REFUSED, "users", user.id, now=NOW, new_values=said, ip_address="::1"
    )
    before = {"role": "member"}
    audit.record(connection, audit.ADMIN, "users", 1, now=NOW, old_values=before, user_id=user.id)
    audit.record(connection, audit.READ, "users", user.id, now=NOW, user_id=1, new_values={"kind": "ideas"})
    erase(connection, user.id)
    assert audit_verify.verify(connection).is_whole
    lines = connection.execute(select(audit_logs)).all()
    assert len(lines) >= 240
    text = repr(lines)
    for word in ("Ben", BEN.ip_address, "::1", "ideas"):
        assert str(word) not in text
    assert {line.user_id for line in lines} == {None, 1}
    assert [line.old_values for line in lines if line.action == audit.ADMIN] == ['{"role": "member"}']


def test_lines_from_before_the_chain_are_forgotten_too(connection: Connection) -> None:
    user = ben(connection)
    old: dict[str, Any] = {"action": "LOGIN", "table_name": "users", "record_id": user.id}
    old |= {"new_values": '{"username": "Ben"}', "user_id": user.id, "ip_address": "::1"}
    connection.execute(insert(audit_logs).values(old))
    connection.execute(insert(audit_logs).values(old | {"user_id": None, "old_values": None}))
    erase(connection, user.id)
    assert "::1" not in dump(connection, "audit_logs")
    assert "Ben" not in dump(connection, "audit_logs")


def test_no_one_else_gets_the_name_and_the_row_is_no_one(connection: Connection) -> None:
    user = ben(connection)
    erase(connection, user.id)
    assert "ben" not in dump(connection, "users").casefold()
    row = connection.execute(select(user_table).where(user_table.c.id == user.id)).one()
    assert (row.username, row.is_active, row.erased_at) == (hash_of_name("BEN"), 0, AT)
    assert [each.username for each in users.list_users(connection)] == ["ann"]
    assert users.page_of_users(connection, 1, 10) == []
    assert users.count_users(connection) == 1
    with pytest.raises(Conflict, match="taken"):
        users.create_user(connection, NewUser("bEn", "other@example.org", "x"), NOW)
    users.create_user(connection, NewUser("Benno", "ben@example.org", "x"), NOW)  # a mail address is free
    again = users.create_user(connection, NewUser("bert", "b@example.org", "x"), NOW)
    same = user_table.update().where(user_table.c.id == again.id).values(username="BEN", username_key="ben")
    connection.execute(same)  # as an older server let two names differ
    erase(connection, again.id)
    assert dump(connection, "users").count(hash_of_name("ben")) >= 2


def test_the_ledger_has_a_line_and_an_older_state_is_known_again(connection: Connection) -> None:
    user = ben(connection)
    line = erased_people.line_of(OfToday(connection), user.id, AT)
    assert erased_people.is_there(OfToday(connection), line)
    assert not erased_people.is_there(OfToday(connection), line._replace(created_at="2001-01-01"))
    erase(connection, user.id)
    assert not erased_people.is_there(OfToday(connection), line)
    assert [each[1:5] for each in erasures.ledger_in(OfToday(connection))] == [line[1:5]]


def test_leaving_and_staying(connection: Connection) -> None:
    user = ben(connection)
    found = departures.leave(connection, user, NOW, at_once=False)
    assert found.due_at == "2026-03-11 05:06:07"
    assert users.get_user(connection, "ben").is_active is False
    assert departures.leave(connection, user, NOW + timedelta(days=1), at_once=False) == found
    with pytest.raises(Conflict, match="leaving"):
        users.set_active(connection, "ben", True, NOW)
    assert departure_rows.find_due(connection, NOW + timedelta(days=6), 9) == []
    departures.stay(connection, users.get_user(connection, "ben"), NOW)
    kept = users.get_user(connection, "ben")
    assert (kept.is_active, kept.token_generation) == (True, user.token_generation + 2)
    with pytest.raises(Conflict, match="not leaving"):
        departures.stay(connection, kept, NOW)
    departures.leave(connection, kept, NOW, at_once=False)
    assert departures.leave(connection, kept, NOW, at_once=True).is_due(NOW)
    with pytest.raises(Conflict, match="too late"):
        departures.stay(connection, kept, NOW)


def test_who_was_deactivated_stays_so(connection: Connection) -> None:
    user = ben(connection)
    departures.leave(connection, user, NOW, at_once=False)
    users.set_active(connection, "ben", False, NOW)
    known = departure_rows.find(connection, user.id)
    assert known is not None
    assert not known.was_active
    departures.stay(connection, users.get_user(connection, "ben"), NOW)
    assert users.get_user(connection, "ben").is_active is False


def test_the_only_admin_stays_while_others_are_there(connection: Connection) -> None:
    user = ben(connection)
    ann = users.get_user(connection, "ann")
    with pytest.raises(Conflict, match="only active admin"):
        departures.leave(connection, ann, NOW, at_once=True)
    erase(connection, user.id)
    departures.leave(connection, ann, NOW, at_once=True)


def test_it_is_done_once_nothing_can_come_in_any_more(connection: Connection) -> None:
    user = ben(connection)
    departures.leave(connection, user, NOW, at_once=True)
    while departures.erase_step(connection, user.id, NOW):
        pass
    assert not departures.finish(connection, user.id, NOW + timedelta(minutes=2))
    later = NOW + timedelta(minutes=4)
    assert departures.finish(connection, user.id, later)
    assert departure_rows.find(connection, user.id) is None
    (line,) = erasures.ledger_in(OfToday(connection))
    assert line.erased_at == erasures.precise(later)
    assert not departures.finish(connection, user.id, later)
