"""Does server.json (the registry's format of 2025-12-11) say what is so: version, address, header?"""

from __future__ import annotations

import json
import re

from app import __version__
from app.web.assistants import PATHS
from tests.conftest import ROOT

SAID = json.loads((ROOT / "server.json").read_text(encoding="utf-8"))


def test_it_has_the_form_and_the_version() -> None:
    assert SAID["$schema"].endswith("/schemas/2025-12-11/server.schema.json")
    assert set(SAID) == {"$schema", "name", "title", "description", "version", "remotes"}
    assert re.fullmatch(r"[a-zA-Z0-9.-]+/[a-zA-Z0-9._-]+", SAID["name"])
    assert 3 <= len(SAID["name"]) <= 200
    assert 1 <= len(SAID["description"]) <= 100
    assert 1 <= len(SAID["title"]) <= 100
    assert SAID["version"] == __version__


def test_its_address_is_one_that_is_there_and_its_variables_are_said() -> None:
    (remote,) = SAID["remotes"]
    assert set(remote) == {"type", "url", "variables", "headers"}
    assert remote["type"] == "streamable-http"
    assert set(re.findall(r"{(\w+)}", remote["url"])) == set(remote["variables"])
    for said in (*remote["variables"].values(), *remote["headers"]):
        assert said["description"]
        assert set(said) <= {"name", "description", "isRequired", "isSecret", "placeholder"}
    assert remote["url"].partition("{host}")[2] == PATHS[0]
    assert [each["name"].lower() for each in remote["headers"] if each.get("isSecret")] == ["x-api-key"]
