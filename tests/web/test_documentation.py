"""Do docs/api.md and the OpenAPI description say what the server answers?"""

from __future__ import annotations

import json
import re
from typing import Any

from app import errors
from app.web.routes.system import problem_meanings
from tests.conftest import ROOT
from tests.web.conftest import Site

DOCUMENT = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
JSON_FORMS = ("application/json", "application/problem+json")
WITHOUT_BODY = {
    *("admin_backup", "admin_backup_begin", "admin_backup_old", "admin_backup_prove"),
    *("admin_backup_preview_begin", "admin_rollback_preview_begin"),
    *("admin_restore", "admin_restore_old", "admin_rollback", "admin_user_toggle_old"),
    *("admin_endpoint_toggle_old", "user_admin_toggle_old"),
    "entries_erase",
    "entries_undelete",
    *("logout", "oidc_confirm", "oidc_link", "oidc_logout"),
    "admin_audit_verify",
    "logout_everywhere",
    "me_export",
    "message_block",
    "privacy_selftest_start",
    "recovery_codes_renew",
    "revisions_restore",
    "second_factor_begin",
    "user_password_link",
    "webhooks_renew_secret",
    "webhooks_resend",
}  # there is nothing to say about it

FILE = ("GET /api/v1/operations/{operation_id}/file", "200")


def rows_after(heading: str) -> list[list[str]]:
    table = DOCUMENT.partition(heading)[2]
    rows = re.findall(r"^\|(.+)\|$", table.partition("\n\n##")[0], re.MULTILINE)
    return [[cell.strip().strip("`") for cell in row.split("|")] for row in rows[2:]]


def test_every_address_is_documented_and_none_besides(site: Site) -> None:
    documented = {(row[0], row[1]) for row in rows_after("(OpenAPI 3.1)")}
    served = {
        (method, route.path.replace(":path", "")) for route in site.app.addresses for method in route.methods
    }
    assert documented == served


def test_every_code_of_a_problem_is_documented() -> None:
    own = {row[0] for row in rows_after("these are the web's own:")}
    shared = {kind.code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "code")}
    assert set(problem_meanings()) == own | shared


def test_the_description_for_programs_is_whole(site: Site) -> None:
    found = site.client.get("/openapi.json").json()
    assert found["openapi"].startswith("3.1")
    operations = [
        (path, method, operation)
        for path, methods in found["paths"].items()
        for method, operation in methods.items()
    ]
    names = [operation["operationId"] for _path, _method, operation in operations]
    assert len(names) == len(set(names)) == len(rows_after("(OpenAPI 3.1)"))
    for path, method, operation in operations:
        assert operation["summary"], path
        assert "application/problem+json" in operation["responses"]["default"]["content"]
        has_body = method in ("post", "put", "patch") and operation["operationId"] not in WITHOUT_BODY
        assert ("requestBody" in operation) == has_body, (path, method)
        assert set(re.findall(r"{(\w+)", path)) == {
            each["name"] for each in operation.get("parameters", []) if each["in"] == "path"
        }
    text = json.dumps(found)
    for name in re.findall(r"#/components/schemas/(\w+)", text):
        assert name in found["components"]["schemas"]


def operations_of(site: Site) -> dict[str, dict[str, Any]]:
    found = site.client.get("/openapi.json").json()
    return {
        f"{method.upper()} {path}": operation
        for path, methods in found["paths"].items()
        for method, operation in methods.items()
    }


def test_every_parameter_and_answer_is_described(site: Site) -> None:
    for address, operation in operations_of(site).items():
        for each in operation.get("parameters", []):
            assert isinstance(each["schema"]["type"], str), (
                address,
                each["name"],
            )  # one, so it is never null
            assert "default" not in each["schema"] or each["schema"]["default"] is not None
            assert each["in"] == "path" or each["description"], (address, each["name"])
        for status, answer in operation["responses"].items():
            if (address, status) == FILE:
                assert list(answer["content"]) == ["application/zip"]
            elif status not in ("204", "302", "304"):
                forms = {form: content["schema"] for form, content in answer["content"].items()}
                files = {
                    form
                    for form, schema in forms.items()
                    if schema == {"type": "object" if form.endswith("+json") else "string"}
                }
                assert files == {form for form in forms if form not in JSON_FORMS}, (address, status)
                assert all(forms[form].keys() == {"$ref"} for form in set(forms) - files), (address, status)
                assert forms, (address, status)
                assert len(set(forms) - files) <= 1, (address, status)
        if "requestBody" in operation:
            (content,) = operation["requestBody"]["content"].values()
            assert content["schema"].keys() == {"$ref"}, address
        assert {"400", "500", "503"} <= set(operation["responses"])


def test_the_document_says_who_may_ask_as_the_description_does(site: Site) -> None:
    found = operations_of(site)
    for method, address, who, _what in rows_after("(OpenAPI 3.1)"):
        security = found[f"{method} {address}"]["security"]
        takes_keys = {"api_key": []} in security
        is_open = {} in security
        assert is_open == (who in ("anyone", "holder of the claim token")), address
        assert is_open or takes_keys == ("key" in who), address
        assert is_open or "401" in found[f"{method} {address}"]["responses"], address


def test_a_member_that_may_be_missing_has_no_null_for_its_default(site: Site) -> None:
    schemas = site.client.get("/openapi.json").json()["components"]["schemas"]
    assert schemas["ChangedKey"]["properties"]["can_write"].keys() == {"title", "type"}
    assert schemas["NewKey"]["properties"]["can_write"]["default"] is False
    assert "places" not in schemas["Health"]["required"]


def test_the_example_of_an_entry_has_the_members_of_one(site: Site) -> None:
    block = re.search(r"```json\n(.+?)```", DOCUMENT, re.DOTALL)
    assert block is not None
    example = json.loads(block[1])
    ann = site.log_in("ann")
    made = site.client.post("/api/v1/ideas", json=example["data"], headers=ann).json()
    assert set(made) == set(example) | {"visibility", "owner", "findings", "warnings"}
    assert set(site.client.get(f"/api/v1/ideas/{made['id']}").json()) == set(example)
