"""Query plans. Does a request do more work in the database where there are more entries and audit rows?

What is counted is what SQLite does for each request, in steps of its machine: neither the clock nor the load
is in it. `benchmarks/growth.py` measures the same with a million entries.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from app.privacy.detectors.finding import DETECTORS_VERSION
from app.settings import Settings
from app.storage.sqlite import connect, driver
from tests.web.conftest import Site

FEW, MANY = 400, 16_000
STEPS = 25  # of SQLite's machine, between two counts
NOW = "2026-01-05 10:00:00"
Ask = Callable[[Site, dict[str, str]], Any]
IDEA = {"content": "A thought.", "meta": {"title": "An idea", "visibility": "public"}}

REQUESTS: dict[str, Ask] = {
    "a list": lambda site, owner: site.client.get("/api/v1/ideas?limit=50"),
    "a list from a cursor on": lambda site, owner: site.client.get(
        f"/api/v1/ideas?limit=50&cursor={cursor_of(site)}"
    ),
    "a list from the middle on": lambda site, owner: site.client.get("/api/v1/ideas?page=4&size=20"),
    "a list of one person": lambda site, owner: site.client.get("/api/v1/ideas/users/ann?limit=50"),
    "a list at another level": lambda site, owner: site.client.get("/api/v1/ideas?level=ai_safe&limit=50"),
    "one's own list": lambda site, owner: site.client.get("/api/v1/ideas?limit=50", headers=owner),
    "an entry": lambda site, owner: site.client.get("/api/v1/ideas/200"),
    "one's own entry": lambda site, owner: site.client.get("/api/v1/ideas/200", headers=owner),
    "an entry by its slug": lambda site, owner: site.client.get("/api/v1/ideas/entry-200"),
    "an entry that is not there": lambda site, owner: site.client.get("/api/v1/ideas/999999"),
    "kinds": lambda site, owner: site.client.get("/api/v1/endpoints"),
    "a new entry": lambda site, owner: site.client.post("/api/v1/ideas", json=IDEA, headers=owner),
    "a change": lambda site, owner: site.client.patch(
        "/api/v1/ideas/200", json={"content": "Other."}, headers=owner
    ),
    "a deletion": lambda site, owner: delete_one(site, owner),
    "a login": lambda site, owner: site.log_in("ann"),
    "a new key": lambda site, owner: site.client.post("/auth/keys", json={"name": "k"}, headers=owner),
    "the audit": lambda site, owner: site.client.get("/api/v1/admin/audit?limit=20", headers=owner),
    "health": lambda site, owner: site.client.get("/health"),
}


def cursor_of(site: Site) -> str:
    return str(site.client.get("/api/v1/ideas?limit=50").json()["next"])


def delete_one(site: Site, owner: dict[str, str]) -> Any:
    made = site.client.post("/api/v1/ideas", json=IDEA, headers=owner)
    return site.client.delete(f"/api/v1/ideas/{made.json()['id']}", headers=owner)


def fill(path: Path, entries: int) -> None:
    """Write ann's ideas with their findings and audit rows; some are private, some of another kind."""
    with closing(sqlite3.connect(path)) as connection, connection:
        kinds = [kind for (kind,) in connection.execute("SELECT id FROM endpoints ORDER BY name != 'ideas'")]
        for number in range(1, entries + 1):
            kind, visibility = kinds[number % 5 == 1], "private" if number % 7 == 1 else "public"
            said = {"content": f"A thought. {number}", "meta": {"title": "It", "visibility": visibility}}
            text = json.dumps(said)
            found = hashlib.sha256(b"1\n" + text.encode()).hexdigest()
            connection.execute(
                "INSERT INTO data_entries"
                " (id, endpoint_id, data, is_active, created_at, created_by_id, visibility, slug)"
                " VALUES (?, ?, ?, 1, ?, 1, ?, ?)",
                (number, kind, text, NOW, visibility, f"entry-{number}"),
            )
            connection.execute(
                "INSERT INTO text_findings"
                " (entry_id, content_hash, detectors_version, words_generation, found, searched_at)"
                " VALUES (?, ?, ?, 0, '[]', ?)",
                (number, found, DETECTORS_VERSION, NOW),
            )
            connection.execute(
                "INSERT INTO audit_logs"
                " (action, table_name, record_id, old_values, new_values, user_id, created_at)"
                " VALUES ('CREATE', 'data_entries', ?, 'null', ?, 1, ?)",
                (number, text, NOW),
            )


class Steps:
    """How often a connection that was opened since had done another few steps."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        opened = driver.open_database

        def counted(address: str, **options: Any) -> sqlite3.Connection:
            made = opened(address, **options)
            made.set_progress_handler(self._one_more, STEPS)
            return made

        monkeypatch.setattr(connect, "open_database", counted)

    def _one_more(self) -> int:
        self.count += 1
        return 0


def steps_of_requests(
    settings: Settings, entries: int, serve: Callable[..., Site], monkeypatch: pytest.MonkeyPatch
) -> dict[str, int]:
    """Serve so many entries, with nothing kept of answers, and count for each request."""
    steps = Steps(monkeypatch)
    site = serve(settings)
    site.add_user("ann", is_admin=True)
    site.app.server.jobs.stop()  # nothing else is counted
    fill(settings.database_path, entries)
    owner = site.log_in("ann")
    found = {}
    for what, ask in REQUESTS.items():
        counts = []
        for _ in range(
            4
        ):  # the first fills what is remembered; the server looks at its file now and then, too
            site.app.server.response_cache.forget()
            before = steps.count
            answer = ask(site, owner)
            counts.append(steps.count - before)
            assert isinstance(answer, dict) or answer.status_code < 405, (what, answer.text)
        found[what] = min(counts)
    return found


@pytest.mark.usefixtures("random_ids")
def test_no_request_does_more_where_there_is_more(
    tmp_path: Path,
    settings_in: Callable[..., Settings],
    fresh_database: Path,
    serve: Callable[..., Site],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = []
    for entries in (FEW, MANY):
        folder = tmp_path / str(entries)
        settings = settings_in(folder, backup_enabled=False, view_memory_bytes=0)
        settings.data_dir.mkdir(parents=True)
        settings.database_path.write_bytes(fresh_database.read_bytes())
        found.append(steps_of_requests(settings, entries, serve, monkeypatch))
    few, many = found
    grown = {what: (few[what], many[what]) for what in few if many[what] > 1.3 * few[what] + 10}
    assert grown == {}, f"counts of {STEPS} steps at {FEW} and {MANY} entries"
