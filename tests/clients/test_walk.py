"""A person's walk over HTTP alone, with the generated client, against a real server.

Five kinds, one of their own, a draft, a scheduled entry, a shared one; found, changed, compared, undone,
erased; and still erased when an older backup is put back.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.settings import Settings
from tests.clients.conftest import Asking
from tests.web.conftest import PASSWORD, Server, wait_until

SECRET = "Quillfeather"
FIVE = {
    "resume": {"name": "Ann Bee", "title": "Gardener", "summary": "Grows things."},
    "skills": {"content": "Grafting"},
    "ideas": {"content": "An orchard in every street."},
    "projects": {"content": "The orchard"},
    "hobbies": {"content": "Cider"},
}


@pytest.fixture
def server(start_server: Callable[..., Server], settings: Settings) -> Server:
    started = start_server(settings)
    started.wait_for("/health", 200)
    return started


def names(page: Any) -> list[str]:
    return [str(each.data.get("content")) for each in page.items]


def test_a_persons_walk(server: Server, asking: Callable[[int], Asking], settings: Settings) -> None:
    stranger = asking(server.port)
    ann = comes_in(stranger, settings)
    publishes_five_kinds(ann, stranger)
    makes_a_kind(ann)
    drafts_and_schedules(ann, stranger)
    shares(ann, stranger)
    entry_id = changes_and_undoes(ann)
    erases_and_restores(ann, stranger, entry_id)


def comes_in(stranger: Asking, settings: Settings) -> Asking:
    claim = settings.claim_path.read_text().strip()
    body = stranger.body(
        "Registration", username="ann", email="ann@example.org", password=PASSWORD, claim_token=claim
    )
    assert stranger("register", status=201, body=body).username == "ann"
    return stranger.logged_in("ann", PASSWORD)


def publishes_five_kinds(ann: Asking, stranger: Asking) -> None:
    for kind, content in FIVE.items():
        body = ann.body("Content", **content, meta={"visibility": "public"})
        made = ann("entries_create", kind, status=201, body=body, idempotency_key=f"first-of-{kind}")
        again = ann("entries_create", kind, status=201, body=body, idempotency_key=f"first-of-{kind}")
        assert made.id == again.id
        assert [each.id for each in stranger("entries_list", kind).items] == [made.id]
    found = stranger("entries_list", "ideas", q="orchard")  # in the list of a kind
    assert names(found) == [FIVE["ideas"]["content"]]
    wait_until(lambda: kinds_found(stranger, "orchard") == ["ideas", "projects"], "it was never found")
    assert kinds_found(stranger, "nothing") == []


def kinds_found(asks: Asking, words: str) -> list[str]:
    """Search everything that is shown, and return of which kinds it is."""
    return sorted(each.kind for each in asks("search", q=words).items)


def makes_a_kind(ann: Asking) -> None:
    schema = {"type": "object", "required": ["dish"], "properties": {"dish": {"type": "string"}}}
    body = ann.body("NewKind", name="recipes", schema=schema, example={"dish": "Soup"})
    assert ann("endpoints_create", status=201, body=body).name == "recipes"
    refused = ann("entries_create", "recipes", status=422, body=ann.body("Content", dish=7))
    assert refused.errors[0].pointer == "/dish"
    many = [ann.body("BulkItem", content={"dish": dish}) for dish in ("Soup", "Bread")]
    assert ann("entries_bulk", "recipes", body=many).created_count == 2


def drafts_and_schedules(ann: Asking, stranger: Asking) -> None:
    def meta(**more: Any) -> Any:
        return ann.body("Content", content="later", meta={"visibility": "public", **more})

    made = ann("entries_create", "ideas", status=201, body=meta(status="draft"))
    assert "later" not in names(stranger("entries_list", "ideas"))
    due = datetime.now(UTC) + timedelta(seconds=2)
    said = due.isoformat(timespec="seconds").replace("+00:00", "Z")
    ann("entries_replace", "ideas", str(made.id), body=meta(publish_at=said))
    stranger("entries_get", "ideas", str(made.id), status=404)
    wait_until(lambda: "later" in names(stranger("entries_list", "ideas")), "it was never shown")
    assert datetime.now(UTC) >= due - timedelta(seconds=1)


def shares(ann: Asking, stranger: Asking) -> None:
    body = ann.body("Content", content="for friends", meta={"visibility": "unlisted"})
    made = ann("entries_create", "ideas", status=201, body=body)
    stranger("entries_get", "ideas", str(made.id), status=404)
    link = ann("shares_create", status=201, body=ann.body("NewLink", entries=[made.id]))
    token = link.url.rpartition("/")[2]
    assert names(stranger("shared_get", token)) == ["for friends"]
    ann("shares_revoke", link.id, status=204)
    stranger("shared_get", token, status=404)


def changes_and_undoes(ann: Asking) -> int:
    body = ann.body("Content", content=f"{SECRET} first")
    entry_id = str(ann("entries_create", "ideas", status=201, body=body).id)
    ann("entries_change", "ideas", entry_id, body=ann.body("Content", content=f"{SECRET} second"))
    compared = ann("revisions_compare", "ideas", entry_id)
    assert [each.pointer for each in compared.differences] == ["/content"]
    restored = ann("revisions_restore", "ideas", entry_id, 1)
    assert restored.data["content"] == f"{SECRET} first"
    ann("entries_delete", "ideas", entry_id, status=204)
    ann("entries_get", "ideas", entry_id, status=404)
    ann("entries_undelete", "ideas", entry_id)
    return int(entry_id)


def erases_and_restores(ann: Asking, stranger: Asking, entry_id: int) -> None:
    operation = ann("admin_backup_begin", status=202)
    backup = finished(ann, operation.id).file.name
    confirmed(ann)
    receipt = ann("entries_erase", "ideas", str(entry_id))
    assert backup in [each.name for each in receipt.backups]
    ann("entries_get", "ideas", str(entry_id), status=404)
    confirmed(ann)
    began = ann("admin_restore", backup, status=202)
    ann = wait_until(lambda: logged_in_again(stranger, ann), "the server never came back")
    assert finished(ann, began.id).state == "done"
    ann("entries_get", "ideas", str(entry_id), status=404)
    ann("revisions_list", "ideas", str(entry_id), status=404)
    assert SECRET not in str(ann("entries_list", "ideas", limit=100).to_dict())
    assert FIVE["ideas"]["content"] in names(ann("entries_list", "ideas", limit=100))


def confirmed(ann: Asking) -> None:
    ann("session_confirm", status=204, body=ann.body("Confirmation", password=PASSWORD))


def finished(ann: Asking, operation_id: int) -> Any:
    def look() -> Any:
        found = ann("operations_get", operation_id)
        return found if found.state != "running" else None

    return wait_until(look, "the operation never ended")


def logged_in_again(stranger: Asking, before: Asking) -> Asking | None:
    """Log in once the restored database is served: its logins are others than those of before."""
    try:
        before("me", status=401)
        return stranger.logged_in("ann", PASSWORD)
    except AssertionError:  # it is served as before still, or answers 503
        return None
