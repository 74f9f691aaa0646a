"""Do Link, Location and the type of a problem lead right, under whatever prefix a proxy offers the API?"""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

import pytest
from starlette.testclient import TestClient

from app.web.references import reference_to, without_root_path
from tests.web.conftest import Site
from tests.web.test_entries import IDEA, post

PREFIXES = ["", "/daemon", "/a/b%20c", "/a/b/c"]


def led_to(prefix: str, path: str, reference: str) -> str:
    """Return the path at the server that a reference leads to, for a client that asked below a prefix."""
    found = urlsplit(urljoin(f"https://host.example{prefix}{path}", reference)).path
    assert found.startswith(f"{prefix}/"), found
    return found.removeprefix(prefix)


@pytest.mark.parametrize("prefix", PREFIXES)
def test_every_reference_leads_back_below_the_prefix(site: Site, prefix: str) -> None:
    ann = site.log_in("ann")
    for _ in range(2):
        made = site.client.post("/api/v1/ideas", json=IDEA, headers=ann)
        there = led_to(prefix, "/api/v1/ideas", made.headers["location"])
        assert there == f"/api/v1/ideas/{made.json()['id']}"
    for path in ("/api/v1/ideas", "/api/v1/ideas/users/ann"):
        for query in ("limit=1", "page=1&size=1", "limit=1&level=professional"):
            link = site.client.get(f"{path}?{query}").headers["link"].partition(">")[0].removeprefix("<")
            assert led_to(prefix, path, link) == path
            assert site.client.get(path + link).status_code == 200


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("GET", "/nothing", {}),
        ("GET", "/api/v1/ideas/4711", {}),
        ("GET", "/api/v1/ideas/users/a%2Fb", {}),
        ("GET", "/api/v1/ideas/", {}),
        ("GET", "/api/v1/ideas?limit=0", {}),
        ("GET", "/api/v1/ideas?" + "x" * 9000, {}),
        ("POST", "/", {}),
        ("POST", "/api/v1/ideas", {"json": IDEA}),
        ("POST", "/auth/register", {"json": {"username": "x"}}),
    ],
)
def test_the_type_of_a_problem_leads_to_what_it_means(
    site: Site, prefix: str, method: str, path: str, sent: dict[str, Any]
) -> None:
    problem = site.client.request(method, path, **sent).json()
    there = led_to(prefix, path.partition("?")[0], problem["type"])
    assert there == f"/problems/{problem['code']}"
    assert site.client.get(there).json()["code"] == problem["code"]


def test_the_server_may_be_told_its_prefix_too(site: Site) -> None:
    post(site)
    below = TestClient(
        site.app, base_url="http://daemon.example", root_path="/daemon", client=("192.0.2.1", 50000)
    )
    for path in ("/health", "/api/v1/ideas", "/problems/not_found"):
        assert below.get(f"/daemon{path}").status_code == 200
    refused = below.request("DELETE", "/daemon/api/v1/ideas")
    assert refused.headers["allow"] == "GET, HEAD, POST"


def test_a_prefix_is_taken_off_once_and_only_where_it_is() -> None:
    scope = {"root_path": "/d/", "path": "/d/d/x", "raw_path": b"/d/d/x"}
    assert without_root_path(scope) == {"root_path": "", "path": "/d/x", "raw_path": b"/d/x"}
    other = {"root_path": "/d", "path": "/dx", "raw_path": b"/dx"}
    assert without_root_path(other)["path"] == "/dx"
    assert reference_to({"path": "/a b/c"}, "/x") == "../x"
