"""Is a client that hangs up one line in the log, and no fault of the server's?"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable

import pytest

from app import log
from tests.web.conftest import Server, Site, wait_until


@pytest.mark.parametrize("path", ["/auth/login", "/auth/register"])
def test_it_is_one_line_at_info_without_a_trace(
    path: str, site: Site, start_server: Callable[..., Server]
) -> None:
    server = start_server(site.settings)
    server.wait_for("/health", 200)
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        fields = ("Host: here", "Content-Type: application/json", "Content-Length: 999")
        head = "\r\n".join((f"POST {path} HTTP/1.1", *fields, "", "half a body"))
        client.sendall(head.encode())
    written = site.settings.log_dir / log.FILE_NAME
    wait_until(lambda: "hung up" in written.read_text(), "it was never written down")
    server.stop()
    told = [line for line in written.read_text().splitlines() if path in line]
    assert len(told) == 1
    assert f"POST {path}: the client hung up" in told[0]
    assert '"level": "info"' in told[0]
    assert "Traceback" not in written.read_text()


def test_a_status_is_a_kind_of_its_own(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """So the refusals of a flood are counted apart from what the owner does meanwhile."""
    with caplog.at_level(logging.INFO, logger="app.web.middleware"):
        site.client.post("/api/v1/ideas", json={"content": "x"})
        site.client.post("/api/v1/ideas", json={"content": "x"}, headers=site.log_in("ann"))
    lines = [record for record in caplog.records if record.name == "app.web.middleware"]
    kinds = [line.msg for line in lines if "ideas" in line.getMessage()]
    assert kinds == ["%s %s 401", "%s %s 201"]
