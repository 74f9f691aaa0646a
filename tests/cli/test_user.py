"""Does ``daemon user`` make and change accounts, and never show a password?"""

from __future__ import annotations

import base64
import contextlib
from pathlib import Path

import pytest

from app import clock
from app.accounts import second_factor, totp, users
from app.accounts.audit import COMMAND_LINE
from app.database import open_database
from app.settings import Settings
from app.storage.process_lock import ProcessLock
from tests.cli.conftest import Typed

PASSWORD = "correct horse battery"


@pytest.fixture
def ann(typed: Typed) -> Typed:
    """An installation that ann has claimed."""
    typed("init")
    typed("user", "create", "ann", "ann@example.org", "--admin", "--password-stdin", stdin=PASSWORD + "\n")
    return typed


def test_the_first_account_must_be_an_admins(typed: Typed) -> None:
    typed("init")
    said = typed("user", "create", "ann", "--password-stdin", stdin=PASSWORD, status=2)
    assert "--admin" in said.err
    assert typed("user", "list", "--json").json == {"users": []}


def test_accounts_are_listed(ann: Typed) -> None:
    ann("user", "create", "ben", "--password-stdin", "--full-name", "Ben B.", stdin=PASSWORD)
    said = ann("user", "list")
    assert said.out.splitlines()[0].split()[:2] == ["id", "name"]
    assert "ben@localhost" in said.out
    users = ann("user", "list", "--json").json["users"]
    assert [(each["username"], each["is_admin"], each["full_name"]) for each in users] == [
        ("ann", True, None),
        ("ben", False, "Ben B."),
    ]


def test_the_password_is_shown_nowhere(ann: Typed, tmp_path: Path) -> None:
    said = ann("user", "password", "ann", "--password-stdin", "--json", stdin="another long one\n")
    assert "another long one" not in said.out + said.err
    assert PASSWORD not in said.out + said.err
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert b"another long one" not in content
            assert PASSWORD.encode() not in content


def test_without_a_terminal_the_password_must_come_from_stdin(ann: Typed) -> None:
    said = ann("user", "password", "ann", stdin=PASSWORD, status=2)
    assert "--password-stdin" in said.err


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (("x y", "ben@example.org"), "user name"),
        (("ben", "no mail"), "mail address"),
        (("ben", "ann@example.org"), "taken"),
        (("ANN", "ben@example.org"), "taken"),
    ],
)
def test_what_cannot_be_an_account(ann: Typed, words: tuple[str, str], fault: str) -> None:
    said = ann("user", "create", *words, "--password-stdin", stdin=PASSWORD, status=None)
    assert said.status in (1, 2)
    assert fault in said.err
    assert len(ann("user", "list", "--json").json["users"]) == 1


def test_a_short_password_is_refused(ann: Typed) -> None:
    said = ann("user", "create", "ben", "--password-stdin", stdin="short\n", status=2)
    assert "password" in said.err


def test_admins_come_and_go_but_for_the_last(ann: Typed) -> None:
    assert ann("user", "admin", "ann", "--revoke", status=1).err.startswith("Error: ")
    assert ann("user", "deactivate", "ann", status=1).err.startswith("Error: ")
    ann("user", "create", "ben", "--password-stdin", stdin=PASSWORD)
    assert ann("user", "admin", "ben", "--json").json["is_admin"] is True
    assert ann("user", "admin", "ann", "--revoke", "--json").json["is_admin"] is False
    assert ann("user", "deactivate", "ann", "--json").json["is_active"] is False
    assert ann("user", "activate", "ann", "--json").json["is_active"] is True


@pytest.mark.parametrize("verb", ["admin", "deactivate", "activate"])
def test_nobody_of_that_name(ann: Typed, verb: str) -> None:
    assert "'zoe'" in ann("user", verb, "zoe", status=1).err


def test_before_there_is_a_database_it_says_what_to_type(typed: Typed, tmp_path: Path) -> None:
    said = typed("user", "list", status=13)
    assert "daemon init" in said.err
    assert list(tmp_path.iterdir()) == []


