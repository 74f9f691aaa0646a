"""Parameters. Which does an address know, which id do they name? What trackers add to a query is ignored."""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.dependencies.models import Dependant
from starlette.exceptions import HTTPException
from starlette.types import Scope

from app.errors import NotFound, UsageError
from app.nearest import nearest
from app.privacy.agents import agent_class
from app.server.response_cache import Address
from app.web.errors import allowed_methods
from app.web.forms import HTML, form_of
from app.web.models.parameters import LARGEST_ID
from app.web.words import language_of_browser

TRACKERS = frozenset(
    {
        "_branch_match_id", "_ga", "_gac", "_gl", "_hsenc", "_hsmi", "_ke", "_kx", "_openstat",
        "ck_subscriber_id", "cmpid", "dclid", "dm_i", "ef_id", "epik", "fbclid", "gad_campaignid",
        "gad_source", "gbraid", "gclid", "gclsrc", "gdffi", "gdfms", "gdftrk", "hsctatracking", "igsh",
        "igshid", "irclickid", "li_fat_id", "mc_cid", "mc_eid", "mkt_tok", "ml_subscriber",
        "ml_subscriber_hash", "msclkid", "ndclid", "oly_anon_id", "oly_enc_id", "qclid", "rb_clickid",
        "rdt_cid", "s_cid", "s_kwcid", "sccid", "sfmc_id", "sfmc_sub", "srsltid", "sscid", "ttclid",
        "twclid", "vero_conv", "vero_id", "vgo_ee", "wbraid", "wickedid", "yclid", "ysclid",
    }
)  # fmt: skip
TRACKER_PREFIXES = ("utm_", "mtm_", "matomo_", "pk_", "piwik_", "hsa_", "__hs", "at_custom")
"""What link trackers of networks, mailers and analytics put behind an address; compared without case."""

_ID = re.compile(r"[1-9][0-9]{0,18}")


class UnknownParameter(UsageError):
    """The address has no query parameter of that name."""

    code = "unknown_parameter"


async def only_known(request: Request) -> None:
    """Raise UnknownParameter for a parameter that the route does not have, UsageError for a doubled one.

    Below /api/v1, where ignoring it in silence would answer another question than the one that was asked.
    Where the address only looks like an entry's and takes another method, that is said first.
    """
    if not request.scope["query_string"] or not request.scope["path"].startswith("/api/v1/"):
        return
    known = _names_of(request.scope["route"].dependant)
    counts = Counter(name for name, _value in request.query_params.multi_items() if not is_tracker(name))
    for name, count in counts.items():
        if name not in known:
            raise _unknown(name, known) if request.method in allowed_methods(request) else HTTPException(405)
        if count > 1:
            raise UsageError(f"The parameter {name!r} is there {count} times.", hint="Send it once.")


def _unknown(name: str, known: tuple[str, ...]) -> UnknownParameter:
    shown = name[:60].encode("utf-8", "replace").decode()
    if not known:
        hint = "This address takes no query parameters."
    else:
        hint = f"Did you mean {nearest(name, known)!r}? Known here: {', '.join(known)}."
    errors = [
        {"pointer": f"/query/{shown.replace('~', '~0').replace('/', '~1')}", "detail": "it is not known"}
    ]
    return UnknownParameter(f"There is no query parameter {shown!r} here.", hint=hint, errors=errors)


def _names_of(dependant: Dependant) -> tuple[str, ...]:
    own = tuple(field.alias for field in dependant.query_params)
    return own + tuple(name for below in dependant.dependencies for name in _names_of(below))


def id_of(text: str, *, hint: str) -> int:
    """Return the id that a path names; raises NotFound for what can be no one's id."""
    found = _id_in(text)
    if found is None:
        raise NotFound("There is nothing at this address.", hint=hint)
    return found


def id_in_cursor(text: str) -> int:
    """Return the id at which a list goes on; raises UsageError."""
    found = _id_in(text)
    if found is None:
        raise UsageError("The cursor is not one of this list.", hint="Send the `next` of the page before.")
    return found


def _id_in(text: str) -> int | None:
    return int(text) if _ID.fullmatch(text) and int(text) <= LARGEST_ID else None


def is_tracker(name: str) -> bool:
    """Return whether a query parameter is one that link trackers add."""
    lower = name.lower()
    return lower in TRACKERS or lower.startswith(TRACKER_PREFIXES)


def address_kept(scope: Scope) -> Address:
    """Return what an answer is kept under: path, query without what trackers added, and who says it asks.

    Assistants are one class, and all others another: of their names nothing is kept. A page and the JSON of
    one address are two answers.
    """
    query = scope["query_string"]
    agent = next((value for name, value in scope["headers"] if name == b"user-agent"), b"")
    asks = agent_class(agent.decode("latin-1")).encode()
    form = form_of(scope["path"], scope["headers"])
    if form == HTML and scope["path"] == "/":  # the page of several people is in the language of the browser
        form += b"-" + language_of_browser(scope).encode()
    return Address(scope.get("raw_path") or b"", _without_trackers(query) if query else query, asks, form)


_OURS = re.compile(
    rb"(?:(?:limit|cursor|level|page|size)=[A-Za-z0-9_-]*(?:&|\Z))+"
)  # no tracker, at a glance


@lru_cache(maxsize=256)
def _without_trackers(query: bytes) -> bytes:
    if _OURS.fullmatch(query):
        return query
    parts = query.split(b"&")
    kept = [part for part in parts if not any(is_tracker(name) for name, _ in _parsed(part))]
    return b"&".join(kept) if len(kept) < len(parts) else query


def _parsed(part: bytes) -> list[tuple[str, str]]:
    return parse_qsl(part.decode("latin-1"), keep_blank_values=True)
