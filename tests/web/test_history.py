"""Over HTTP: is an entry's history told, compared and undone; and is one that is erased gone for good?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.accounts import audit_verify
from app.erasures import BY_ENTRY
from app.errors import Busy
from app.settings import Settings
from app.tables import metadata
from app.upgrade.operations.back_up import back_up
from app.upgrade.operations.restore import restore_and_hold
from app.upgrade.records import kept_writes
from app.upgrade.records.data_folder import reach_of
from app.upgrade.records.kept_writes import KeptRow, KeptWrites
from app.upgrade.records.last_attempt import attempt_path
from app.upgrade.records.running import progress_path
from tests.web.conftest import Site

MARK = "Quendolin"  # in no other text
IDEAS = "/api/v1/ideas"


@dataclass
class Person:
    """Someone who has logged in."""

    site: Site
    headers: dict[str, str]

    def ask(self, method: str, path: str, body: object = None, status: int = 200) -> Any:
        answer = self.site.client.request(method, path, json=body, headers=self.headers)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def write(self, *texts: str, **meta: Any) -> str:
        """An entry that had these contents one after the other; return its address."""
        made = self.ask("POST", IDEAS, {"content": texts[0], "meta": meta}, 201)
        address = f"{IDEAS}/{made['id']}"
        for each in texts[1:]:
            self.ask("PUT", address, {"content": each, "meta": meta})
        return address


@pytest.fixture
def bob(site: Site) -> Person:
    site.add_user("bob")
    return Person(site, site.log_in("bob"))


def test_a_walk_through_changes_and_back(bob: Person) -> None:
    address = bob.write("one", "two", "three")
    listed = bob.ask("GET", f"{address}/revisions?limit=2")
    assert [each["number"] for each in listed["items"]] == [3, 2]
    rest = bob.ask("GET", f"{address}/revisions?limit=2&cursor={listed['next']}")
    assert [each["number"] for each in rest["items"]] == [1]
    assert bob.ask("GET", f"{address}/revisions/1")["data"]["content"] == "one"
    found = bob.ask("GET", f"{address}/difference?from=1&to=2")["differences"]
    assert found == [{"pointer": "/content", "change": "changed", "before": "one", "after": "two"}]
    assert bob.ask("POST", f"{address}/revisions/1/restore")["content"] == "one"
    assert bob.ask("GET", address)["content"] == "one"
    bob.ask("DELETE", address, status=204)
    bob.ask("GET", address, status=404)
    deleted = bob.ask("GET", "/api/v1/me/deleted")["items"]
    assert [(each["kind"], f"{IDEAS}/{each['id']}") for each in deleted] == [("ideas", address)]
    assert len(bob.ask("GET", f"{address}/revisions")["items"]) == 5
    assert bob.ask("POST", f"{address}/undelete")["content"] == "one"
    assert bob.ask("GET", address)["content"] == "one"


def test_parameters_that_name_no_revision_are_refused(bob: Person) -> None:
    address = bob.write("one", "two")
    bob.ask("GET", f"{address}/revisions/9", status=404)
    bob.ask("GET", f"{address}/revisions/x", status=404)
    bob.ask("GET", f"{address}/revisions?cursor=x", status=400)
    bob.ask("GET", f"{address}/difference?from=x", status=400)
    bob.ask("GET", f"{address}/difference?to=0", status=400)
    bob.ask("GET", f"{address}/difference?to=1", status=400)
    bob.ask("GET", f"{address}/difference?to=9", status=404)
    bob.ask("POST", f"{address}/revisions/9/restore", status=404)


def test_an_admin_who_looks_at_someone_s_history_is_noted(bob: Person) -> None:
    address = bob.write("one", visibility="private")
    Person(bob.site, bob.site.log_in("ann")).ask("GET", f"{address}/revisions/1")
    bob.site.app.server.pending_audit.write()
    rows = bob.ask("GET", "/auth/audit")["items"]
    assert [row["by"] for row in rows if row["action"] == "READ"] == ["ann"]


def test_one_s_own_audit_tells_no_one_else_s_part(bob: Person) -> None:
    ann = Person(bob.site, bob.site.log_in("ann"))
    for _ in range(3):
        ann.write("not bob's")
        bob.write("bob's")
    first = bob.ask("GET", "/auth/audit?limit=2")
    rows = first["items"] + bob.ask("GET", f"/auth/audit?cursor={first['next']}")["items"]
    assert [row["action"] for row in rows].count("CREATE") == 4  # of the account, too
    assert {row["by"] for row in rows} <= {"bob", None}
    assert "id" not in rows[0]
    assert "values" not in repr(rows)
    ann.ask("GET", f"/auth/audit?cursor={first['next']}", status=400)


def test_what_someone_else_did_is_told_without_where_from(bob: Person) -> None:
    ann, address = Person(bob.site, bob.site.log_in("ann")), bob.write("x", visibility="private")
    ann.ask("GET", address)
    bob.site.app.server.pending_audit.write()
    [row] = [row for row in bob.ask("GET", "/auth/audit")["items"] if row["action"] == "READ"]
    assert (row["by"], row["ip_address"], row["user_agent"]) == ("ann", None, None)


# -- erased


def bytes_of(settings: Settings) -> bytes:
    """Every file of the database, and the logs."""
    folder = settings.database_path.parent
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())


def everything(site: Site) -> str:
    """All rows of all tables, and what this process remembers of entries."""
    with site.app.server.supervisor.reading() as connection:
        names = "SELECT name FROM sqlite_master WHERE type = 'table'"
        if connection.dialect.name == "postgresql":
            names = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
        tables = list(connection.execute(text(names)).scalars())
        rows = [connection.execute(text(f'SELECT * FROM "{name}"')).all() for name in tables]
    server = site.app.server
    remembered = [view.body for _, view in server.views.everything()]
    kept = [kept.response.body for kept in server.response_cache._kept.values()]
    return repr((rows, remembered, kept))


def test_an_erased_entry_is_nowhere(bob: Person) -> None:
    address = bob.write(f"{MARK} one, +49 30 901820", f"{MARK} two", title=MARK)
    bob.site.client.get(address)
    bob.site.client.get(f"{IDEAS}/users/bob")
    before = everything(bob.site)
    assert MARK in before
    receipt = bob.ask("POST", f"{address}/erase")
    assert receipt["is_scrubbed"]
    assert MARK not in everything(bob.site)
    for method, path in (
        ("GET", address),
        ("GET", f"{address}/revisions"),
        ("POST", f"{address}/undelete"),
        ("POST", f"{address}/erase"),
    ):
        bob.ask(method, path, status=404)
    with bob.site.app.server.supervisor.reading() as connection:
        found = audit_verify.verify(connection)
    assert found.is_whole
    assert found.erased_count == 2
    receipts = bob.ask("GET", "/api/v1/me/erasures")["items"]
    assert [each["entry_id"] for each in receipts] == [receipt["entry_id"]]


# -- erased, in files beside the database


def rows_about(site: Site, entry_id: int) -> list[KeptRow]:
    """All that the database has of an entry, as a rollback would have kept it."""
    found: list[KeptRow] = []
    with site.app.server.supervisor.reading() as connection:
        of_audit = "table_name = 'data_entries' AND record_id = :id"
        for table, condition in {**BY_ENTRY, "audit_logs": of_audit}.items():
            rows = connection.execute(
                text(f"SELECT * FROM {table} WHERE {condition}"), {"id": entry_id}
            ).mappings()
            names = [column.name for column in metadata.tables[table].primary_key]
            for row in rows:
                key = tuple(row[name] for name in names)
                found.append(KeptRow(table, key, "added", None, dict(row), "the older version has no place"))
    return found


def keep(settings: Settings, rows: Sequence[KeptRow]) -> Path:
    """Write the file of a rollback, as one does."""
    line: dict[str, str | None] = {
        "version": "0.8.0",
        "at": "2026-01-01 00:00:00",
        "backup": "x.db",
        "duration_ms": "1",
    }
    kept = KeptWrites(
        kept_writes.new_id(), "2026-01-01T00:00:00Z", line, None, "x.db", "y.db", rows=tuple(rows)
    )
    return kept_writes.write(settings, kept)


def test_what_a_rollback_kept_of_an_erased_entry_goes_with_it(bob: Person) -> None:
    settings, site = bob.site.settings, bob.site
    gone, stays = bob.write(f"{MARK} one", f"{MARK} two", title=MARK), bob.write("stays", "as it is")
    rows = [*rows_about(site, int(gone.split("/")[-1])), *rows_about(site, int(stays.split("/")[-1]))]
    part = replace(rows[-1], table="data_entries", key=(int(gone.split("/")[-1]),), what="changed")
    rows.append(replace(part, was={"data": f"{MARK} three"}, now={"data": f"{MARK} four"}))
    path, only = keep(settings, rows), keep(settings, rows_about(site, int(gone.split("/")[-1])))
    assert {row.table for row in rows} >= {"data_entries", "entry_revisions", "audit_logs", "view_changes"}
    receipt = bob.ask("POST", f"{gone}/erase")
    assert (receipt["is_scrubbed"], receipt["files"]) == (True, [])
    assert MARK.encode() not in bytes_of(settings)
    ((_, left),) = [found for found in kept_writes.find_all(settings.database_path) if found[0] == path]
    assert left is not None
    assert len(left.rows) == len(rows), "those that stay keep their numbers"
    number = int(stays.split("/")[-1])
    of_it = [
        row for row in rows if (row.now or {}).get("entry_id", (row.now or {}).get("record_id")) == number
    ]
    assert [row for row in left.rows if row in of_it] == of_it
    assert not only.exists() or "audit_logs" in only.read_text(), "lines of the audit stay, without values"


def test_a_file_that_cannot_be_read_is_named_in_the_receipt(bob: Person) -> None:
    settings = bob.site.settings
    odd = settings.database_path.with_name(f"{settings.database_path.name}.rollback_x.json")
    odd.write_text(MARK)
    aside = settings.database_path.with_name(f"{settings.database_path.name}.left-20260101_000000-wal")
    aside.write_text(MARK)
    receipt = bob.ask("POST", f"{bob.write(MARK)}/erase")
    assert receipt["files"] == sorted([odd.name, aside.name])
    assert bob.ask("GET", "/api/v1/me/erasures")["items"][0]["files"] == receipt["files"]


def test_a_file_that_cannot_be_written_is_tried_again(bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    address = bob.write(MARK)
    keep(bob.site.settings, rows_about(bob.site, int(address.split("/")[-1])))

    def refuse(path: Path, kept: KeptWrites) -> None:
        raise OSError("no room")

    with monkeypatch.context() as patched:
        patched.setattr(kept_writes, "replace_rows", refuse)
        assert bob.ask("POST", f"{address}/erase")["is_scrubbed"] is False
    bob.site.app.server.scrubbing.look()
    assert MARK.encode() not in bytes_of(bob.site.settings)
    assert bob.ask("GET", "/api/v1/me/erasures")["items"][0]["is_scrubbed"] is True


def test_a_file_that_comes_back_is_cleared_at_the_start_and_at_a_restore(
    bob: Person, serve: Callable[..., Site]
) -> None:
    settings, address = bob.site.settings, bob.write(MARK)
    rows = rows_about(bob.site, int(address.split("/")[-1]))
    backup = back_up(settings, "manual", serving=True)
    bob.ask("POST", f"{address}/erase")
    bob.site.client.__exit__(None, None, None)
    keep(settings, rows)
    restore_and_hold(settings, backup.name)
    assert MARK.encode() not in bytes_of(settings)
    keep(settings, rows)
    again = serve(settings)
    again.app.server.scrubbing.look()
    assert MARK.encode() not in bytes_of(settings)


def test_every_file_beside_the_database_is_in_the_one_list(bob: Person) -> None:
    settings = bob.site.settings
    bob.ask("POST", f"{bob.write(MARK)}/erase")
    keep(settings, ())
    database = settings.database_path
    made = [each.name for each in database.parent.iterdir()]
    said = [
        *(settings.hold_path, settings.claim_path, settings.secret_path, settings.proxies_path),
        settings.operator_path,
        *(settings.exports_path, progress_path(settings), attempt_path(settings)),
    ]
    for name in [*made, *(path.name for path in said)]:
        assert reach_of(database, name) is not None, name
    assert reach_of(database, f"{database.name}.copy") is None, "what others put there is theirs"


@pytest.mark.only_on("sqlite")
def test_a_byte_search_of_the_files_finds_nothing(bob: Person) -> None:
    """Among many others, so that rows were moved between pages; while a list is read again and again."""
    addresses = []
    for number in range(60):
        long = f"{MARK}{number:03} " * (1 + 37 * (number % 7))
        addresses.append(bob.write(long, f"{long} changed", title=f"{MARK}{number:03}"))
        if number % 3 == 0:
            bob.ask("DELETE", addresses[-1], status=204)
    for number in range(0, 60, 2):
        bob.ask("POST", f"{addresses[number]}/erase")
    stored = bytes_of(bob.site.settings)
    found = [number for number in range(60) if f"{MARK}{number:03}".encode() in stored]
    assert found == list(range(1, 60, 2))


def test_what_could_not_be_scrubbed_at_once_is_later(bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    address = bob.write(f"{MARK} one")

    def refuse(tables: Sequence[str]) -> None:
        raise Busy("Someone reads an older state of the database.")

    with monkeypatch.context() as patched:
        patched.setattr(bob.site.app.server.supervisor, "scrub", refuse)
        assert bob.ask("POST", f"{address}/erase")["is_scrubbed"] is False
        assert bob.ask("GET", "/api/v1/me/erasures")["items"][0]["is_scrubbed"] is False
    bob.site.app.server.scrubbing.look()
    assert bob.ask("GET", "/api/v1/me/erasures")["items"][0]["is_scrubbed"] is True


@pytest.mark.only_on("sqlite")
def test_an_erasure_survives_the_restore_of_an_older_backup(bob: Person, serve: Callable[..., Site]) -> None:
    settings = bob.site.settings
    address, stays = bob.write(f"{MARK} one", f"{MARK} two"), bob.write("stays")
    older = back_up(settings, "manual", serving=True)
    receipt = bob.ask("POST", f"{address}/erase")
    assert [each["name"] for each in receipt["backups"]] == [older.name]
    assert receipt["backups"][0]["until"] is not None
    newer = back_up(settings, "manual", serving=True)
    assert [each["name"] for each in bob.ask("GET", "/api/v1/me/erasures")["items"][0]["backups"]] == [
        older.name
    ]
    assert newer.manifest is not None
    assert [line.record_id for line in newer.manifest.erased] == [receipt["entry_id"]]
    bob.site.client.__exit__(None, None, None)
    restore_and_hold(settings, older.name)
    assert MARK.encode() not in bytes_of(settings)
    again = serve(settings)
    later = Person(again, again.log_in("bob"))
    later.ask("GET", address, status=404)
    assert later.ask("GET", stays)["content"] == "stays"
    assert MARK not in everything(again)
    assert len(later.ask("GET", "/api/v1/me/erasures")["items"]) == 1


@pytest.mark.only_on("sqlite")
def test_a_backup_put_in_the_place_by_hand_loses_what_was_erased_since(
    bob: Person, serve: Callable[..., Site]
) -> None:
    settings = bob.site.settings
    address = bob.write(f"{MARK} one")
    older = back_up(settings, "manual", serving=True)
    bob.ask("POST", f"{address}/erase")
    back_up(settings, "manual", serving=True)  # whose manifest tells it
    bob.site.client.__exit__(None, None, None)
    settings.database_path.write_bytes(older.path.read_bytes())
    again = serve(settings)
    again.app.server.scrubbing.look()
    Person(again, again.log_in("bob")).ask("GET", address, status=404)
    assert MARK.encode() not in bytes_of(settings)
