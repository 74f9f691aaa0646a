"""What does ``daemon user`` do? It lists, makes and changes accounts, with passwords no one sees."""

from __future__ import annotations

import getpass
import shlex
import sys

import click

from app import clock
from app.accounts import account_rules, api_keys, claim, passwords, sessions, users
from app.accounts.users import NewUser, Role, User
from app.cli import user_access, user_export, user_leaving, user_provider, user_storage
from app.cli.command_context import opened_for_reading, opened_for_writing, opened_of_any_version
from app.cli.options import json_option
from app.cli.output import Output
from app.entries import unclaimed
from app.errors import UsageError

SESSION_COLUMNS = ("id", "began", "used last", "ends", "address", "program")
COLUMNS = ("id", "name", "full name", "mail", "admin", "active", "last login")

password_stdin_option = click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from the first line of stdin; it is not asked for.",
)


@click.group()
def user() -> None:
    """The people who have an account.

    \b
    daemon user create ann --admin       the first account; it takes over what was written before
    daemon user password ann             a new password; every login of hers ends
    daemon user deactivate ann           keeps her out, and what she wrote out of sight
    daemon user invite --role reader     a token with which someone makes an account, once
    """


for command in (
    *user_access.COMMANDS,
    user_storage.storage,
    user_provider.provider,
    user_export.export_command,
    *user_leaving.COMMANDS,
):
    user.add_command(command)


@user.command()
@click.argument("username")
@click.argument("email", required=False)
@click.option("--full-name", help="The name that people know.")
@click.option("--admin", is_flag=True, help="May see and change everything. The first account must be one.")
@password_stdin_option
@json_option
@click.pass_obj
def create(
    output: Output, username: str, email: str | None, full_name: str | None, admin: bool, password_stdin: bool
) -> int:
    """Make the account USERNAME. The password is asked for, or read from stdin; never typed as an option."""
    mail = email or f"{username}@localhost"
    with opened_for_reading(output) as (_, connection):
        if not admin and not claim.is_claimed(connection):
            raise UsageError(
                "The first account must be an admin's.",
                hint=f"daemon user create {shlex.quote(username)} --admin",
            )
    password = _asked_for(password_stdin)
    account_rules.check_new_user(username, mail, password, full_name)
    new = NewUser(username, mail, passwords.hash_password(password), full_name, is_admin=admin)
    with opened_for_writing(output) as (settings, connection):
        made = claim.create_account(connection, new, clock.now())
        waiting = unclaimed.count_waiting(connection)
    claim.end_claim_token(settings)
    output.answer(
        f"{made.username} has an account{' and is an admin' if made.is_admin else ''}.", as_json(made)
    )
    if waiting:
        output.say(f"{waiting} entries came in before there was an account, private: daemon claim review")
    return 0


@user.command(name="list")
@json_option
@click.pass_obj
def list_command(output: Output) -> int:
    """Every account there is. Before an upgrade too: an older database is copied, and the copy upgraded."""
    with opened_of_any_version(output) as connection:
        found = users.list_users(connection)
    rows = [
        (
            each.id,
            each.username,
            each.full_name,
            each.email,
            each.is_admin,
            each.is_active,
            str(each.last_login or "-")[:16],
        )
        for each in found
    ]
    output.table(COLUMNS, rows, {"users": [as_json(each) for each in found]})
    return 0


@user.command()
@click.argument("username")
@click.option("--end-keys", is_flag=True, help="Every API key of that account ends too.")
@password_stdin_option
@json_option
@click.pass_obj
def password(output: Output, username: str, end_keys: bool, password_stdin: bool) -> int:
    """Give USERNAME a new password. Every login of that account ends; its API keys only with --end-keys."""
    with opened_for_reading(output) as (_, connection):
        found = users.get_user(connection, username)
    typed = _asked_for(password_stdin)
    account_rules.check_password(typed, found.username, found.email)
    stored_hash = passwords.hash_password(typed)
    with opened_for_writing(output) as (_, connection):
        now = clock.now()
        changed = users.change_password(connection, username, stored_hash, now)
        ended_count = api_keys.end_keys(connection, changed.id, now) if end_keys else 0
        kept_count = api_keys.count_keys(connection, changed.id)
    said = f"{changed.username} has a new password." + _about_keys(changed.username, ended_count, kept_count)
    output.answer(said, {**as_json(changed), "keys_ended": ended_count, "keys_kept": kept_count})
    return 0


