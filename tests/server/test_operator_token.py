"""Is the token of an operator good once, for an hour, for one, and where only the operator can read it?"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from app import clock
from app.errors import NotAllowed
from app.server.operator_announcement import OperatorAnnouncement
from app.server.operator_token import VALID, OperatorToken
from app.settings import Settings
from tests.conftest import SettingsIn

NOW = datetime(2030, 1, 1, tzinfo=UTC)
MOMENT = timedelta(seconds=1)


@pytest.fixture
def settings(tmp_path: Path, settings_in: SettingsIn) -> Settings:
    """An installation with a file where its database should be."""
    made = settings_in(tmp_path)
    made.data_dir.mkdir()
    made.database_path.write_bytes(b"an old database")
    return made


@pytest.fixture
def token(settings: Settings) -> OperatorToken:
    return OperatorToken(settings, lambda: "secret")


def test_it_is_in_a_private_file_and_the_same_for_every_process(
    settings: Settings, token: OperatorToken
) -> None:
    said = token.see_to_it(NOW)
    assert len(said) >= 40
    assert settings.operator_path.read_text().split("\n")[0] == said
    assert settings.operator_path.stat().st_mode & 0o777 == 0o600
    another = OperatorToken(settings, lambda: "secret")
    assert another.see_to_it(NOW + MOMENT) == said
    assert another.is_session(token.exchange(said, NOW), NOW + MOMENT)


def test_it_is_good_once_and_the_next_one_comes_after_an_hour(
    settings: Settings, token: OperatorToken
) -> None:
    said = token.see_to_it(NOW)
    session = token.exchange(said, NOW)
    for one in (token, OperatorToken(settings, lambda: "secret")):
        with pytest.raises(NotAllowed):
            one.exchange(said, NOW + MOMENT)
        assert one.see_to_it(NOW + VALID - MOMENT) == "", "used, and not made anew"
    assert token.see_to_it(NOW + VALID + MOMENT) not in ("", said)
    assert token.is_session(session, NOW + VALID - MOMENT)
    assert not token.is_session(session, NOW + VALID)


def test_of_many_at_once_one_gets_it(settings: Settings, token: OperatorToken) -> None:
    said = token.see_to_it(NOW)
    doors = [OperatorToken(settings, lambda: "secret") for _ in range(8)]

    def tried(door: OperatorToken) -> int:
        try:
            door.exchange(said, NOW)
        except NotAllowed:
            return 0
        return 1

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(tried, doors)) == 1


@pytest.mark.parametrize("offered", ["", "wrong", "used", "\udcff", "é" * 43])
def test_anything_else_is_refused_and_leaves_the_token_good(token: OperatorToken, offered: str) -> None:
    said = token.see_to_it(NOW)
    with pytest.raises(NotAllowed):
        token.exchange(offered, NOW)
    assert token.exchange(said, NOW)
    with pytest.raises(NotAllowed):
        token.exchange(offered, NOW)


def test_its_hour_ends_also_for_a_clock_that_was_wrong(token: OperatorToken) -> None:
    said = token.see_to_it(NOW)
    for moment in (NOW + VALID, NOW - timedelta(days=1)):
        with pytest.raises(NotAllowed):
            token.exchange(said, moment)


@pytest.mark.parametrize(
    "session", ["", "9999999999.a.b", "9999999999999999.a.b", "é.é", "9999999999", "..", "x.y.z"]
)
def test_a_session_that_was_not_given_here_is_none(token: OperatorToken, session: str) -> None:
    assert not token.is_session(session, NOW)
    assert token.form_token(session) != token.form_token(session + "x")


def test_a_session_ends_with_the_secret_it_was_signed_with(settings: Settings, token: OperatorToken) -> None:
    session = token.exchange(token.see_to_it(NOW), NOW)
    assert not OperatorToken(settings, lambda: "another").is_session(session, NOW)


def test_nothing_is_made_beside_a_database_that_is_not_there(
    settings: Settings, token: OperatorToken
) -> None:
    settings.database_path.unlink()
    said = token.see_to_it(NOW)
    assert list(settings.data_dir.iterdir()) == []
    assert token.see_to_it(NOW + MOMENT) == said
    assert token.is_session(token.exchange(said, NOW), NOW)
    with pytest.raises(NotAllowed):
        token.exchange(said, NOW)


def test_it_is_printed_once_and_forgotten_once_the_database_is_served(
    settings: Settings, token: OperatorToken, capsys: pytest.CaptureFixture[str]
) -> None:
    announcement = OperatorAnnouncement(settings, token)
    announcement.see_to_it()
    announcement.see_to_it()
    said = settings.operator_path.read_text().split("\n")[0]
    assert capsys.readouterr().out.count(said) == 1
    token.end(clock.now())
    assert said not in settings.operator_path.read_text()
    token.end(clock.now() + VALID + 2 * MOMENT)
    assert not settings.operator_path.exists(), "an hour later no session is left that could be over"


def test_all_sessions_are_over_once_the_database_is_served_in_every_process(
    settings: Settings, token: OperatorToken
) -> None:
    session = token.exchange(token.see_to_it(NOW), NOW)
    doors = [token, OperatorToken(settings, lambda: "secret")]
    assert all(one.is_session(session, NOW + MOMENT) for one in doors)
    doors[1].end(NOW + MOMENT)
    assert not any(one.is_session(session, NOW + MOMENT) for one in doors)
    assert all(one.is_over(session, NOW + MOMENT) for one in doors), "how it ended may still be told"
    assert not token.is_over(session, NOW + VALID)
    assert not token.is_over("made.up", NOW + MOMENT)
    again = token.see_to_it(NOW + 2 * MOMENT)
    assert again, "it waits again: there is another token at once"
    assert not token.is_session(session, NOW + 2 * MOMENT)
    newer = doors[1].exchange(again, NOW + 2 * MOMENT)
    for one in (*doors, OperatorToken(settings, lambda: "secret")):
        assert (one.is_session(newer, NOW + 3 * MOMENT), one.is_session(session, NOW + 3 * MOMENT)) == (
            True,
            False,
        )


def test_who_leaves_has_no_session_any_more_and_the_next_one_gets_another_token(
    settings: Settings, token: OperatorToken
) -> None:
    first = token.see_to_it(NOW)
    session = token.exchange(first, NOW)
    token.leave(NOW + MOMENT)
    assert not token.is_session(session, NOW + MOMENT)
    second = token.see_to_it(NOW + 2 * MOMENT)
    assert second not in ("", first)
    given = token.new_session(NOW + 2 * MOMENT)  # of an admin, after a rollback: the token is not used
    token.leave(NOW + 3 * MOMENT)
    assert not token.is_session(given, NOW + 3 * MOMENT)
    assert OperatorToken(settings, lambda: "secret").see_to_it(NOW + 3 * MOMENT) == second


def test_where_there_is_no_place_for_a_file_sessions_end_alike(
    settings: Settings, token: OperatorToken
) -> None:
    settings.database_path.unlink()
    session = token.exchange(token.see_to_it(NOW), NOW)
    token.end(NOW + MOMENT)
    assert not token.is_session(session, NOW + MOMENT)
    assert list(settings.data_dir.iterdir()) == []


def test_a_session_of_an_admin_is_over_once_the_database_is_served_in_every_process(
    settings: Settings, token: OperatorToken
) -> None:
    given = token.new_session(NOW)  # while it is served: no token was made
    OperatorToken(settings, lambda: "secret").end(NOW + MOMENT)
    for one in (token, OperatorToken(settings, lambda: "secret")):
        assert not one.is_session(given, NOW + 2 * MOMENT)
        assert one.is_over(given, NOW + 2 * MOMENT)
    assert token.see_to_it(NOW + 2 * MOMENT), "that one was given takes nothing from who has the token"
    token.end(NOW + 3 * MOMENT)
    token.end(NOW + 2 * VALID)
    assert not settings.operator_path.exists()


def test_one_that_outlives_its_token_is_over_alike(settings: Settings, token: OperatorToken) -> None:
    said = token.see_to_it(NOW)
    given = token.new_session(NOW + VALID - MOMENT)
    assert settings.operator_path.read_text().split("\n")[0] == said
    OperatorToken(settings, lambda: "secret").end(NOW + VALID + MOMENT)
    assert not token.is_session(given, NOW + VALID + MOMENT)


def test_a_server_that_starts_leaves_no_file_where_no_session_was_given(
    settings: Settings, token: OperatorToken
) -> None:
    token.end(NOW)
    assert not settings.operator_path.exists()


def test_an_hour_after_all_is_over_the_file_goes(settings: Settings, token: OperatorToken) -> None:
    given = token.exchange(token.see_to_it(NOW), NOW)
    token.end(NOW + MOMENT)
    for after in (MOMENT, VALID - MOMENT):
        token.clear(NOW + MOMENT + after)
        assert settings.operator_path.exists(), "it says that the session is over"
    later = NOW + 3 * MOMENT + VALID
    OperatorToken(settings, lambda: "secret").clear(later)
    assert not settings.operator_path.exists()
    assert not token.is_session(given, later)
    waiting = token.see_to_it(later)
    token.clear(later + MOMENT)
    assert settings.operator_path.read_text().startswith(waiting), "one that is good stays"


def test_how_it_ended_is_told_of_a_served_database_only_and_once(
    settings: Settings, token: OperatorToken
) -> None:
    doors = [token, OperatorToken(settings, lambda: "secret")]
    left = token.exchange(token.see_to_it(NOW), NOW)
    token.leave(NOW + MOMENT)
    assert not any(one.is_over(left, NOW + MOMENT) for one in doors)
    served = token.exchange(token.see_to_it(NOW + 2 * MOMENT), NOW + 2 * MOMENT)
    doors[1].end(NOW + 3 * MOMENT)
    later = NOW + 4 * MOMENT
    for one in (*doors, OperatorToken(settings, lambda: "secret")):
        assert (one.is_over(left, later), one.is_over(served, later)) == (False, True)
    token.has_told(served, later)
    assert not any(one.is_over(served, later) or one.is_session(served, later) for one in doors)
