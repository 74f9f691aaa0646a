"""Webhooks (subscriptions). Which programs does a person have told of changes to their entries?

A webhook is an address that is sent ids and kinds (Standard Webhooks). Its secret is drawn here, told once
and kept encrypted. It goes off by itself where it is not reached, and says so.
"""

from __future__ import annotations

import base64
import ipaddress
import json
import secrets
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import Connection, RowMapping, delete, func, insert, select, update

from app import clock
from app.accounts import audit, encrypted_secrets
from app.accounts.audit import Actor
from app.entries import webhook_events
from app.entries.entry import invalid
from app.entries.webhook_events import EVENTS
from app.errors import Conflict, NotFound
from app.ids import new_id
from app.special_networks import is_public
from app.tables import webhook_deliveries, webhooks

HOOKS_MOST = 20
URL_MOST = 2_000
LABEL_MOST = 100
KINDS_MOST = 100
SECRET_BYTES = 32
HINT = "GET /api/v1/webhooks lists yours."
_PURPOSE = b"secrets of webhooks"
_HOOK, _SENT = webhooks.c, webhook_deliveries.c


@dataclass(frozen=True)
class NewHook:
    """What a webhook is made from; None: every event, every kind."""

    url: str
    events: Sequence[str] | None = None
    kinds: Sequence[str] | None = None
    label: str | None = None


def checked_url(url: str, *, allows_loopback: bool) -> str:
    """Return an address that may be sent to, as far as its text tells; raises InvalidContent.

    https, or http to this machine where that is allowed; no IP address that is not public. What a name leads
    to is seen when it is sent.
    """
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname, parts.port
        url.encode("ascii")
    except (ValueError, UnicodeError):
        raise _bad_url("it cannot be read as an address in ASCII") from None
    if len(url) > URL_MOST or any(each.isspace() or not each.isprintable() for each in url):
        raise _bad_url(f"{URL_MOST} characters without blanks at most")
    if not host or "@" in parts.netloc or parts.fragment:
        raise _bad_url("a host is needed, and no user and no fragment")
    if parts.scheme == "http" and is_loopback(host) and allows_loopback:
        return url
    if parts.scheme != "https":
        raise _bad_url("https is needed (http is for this machine only, with WEBHOOKS_TO_LOOPBACK)")
    if _is_literal(host) and not is_public(host):
        raise _bad_url("its address is not a public one")
    return url


def _is_literal(host: str) -> bool:
    """Whether a host is an IP address, not a name; also IPv6 with a zone, and IPv4 as systems read it."""
    if ":" in host:
        return True
    try:
        socket.inet_aton(host)  # 127.1, 0x7f.1 and 2130706433, too
    except OSError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether a host of an address is this machine by its text."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def make(
    connection: Connection, secret: str, user_id: int, new: NewHook, now: datetime, actor: Actor
) -> tuple[dict[str, Any], str]:
    """Make a webhook, and return it with its secret, which is told this once.

    ``new.url`` is of `checked_url`. Raises Conflict beyond HOOKS_MOST, InvalidContent. Writes webhooks,
    webhook_events and audit_logs.
    """
    count = select(func.count()).select_from(webhooks).where(_HOOK.user_id == user_id)
    if connection.execute(count).scalar_one() >= HOOKS_MOST:
        raise Conflict(f"There are {HOOKS_MOST} webhooks already.", hint="Remove one first.")
    hook_id, drawn = new_id(connection, webhooks), secrets.token_bytes(SECRET_BYTES)
    values = {
        "id": hook_id,
        "user_id": user_id,
        "url": new.url,
        "label": _label(new.label),
        "secret": encrypted_secrets.encrypted(secret, _PURPOSE, hook_id, drawn),
        "events": _stored(_events(new.events)),
        "kinds": _stored(_kinds(new.kinds)),
        "is_active": 1,
        "created_at": clock.stored(now),
        "failed_count": 0,
    }
    is_first = user_id not in webhook_events.listeners(connection)
    connection.execute(insert(webhooks).values(values))
    if is_first:
        webhook_events.plan_anew(connection, user_id, now)
    audit.record(connection, audit.CREATE, "webhooks", hook_id, now=now, **vars(actor))
    return get(connection, user_id, hook_id), _told(drawn)


def renew_secret(connection: Connection, secret: str, user_id: int, hook_id: int) -> str:
    """Give a webhook another secret, and return it: told this once; raises NotFound. Writes webhooks."""
    get(connection, user_id, hook_id)
    drawn = secrets.token_bytes(SECRET_BYTES)
    values = {"secret": encrypted_secrets.encrypted(secret, _PURPOSE, hook_id, drawn)}
    connection.execute(update(webhooks).where(_HOOK.id == hook_id).values(values))
    return _told(drawn)


def secret_of(secret: str, hook_id: int, stored: str) -> str | None:
    """Return the secret that a webhook signs with; None where another signing secret encrypted it."""
    found = encrypted_secrets.decrypted(secret, _PURPOSE, hook_id, stored)
    return None if found is None else _told(found)


