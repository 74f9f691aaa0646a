"""Probe of an MCP server (doctor). Can each kind of client reach it, and what stands in the way?

Asks as clients of both eras do, by both forms of the address, and looks whether a client would be sent to log
in.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app import __version__
from app.mcp.bridge import VERSION, Bridge

SECONDS = 10.0
LEGACY, MODERN = "2025-11-25", "2026-07-28"
_OAUTH = ("oauth-protected-resource", "oauth-authorization-server", "oauth-protected-resource/mcp")


@dataclass(frozen=True)
class Finding:
    """What was tried, whether it works, and what was seen."""

    tried: str
    is_right: bool
    seen: str


def probe(url: str, key: str | None) -> Iterator[Finding]:
    """Yield what each way in comes to; ``url`` is the server's, with or without /mcp."""
    base = url.rstrip("/").removesuffix("/mcp")
    for path in ("/mcp", "/mcp/"):
        for name, asked in (("handshake", _initialize()), ("without handshake", _discover())):
            yield _asked(f"POST {path}, {name}", f"{base}{path}", key, asked)
    yield _asked("who_is", f"{base}/mcp", key, _call("who_is"))
    for name in _OAUTH:
        yield _no_login(f"{base}/.well-known/{name}")


def _asked(tried: str, url: str, key: str | None, message: dict[str, Any]) -> Finding:
    [answer] = [json.loads(each) for each in Bridge(url, key).answers([json.dumps(message)])] or [{}]
    if "result" not in answer:
        return Finding(tried, is_right=False, seen=(answer.get("error") or {}).get("message", "no answer"))
    result = answer["result"]
    if result.get("isError"):
        return Finding(tried, is_right=False, seen=result["content"][0]["text"])
    told = (
        result.get("serverInfo")
        or (result.get("_meta") or {}).get("io.modelcontextprotocol/serverInfo")
        or {}
    )
    return Finding(tried, is_right=True, seen=" ".join(filter(None, (told.get("name"), told.get("version")))))


def _no_login(url: str) -> Finding:
    """A client that finds one of these asks its person to log in at a server that has no such login."""
    tried = f"GET {url.partition('/.well-known')[1]}{url.partition('/.well-known')[2]}"
    try:
        with urllib.request.urlopen(url, timeout=SECONDS) as answered:
            return Finding(tried, is_right=False, seen=f"{answered.status}: clients would ask to log in")
    except urllib.error.HTTPError as error:
        with error:
            return Finding(tried, is_right=error.code == 404, seen=str(error.code))
    except OSError as error:
        return Finding(tried, is_right=False, seen=str(error))


def _initialize() -> dict[str, Any]:
    said = {"name": "daemon mcp doctor", "version": __version__}
    params = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": said}
    return {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": params}


def _discover() -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": 1, "method": "server/discover", "params": {"_meta": _meta()}}


def _call(tool: str) -> dict[str, Any]:
    params = {"name": tool, "arguments": {}, "_meta": _meta()}
    return {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}


def _meta() -> dict[str, Any]:
    said = {"name": "daemon mcp doctor", "version": __version__}
    return {
        VERSION: MODERN,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": said,
    }