def test_while_a_restore_or_upgrade_is_at_work_nothing_is_written(
    ann: Typed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.cli.open_database.WAIT_SECONDS", 0.1)
    with ProcessLock(tmp_path / "data/daemon.db").exclusive():
        ann("user", "deactivate", "ann", status=16)
    ann("user", "list")


def test_every_command_that_changes_something_is_in_the_journal(ann: Typed, tmp_path: Path) -> None:
    ann("user", "create", "ben", "--full-name", "Ben B.", "--password-stdin", stdin=PASSWORD)
    ann("user", "list")
    ann("user", "create", "ben", "--password-stdin", stdin=PASSWORD, status=None)  # refused: nothing was done
    ann("user", "admin", "ben")
    ann("user", "deactivate", "ben", "--json")
    ann("key", "create", "ann", "my\x1b[2J phone", "--write", status=None)
    ann("key", "create", "ann", "my phone", "--write")
    ann("export-user-data", "ann", "--output-dir", "exported")
    said = ann("upgrade", "history", "--all", "--json").json["history"]
    commands = [line["message"] for line in said if line["event"] == "command"]
    assert commands == [
        "daemon user create ann ann@example.org --admin --password-stdin",
        "daemon user create ben --full-name 'Ben B.' --password-stdin",
        "daemon user admin ben",
        "daemon user deactivate ben",
        "daemon key create ann 'my phone' --write",
        "daemon export-user-data ann --output-dir exported",
    ]
    assert {line["by"] for line in said if line["event"] == "command"} != {""}
    assert "daemon user admin ben" in ann("upgrade", "history", "--all").out
    assert "daemon user admin ben" not in ann("upgrade", "history").out


@pytest.mark.parametrize(
    "words", [("user", "activate"), ("user", "admin"), ("export-user-data", "--output-dir", "out")]
)
def test_a_word_that_is_no_text_in_this_locale_is_no_fault_of_ours(
    ann: Typed, words: tuple[str, ...]
) -> None:
    said = ann(*words, "zo\udcc3\udcab", status=2).err
    assert "not text in UTF-8" in said
    assert "LC_ALL=C.UTF-8" in said


def test_logins_are_listed_and_ended(ann: Typed) -> None:
    assert ann("user", "sessions", "ann", "--json").json == {"sessions": []}
    assert "has ended" in ann("user", "logout", "ann").out
    assert "GET /auth/sessions" in ann("user", "logout", "ann", "--session", "7", status=1).err


def test_a_role_is_given_and_the_last_admin_stays(ann: Typed) -> None:
    ann("user", "create", "rosa", "--password-stdin", stdin=PASSWORD)
    assert ann("user", "role", "rosa", "reader", "--json").json["role"] == "reader"
    refused = ann("user", "role", "ann", "member", status=1)
    assert "the only active admin" in refused.err
    ann("user", "role", "rosa", "admin")
    assert ann("user", "role", "ann", "member", "--json").json["is_admin"] is False


def test_an_invitation_is_made_listed_and_ended_and_its_token_told_once(ann: Typed) -> None:
    made = ann("user", "invite", "--role", "reader", "--label", "for rosa", "--json").json
    assert made["token"].startswith("daemon_link_")
    said = ann("user", "invitations")
    assert "for rosa" in said.out
    assert made["token"] not in said.out
    ann("user", "uninvite", str(made["id"]))
    assert ann("user", "invitations", "--json").json == {"invitations": []}
    ann("user", "uninvite", str(made["id"]), status=1)


def test_a_link_to_another_password_is_made(ann: Typed) -> None:
    said = ann("user", "password-link", "ann")
    assert said.out.startswith("daemon_link_")


def test_a_lost_second_factor_is_turned_off(ann: Typed, tmp_path: Path) -> None:
    database = open_database(Settings(database_url=f"sqlite:///{tmp_path / 'data/daemon.db'}"))
    with contextlib.closing(database), database.writing() as connection:
        found, now = users.get_user(connection, "ann"), clock.now()
        secret = base64.b32decode(second_factor.begin(connection, "s" * 40, found, now).secret)
        code = totp.code_of(secret, totp.step_of(now))
        second_factor.confirm(connection, "s" * 40, found, code, now, COMMAND_LINE)
    assert ann("user", "second-factor", "ann", "--json").json["is_on"] is True
    assert "needs no code" in ann("user", "second-factor", "ann", "--off").out
    assert ann("user", "second-factor", "ann", "--json").json["is_on"] is False
    assert "SECOND_FACTOR" in ann("audit", "list").out