def listed(connection: Connection, user_id: int) -> list[dict[str, Any]]:
    """Return a person's webhooks, without their secrets."""
    query = select(webhooks).where(_HOOK.user_id == user_id).order_by(_HOOK.created_at, _HOOK.id)
    return [_view(row) for row in connection.execute(query).mappings()]


def get(connection: Connection, user_id: int, hook_id: int) -> dict[str, Any]:
    """Return one of a person's webhooks; raises NotFound."""
    query = select(webhooks).where(_HOOK.id == hook_id, _HOOK.user_id == user_id)
    row = connection.execute(query).mappings().first()
    if row is None:
        raise NotFound("There is no such webhook.", hint=HINT)
    return _view(row)


def change(connection: Connection, user_id: int, hook_id: int, said: dict[str, Any], now: datetime) -> None:
    """Change what was said of a webhook: url (of `checked_url`), label, events, kinds, is_active.

    What waits is sent once it is on again. Raises NotFound, InvalidContent. Writes webhooks and
    webhook_deliveries.
    """
    was = get(connection, user_id, hook_id)
    values: dict[str, Any] = {}
    if "url" in said:
        values["url"] = said["url"]
    if "label" in said:
        values["label"] = _label(said["label"])
    if "events" in said:
        values["events"] = _stored(_events(said["events"]))
    if "kinds" in said:
        values["kinds"] = _stored(_kinds(said["kinds"]))
    if said.get("is_active") is False and was["is_active"]:
        turn_off(connection, hook_id, "by_its_person", now)
    if said.get("is_active") is True and not was["is_active"]:
        values |= {"is_active": 1, "off_since": None, "off_why": None, "failed_count": 0}
        if user_id not in webhook_events.listeners(connection):
            webhook_events.plan_anew(connection, user_id, now)
        waiting = update(webhook_deliveries).where(_SENT.webhook_id == hook_id, _SENT.state == "waiting")
        connection.execute(waiting.values(next_attempt_at=clock.stored(now), attempts=0))
    if values:
        connection.execute(update(webhooks).where(_HOOK.id == hook_id).values(values))


def turn_off(connection: Connection, hook_id: int, why: str, now: datetime) -> None:
    """Send nothing to a webhook any more, and keep what waits. Writes webhooks and webhook_deliveries."""
    values = {"is_active": 0, "off_since": clock.stored(now), "off_why": why}
    connection.execute(update(webhooks).where(_HOOK.id == hook_id).values(values))
    waiting = update(webhook_deliveries).where(_SENT.webhook_id == hook_id, _SENT.state == "waiting")
    connection.execute(waiting.values(next_attempt_at=None))


def remove(connection: Connection, user_id: int, hook_id: int, now: datetime, actor: Actor) -> None:
    """Delete a webhook and what was sent to it; raises NotFound. Writes audit_logs, too."""
    get(connection, user_id, hook_id)
    connection.execute(delete(webhook_deliveries).where(_SENT.webhook_id == hook_id))
    connection.execute(delete(webhooks).where(_HOOK.id == hook_id))
    audit.record(connection, audit.DELETE, "webhooks", hook_id, now=now, **vars(actor))


# -- inside


def _view(row: RowMapping) -> dict[str, Any]:
    return {
        "id": row["id"],
        "url": row["url"],
        "label": row["label"],
        "events": _read(row["events"]),
        "kinds": _read(row["kinds"]),
        "is_active": row["is_active"] == 1,
        "created_at": clock.rfc3339(row["created_at"]),
        "failed_count": row["failed_count"],
        "off_since": row["off_since"] and clock.rfc3339(row["off_since"]),
        "off_why": row["off_why"],
    }


def _told(drawn: bytes) -> str:
    return "whsec_" + base64.b64encode(drawn).decode()


def _events(said: Sequence[str] | None) -> list[str] | None:
    for at, each in enumerate(said or ()):
        if each not in EVENTS:
            raise invalid(f"/events/{at}", f"one of {', '.join(EVENTS)} is needed here")
    return None if said is None else sorted(set(said))


def _kinds(said: Sequence[str] | None) -> list[str] | None:
    if said is not None and (len(said) > KINDS_MOST or any(len(each) > LABEL_MOST for each in said)):
        raise invalid("/kinds", f"{KINDS_MOST} names of kinds at most are needed here")
    return None if said is None else sorted(set(said))


def _label(said: str | None) -> str | None:
    if said is not None and len(said) > LABEL_MOST:
        raise invalid("/label", f"{LABEL_MOST} characters at most may stand here")
    return said


def _stored(value: list[str] | None) -> str | None:
    return None if value is None else json.dumps(value)


def _read(stored: str | None) -> list[str] | None:
    return None if stored is None else list(json.loads(stored))


def _bad_url(why: str) -> Exception:
    return invalid("/url", why)
