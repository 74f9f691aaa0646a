"""MCP from standard input to a server elsewhere. For programs that start a command and know no address.

One message a line in, one request each, one line out. The headers that the protocol wants are made of the
message itself (2026-07-28: Mcp-Method and Mcp-Name must say what the body says).
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

ANSWER_SECONDS = 60.0
LONGEST_ANSWER = 4 * 1024 * 1024
NO_ANSWER = -32000  # the first of the numbers that JSON-RPC leaves to implementations
VERSION = "io.modelcontextprotocol/protocolVersion"


class Bridge:
    """One client of one server; remembers nothing but which version of the protocol was agreed on."""

    def __init__(self, url: str, key: str | None) -> None:
        """``url`` is that of /mcp."""
        self._url = url
        self._headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        if key is not None:
            self._headers["X-API-Key"] = key
        self._version: str | None = None
        # Nothing is followed: the key is for this address.
        self._opener = urllib.request.build_opener(_NoRedirect)

    def answers(self, lines: Iterable[str]) -> Iterator[str]:
        """Yield what each line is answered, as one line; nothing for what has no answer."""
        for line in lines:
            if line.strip():
                answer = self._answer(line)
                if answer is not None:
                    yield json.dumps(answer, ensure_ascii=False, separators=(",", ":"))

    def _answer(self, line: str) -> Any:
        try:
            asked = json.loads(line)
        except ValueError:
            return _error(None, -32700, "Parse error")
        message = asked if isinstance(asked, dict) else {}
        try:
            answer = self._ask(line.encode(), self._headers_of(message))
        except (OSError, ValueError) as error:
            why = f"{self._url} does not answer as an MCP server: {error}"
            return _error(message.get("id"), NO_ANSWER, why) if "id" in message else None
        if message.get("method") == "initialize" and isinstance(answer, dict):
            self._version = (answer.get("result") or {}).get("protocolVersion")
        return answer

    def _ask(self, body: bytes, headers: Mapping[str, str]) -> Any:
        request = urllib.request.Request(self._url, body, {**self._headers, **headers}, method="POST")
        try:
            with self._opener.open(request, timeout=ANSWER_SECONDS) as answered:
                return _read(answered)
        except urllib.error.HTTPError as error:
            with error:
                if "application/json" not in error.headers.get("Content-Type", ""):
                    raise OSError(f"it says {error.code} {error.reason}") from None
                return _read(error)

    def _headers_of(self, message: Mapping[str, Any]) -> dict[str, str]:
        params = message.get("params")
        params = params if isinstance(params, dict) else {}
        meta = params.get("_meta")
        named = meta.get(VERSION) if isinstance(meta, dict) else None
        if named is None:
            return {} if self._version is None else {"MCP-Protocol-Version": self._version}
        found = {"MCP-Protocol-Version": str(named), "Mcp-Method": str(message.get("method"))}
        name = params.get("name", params.get("uri"))
        return found if name is None else {**found, "Mcp-Name": str(name)}


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        return None


def _read(answered: Any) -> Any:
    body = answered.read(LONGEST_ANSWER + 1)
    if len(body) > LONGEST_ANSWER:
        raise OSError("it answers more than anyone asked for")
    return json.loads(body) if body.strip() else None


def _error(asked_id: Any, code: int, message: str) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": asked_id, "error": {"code": code, "message": message}}
