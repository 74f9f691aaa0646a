"""One-time links, used: an account by invitation, another password. Run by this process, with its throttle.

What is decided is decided in `accounts.one_time_links`.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from app import clock
from app.accounts import account_rules, one_time_links, passwords, users
from app.accounts.audit import Actor
from app.accounts.one_time_links import INVITATION, PASSWORD, Link, Purpose
from app.accounts.throttle import network_of
from app.accounts.users import NewUser, User
from app.errors import Conflict
from app.server.login import WantedAccount

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from app.entries.entry import Origin
    from app.server.state import ServerState


async def look_at(server: ServerState, text: str, origin: Origin) -> tuple[Link, str | None]:
    """Return what a link opens, and the name of the account that it is for; it is not used up.

    Raises NotAllowed for one that opens nothing, and TooMuch where that was tried too often.
    """
    link, user = await asyncio.to_thread(_known, server, text, None, origin)
    return link, None if user is None else user.username


async def check_invitation(server: ServerState, text: str, origin: Origin) -> None:
    """Raise as `look_at` does where this is no invitation that is good; it is not used up."""
    await asyncio.to_thread(_known, server, text, INVITATION, origin)


async def accept_invitation(server: ServerState, text: str, wanted: WantedAccount, origin: Origin) -> User:
    """Make the account of someone who was invited; the link is used up.

    Raises what `look_at` raises, InvalidContent, Busy, and Conflict where name or mail is taken; which tells
    of other accounts, so that it is counted as a guess.
    """
    link, _ = await asyncio.to_thread(_known, server, text, INVITATION, origin)
    account_rules.check_new_user(wanted.username, wanted.email, wanted.password, wanted.full_name)
    stored_hash = await server.hashing_at_known_places.run(passwords.hash_password, wanted.password)
    new = NewUser(
        wanted.username,
        wanted.email,
        stored_hash,
        wanted.full_name,
        is_admin=link.role == "admin",
        is_reader=link.role == "reader",
    )
    try:
        return await server.writes.write(partial(_join, text, new, origin))
    except Conflict:
        await asyncio.to_thread(server.throttle.refuse, f"invitation {link.id}", "")
        raise


async def reset_password(server: ServerState, text: str, new: str, origin: Origin) -> None:
    """Give the account that a link is for another password; every session of it ends, and the link.

    Raises what `look_at` raises, InvalidContent and Busy.
    """
    _, user = await asyncio.to_thread(_known, server, text, PASSWORD, origin)
    assert user is not None
    account_rules.check_password(new, user.username, user.email)
    stored_hash = await server.hashing_at_known_places.run(passwords.hash_password, new)
    await server.writes.write(partial(_reset, text, stored_hash, origin))


def _known(
    server: ServerState, text: str, purpose: Purpose | None, origin: Origin
) -> tuple[Link, User | None]:
    with server.supervisor.reading() as connection:
        link = one_time_links.find_link(connection, text, clock.now())
        user_id = None if link is None else link.user_id
        user = None if user_id is None else users.find_user_by_id(connection, user_id)
    is_for = link is not None and purpose in (None, link.purpose)
    if link is None or not is_for or (link.purpose == PASSWORD and user is None):
        _count_guess(server, origin)
        raise one_time_links.refused()
    return link, user


def _count_guess(server: ServerState, origin: Origin) -> None:
    server.throttle.refuse("link", network_of(origin.ip_address or ""))


def _join(text: str, new: NewUser, origin: Origin, connection: Connection) -> User:
    now = clock.now()
    link = one_time_links.get_link(connection, text, INVITATION, now)
    made = users.create_user(connection, new, now)
    one_time_links.use(connection, link, now, Actor(made.id, origin.ip_address, origin.user_agent))
    return made


def _reset(text: str, stored_hash: str, origin: Origin, connection: Connection) -> None:
    now = clock.now()
    link = one_time_links.get_link(connection, text, PASSWORD, now)
    found = None if link.user_id is None else users.find_user_by_id(connection, link.user_id)
    if found is None:
        raise one_time_links.refused()
    actor = Actor(found.id, origin.ip_address, origin.user_agent)
    one_time_links.use(connection, link, now, actor)
    users.change_password(connection, found.username, stored_hash, now, actor)
