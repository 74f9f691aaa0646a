"""Is a code taken once, in its time, by its account alone; and are guesses at it made to wait?"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Connection

from app.accounts import second_factor, totp, users
from app.accounts.audit import COMMAND_LINE
from app.accounts.second_factor import RECOVERY_CODES, WRONG_CODES_FREE, Outcome
from app.accounts.users import NewUser, User
from app.errors import Conflict, InvalidContent

SECRET = "s" * 40
STEP = timedelta(seconds=30)
RFC_SECRET = b"12345678901234567890"
RFC_6238 = [  # appendix B, SHA-1
    (59, "94287082"),
    (1111111109, "07081804"),
    (1111111111, "14050471"),
    (1234567890, "89005924"),
    (2000000000, "69279037"),
    (20000000000, "65353130"),
]
RFC_4226 = "755224 287082 359152 969429 338314 254676 287922 162583 399871 520489"  # appendix D


@pytest.mark.parametrize(("seconds", "code"), RFC_6238)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)
    assert totp.code_of(RFC_SECRET, totp.step_of(moment), 8) == code
    assert totp.code_of(RFC_SECRET, totp.step_of(moment)) == code[2:]
    assert totp.find_step(RFC_SECRET, code[2:], moment) == seconds // 30


def test_counted_codes_are_those_of_the_older_rfc() -> None:
    assert " ".join(totp.code_of(RFC_SECRET, count) for count in range(10)) == RFC_4226


def test_a_program_is_told_the_secret_in_its_form() -> None:
    assert totp.text_of(RFC_SECRET) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    uri = totp.uri_of(RFC_SECRET, "ann@x")
    assert uri == f"otpauth://totp/Daemon%3Aann%40x?secret={totp.text_of(RFC_SECRET)}&issuer=Daemon"


@pytest.fixture
def ann(connection: Connection, now: datetime) -> User:
    return users.create_user(connection, NewUser("ann", "a@x", "hash"), now)


class Device:
    """An authenticator program."""

    def __init__(self, connection: Connection, user: User, now: datetime) -> None:
        text = second_factor.begin(connection, SECRET, user, now).secret
        self.secret = base64.b32decode(text)

    def code(self, moment: datetime) -> str:
        return totp.code_of(self.secret, totp.step_of(moment))


def turn_on(connection: Connection, user: User, now: datetime) -> tuple[Device, list[str]]:
    """Turn it on a minute ago, so that the code of now has not been seen."""
    before = now - 4 * STEP
    device = Device(connection, user, before)
    code = device.code(before)
    return device, second_factor.confirm(connection, SECRET, user, code, before, COMMAND_LINE)


def check(connection: Connection, user: User, typed: str, now: datetime, secret: str = SECRET) -> Outcome:
    return second_factor.check(connection, secret, user, typed, now, COMMAND_LINE)


def test_a_code_is_taken_once_and_none_before_it(connection: Connection, ann: User, now: datetime) -> None:
    device, _ = turn_on(connection, ann, now)
    code = device.code(now)
    assert check(connection, ann, f" {code[:3]} {code[3:]}\n", now) == "taken"
    assert check(connection, ann, code, now) == "wrong"
    assert check(connection, ann, code, now + STEP) == "wrong"
    assert check(connection, ann, device.code(now - STEP), now) == "wrong"
    assert check(connection, ann, device.code(now + STEP), now) == "taken"


def test_the_code_that_turned_it_on_is_not_taken_again(
    connection: Connection, ann: User, now: datetime
) -> None:
    device = Device(connection, ann, now)
    second_factor.confirm(connection, SECRET, ann, device.code(now), now, COMMAND_LINE)
    assert check(connection, ann, device.code(now), now) == "wrong"


def test_a_code_counts_a_step_before_and_after_its_own(
    connection: Connection, ann: User, now: datetime
) -> None:
    device, _ = turn_on(connection, ann, now)
    assert check(connection, ann, device.code(now - 2 * STEP), now) == "wrong"
    assert check(connection, ann, device.code(now + 2 * STEP), now) == "wrong"
    assert check(connection, ann, device.code(now - STEP), now) == "taken"
    assert check(connection, ann, device.code(now + STEP), now) == "taken"


def test_guesses_wait_longer_each_and_a_recovery_code_does_not(
    connection: Connection, ann: User, now: datetime
) -> None:
    device, codes = turn_on(connection, ann, now)
    wrong = str((int(device.code(now)) + 1) % 10**6).zfill(6)
    for _ in range(WRONG_CODES_FREE):
        assert check(connection, ann, wrong, now) == "wrong"
    assert check(connection, ann, device.code(now), now) == "blocked", "the right one waits, too"
    assert check(connection, ann, codes[0], now) == "taken"
    tries = 0
    for seconds in range(0, 24 * 3600, 30):
        if check(connection, ann, wrong, now + timedelta(seconds=seconds)) == "wrong":
            tries += 1
        if tries > 40:
            break
    assert tries <= 34, "of a million codes so few are tried in a day"
    later = now + timedelta(hours=26)
    assert check(connection, ann, device.code(later), later) == "taken"
    assert check(connection, ann, wrong, later) == "wrong", "and after a right one it is as at the beginning"


def test_recovery_codes_are_good_once_and_of_one_account(
    connection: Connection, ann: User, now: datetime
) -> None:
    bea = users.create_user(connection, NewUser("bea", "b@x", "hash"), now)
    _, codes = turn_on(connection, ann, now)
    turn_on(connection, bea, now)
    assert len(set(codes)) == RECOVERY_CODES
    assert check(connection, bea, codes[0], now) == "wrong"
    assert check(connection, ann, codes[0].upper().replace("-", " "), now) == "taken"
    assert check(connection, ann, codes[0], now) == "wrong"
    assert second_factor.state_of(connection, ann.id).recovery_codes_left == RECOVERY_CODES - 1
    renewed = second_factor.renew_codes(connection, ann, now, COMMAND_LINE)
    assert check(connection, ann, codes[1], now) == "wrong"
    assert check(connection, ann, renewed[0], now) == "taken"


def test_nothing_that_makes_a_code_is_stored(connection: Connection, ann: User, now: datetime) -> None:
    device, codes = turn_on(connection, ann, now)
    names = ("second_factors", "recovery_codes", "audit_logs")
    stored = repr([connection.exec_driver_sql(f"SELECT * FROM {name}").all() for name in names])
    for text in (
        totp.text_of(device.secret),
        device.secret.hex(),
        *codes,
        *(c.replace("-", "") for c in codes),
    ):
        assert text not in stored
    assert base64.b64encode(device.secret).decode() not in stored


def test_under_another_signing_secret_recovery_codes_alone_are_taken(
    connection: Connection, ann: User, now: datetime
) -> None:
    device, codes = turn_on(connection, ann, now)
    assert check(connection, ann, device.code(now), now, "another" * 6) == "wrong"
    assert check(connection, ann, codes[0], now, "another" * 6) == "taken"


def test_it_is_on_once_a_code_was_sent_and_off_with_all_of_it(
    connection: Connection, ann: User, now: datetime
) -> None:
    with pytest.raises(Conflict):
        second_factor.confirm(connection, SECRET, ann, "000000", now, COMMAND_LINE)
    device = Device(connection, ann, now)
    assert not second_factor.is_on(connection, ann.id)
    with pytest.raises(InvalidContent):
        second_factor.confirm(connection, SECRET, ann, device.code(now + 5 * STEP), now, COMMAND_LINE)
    with pytest.raises(Conflict):
        second_factor.renew_codes(connection, ann, now, COMMAND_LINE)
    again = Device(connection, ann, now)
    assert again.secret != device.secret
    second_factor.confirm(connection, SECRET, ann, again.code(now), now, COMMAND_LINE)
    assert second_factor.is_on(connection, ann.id)
    with pytest.raises(Conflict):
        second_factor.begin(connection, SECRET, ann, now)
    second_factor.turn_off(connection, ann, now)
    assert second_factor.state_of(connection, ann.id) == second_factor.State(False, None, 0)
