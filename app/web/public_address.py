"""Public address (PUBLIC_URL, Host). Under which whole address do people reach what is here?

PUBLIC_URL says it. Without it, it is what the client itself has named as the host, which anyone can set to
anything: an answer with that in it goes to who sent it, and is not kept (`replies.reply_with_address`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from starlette.types import Scope

from app.errors import UsageError
from app.server.client_address import scheme_of
from app.settings import Settings
from app.web.references import reference_to

_HOST = re.compile(r"(?:\[[0-9a-f:.]{2,45}\]|[a-z0-9_](?:[a-z0-9._-]{0,252}))(?::[0-9]{1,5})?")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def public_address(scope: Scope, settings: Settings) -> str:
    """Return the address of the root, without a slash at its end; raises UsageError for no host."""
    if settings.public_url:
        return settings.public_url
    said = next((value for name, value in scope["headers"] if name == b"host"), b"").decode("latin-1")
    host = said.lower()
    if not _HOST.fullmatch(host):
        raise UsageError(
            "The Host header names no host.", hint="Whoever runs this server can set PUBLIC_URL."
        )
    scheme = scheme_of(scope, settings.trusted_proxies)
    scheme = scheme if scheme in _DEFAULT_PORTS else "http"
    return f"{scheme}://{host.removesuffix(_DEFAULT_PORTS[scheme])}"


@dataclass(frozen=True)
class References:
    """Leads from the address of a request to another path: by a relative reference, or by a whole address."""

    scope: Scope
    settings: Settings

    def __call__(self, path: str) -> str:
        """Return the relative reference."""
        return reference_to(self.scope, path)

    def canonical(self, path: str) -> str:
        """Return the whole address where PUBLIC_URL says it, else the reference: no Host in what is kept."""
        return f"{self.settings.public_url}{path}" if self.settings.public_url else self(path)

    def whole(self, path: str) -> str:
        """Return the whole address; raises UsageError for no host."""
        return f"{public_address(self.scope, self.settings)}{path}"
