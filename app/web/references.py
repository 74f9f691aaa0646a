"""Relative addresses behind a proxy. How does an answer point to another address, under whatever prefix?

Relative to the address that the client used (RFC 3986, 5.2): so it leads right behind a proxy that serves the
API below /daemon/ and takes that prefix away, and no one has to say so in a setting.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any
from urllib.parse import quote

from starlette.types import Scope


def reference_to(scope: Scope, path: str) -> str:
    """Return the reference that leads from the address of the request to ``path``, given from the root."""
    own = scope.get("raw_path") or quote(scope["path"]).encode()
    return (
        "../" * (own.count(b"/") - 1) + path.lstrip("/") or "./"
    )  # an empty one would lead to where it stands


def without_root_path(scope: Scope) -> MutableMapping[str, Any]:
    """Return ``scope`` with the prefix that the server was told of (``--root-path``) taken off its path."""
    prefix = (scope.get("root_path") or "").rstrip("/")
    if not prefix:
        return scope
    found = {**scope, "root_path": ""}
    if scope["path"].startswith(f"{prefix}/"):
        found["path"] = scope["path"][len(prefix) :]
    raw_path, raw_prefix = scope.get("raw_path") or b"", quote(prefix).encode()
    if raw_path.startswith(raw_prefix + b"/"):
        found["raw_path"] = raw_path[len(raw_prefix) :]
    return found