@user.command()
@click.argument("username")
@click.option("--revoke", is_flag=True, help="No longer an admin.")
@json_option
@click.pass_obj
def admin(output: Output, username: str, revoke: bool) -> int:
    """Make USERNAME an admin, or with --revoke no longer one. The last active admin stays one."""
    with opened_for_writing(output) as (_, connection):
        users.set_admin(connection, username, not revoke, clock.now())
        changed = users.get_user(connection, username)
    output.answer(f"{changed.username} is {'no longer' if revoke else 'now'} an admin.", as_json(changed))
    return 0


@user.command()
@click.argument("username")
@click.argument("role", type=click.Choice(users.ROLES))
@json_option
@click.pass_obj
def role(output: Output, username: str, role: Role) -> int:
    """Make USERNAME an admin, a member, or a reader, who writes no entries. One active admin is left."""
    with opened_for_writing(output) as (_, connection):
        users.set_role(connection, users.get_user(connection, username), role, clock.now())
        changed = users.get_user(connection, username)
    output.answer(f"{changed.username} is now {'an' if role == 'admin' else 'a'} {role}.", as_json(changed))
    return 0


@user.command()
@click.argument("username")
@json_option
@click.pass_obj
def deactivate(output: Output, username: str) -> int:
    """Keep USERNAME out. Nothing is deleted; what that person wrote is shown to no one but admins."""
    return _set_active(output, username, is_active=False)


@user.command()
@click.argument("username")
@json_option
@click.pass_obj
def activate(output: Output, username: str) -> int:
    """Let USERNAME in again."""
    return _set_active(output, username, is_active=True)


@user.command(name="sessions")
@click.argument("username")
@json_option
@click.pass_obj
def sessions_command(output: Output, username: str) -> int:
    """The logins of USERNAME that go on, the one used last first."""
    with opened_for_reading(output) as (_, connection):
        found = sessions.list_sessions(connection, users.get_user(connection, username).id, clock.now())
    rows = [
        (each.id, each.created_at, each.last_used_at, each.expires_at, each.ip_address, each.user_agent)
        for each in found
    ]
    output.table(SESSION_COLUMNS, rows, {"sessions": found})
    return 0


@user.command()
@click.argument("username")
@click.option("--session", "session_id", type=int, help="This one only (daemon user sessions USERNAME).")
@json_option
@click.pass_obj
def logout(output: Output, username: str, session_id: int | None) -> int:
    """End every login of USERNAME, or one. API keys go on."""
    with opened_for_writing(output) as (_, connection):
        found, now = users.get_user(connection, username), clock.now()
        if session_id is None:
            users.end_tokens(connection, found, now)
        else:
            sessions.end(connection, sessions.get_session(connection, session_id, found.id), now)
    what = "Every login" if session_id is None else f"The login {session_id}"
    output.answer(f"{what} of {found.username} has ended.", as_json(found))
    return 0


def as_json(found: User) -> dict[str, object]:
    return {
        "id": found.id,
        "username": found.username,
        "full_name": found.full_name,
        "email": found.email,
        "is_admin": found.is_admin,
        "role": found.role,
        "is_active": found.is_active,
        "created_at": found.created_at,
        "last_login": found.last_login,
    }


def _about_keys(username: str, ended_count: int, kept_count: int) -> str:
    if ended_count:
        return f" API keys that ended: {ended_count}."
    if kept_count:
        return f" API keys that go on working: {kept_count} (daemon key list {shlex.quote(username)})."
    return ""


def _set_active(output: Output, username: str, *, is_active: bool) -> int:
    with opened_for_writing(output) as (_, connection):
        users.set_active(connection, username, is_active, clock.now())
        changed = users.get_user(connection, username)
    said = f"{changed.username} can {'log in again' if is_active else 'no longer log in'}."
    output.answer(said, as_json(changed))
    return 0


def _asked_for(from_stdin: bool) -> str:
    """The password: from stdin, or asked for twice on the terminal, without showing it."""
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not sys.stdin.isatty():
        raise UsageError(
            "There is no terminal to ask for the password.",
            hint="Give it on the first line of stdin, with --password-stdin.",
        )
    typed = getpass.getpass("Password: ")
    if getpass.getpass("The same again: ") != typed:
        raise UsageError("The two passwords differ; nothing was changed.")
    return typed
