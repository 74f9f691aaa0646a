"""Are kinds of one's own made, written to and kept apart over HTTP?"""

from __future__ import annotations

from typing import Any

from app.entries.kinds import built_in
from app.reserved_names import RESERVED
from app.settings import Settings
from app.web.app import create_app
from tests.web.conftest import Site

SCHEMA = {"type": "object", "required": ["dish"], "properties": {"dish": {"type": "string", "minLength": 1}}}
KIND: dict[str, Any] = {"name": "recipes", "schema": SCHEMA, "example": {"dish": "Soup"}}


def test_a_kind_of_one_s_own_from_making_to_reading(site: Site) -> None:
    site.add_user("ben")
    ben, ann = site.log_in("ben"), site.log_in("ann")
    made = site.client.post("/api/v1/endpoints", json=KIND, headers=ben)
    assert (made.status_code, made.json()["version"]) == (201, 1)
    assert site.client.post("/api/v1/endpoints", json=KIND, headers=ben).status_code == 409
    assert site.client.post("/api/v1/endpoints", json=KIND, headers=ann).status_code == 201
    written = site.client.post("/api/v1/recipes", json={"dish": "Bread"}, headers=ben)
    assert written.status_code == 201, written.text
    refused = site.client.post("/api/v1/recipes", json={"dish": ""}, headers=ben)
    assert (refused.status_code, refused.json()["errors"]) == (
        422,
        [{"pointer": "/dish", "detail": "must not be empty"}],
    )
    address = f"/api/v1/recipes/{written.json()['id']}"
    assert site.client.get(address, headers=ben).json()["data"] == {"dish": "Bread"}
    assert [len(site.client.get("/api/v1/recipes", headers=who).json()["items"]) for who in (ben, ann)] == [
        1,
        0,
    ]

    for path in (address, "/api/v1/recipes", "/api/v1/recipes/users/ben", "/api/v1/endpoints/recipes"):
        assert site.client.get(path).status_code == 404, path
    public = {"is_public": True, "title": "Canary"}
    assert site.client.patch("/api/v1/endpoints/recipes", json=public, headers=ben).status_code == 200
    assert site.client.patch(address, json={"visibility": "public"}, headers=ben).status_code == 200
    shown = site.client.get(address)
    assert (shown.status_code, shown.json()["data"]["dish"]) == (200, "Bread")
    assert len(site.client.get("/api/v1/recipes/users/ben").json()["items"]) == 1
    assert site.client.get("/api/v1/recipes").status_code == 404, "the default person's is not public"
    assert "Canary" not in site.client.get("/api/v1/endpoints").text
    assert site.client.delete("/api/v1/endpoints/recipes", headers=ben).status_code == 409


def test_every_fixed_name_below_the_api_is_reserved(settings: Settings) -> None:
    paths = [route.path for route in create_app(settings).addresses]
    fixed = {path.split("/")[3] for path in paths if path.startswith("/api/v1/")}
    assert {name for name in fixed if not name.startswith("{")} - RESERVED == set()
    assert not RESERVED & set(built_in())
