"""Is every text searched after an upgrade, batch by batch, and is a search that was cut off gone on with?"""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from app import clock
from app.entries import findings, text_search, write
from app.privacy.detectors.finding import Finding
from app.privacy.detectors.search import find
from app.privacy.viewer import Viewer
from app.server.text_backfill import TextBackfill
from app.tables import text_findings, user_privacy_settings
from tests.web.conftest import Site

ENTRIES = 5


ANN = Viewer("admin", 1, "ann")


@pytest.fixture(autouse=True)
def _time_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_search, "SECONDS_MOST", 60.0)
    monkeypatch.setattr("app.server.text_backfill.STEP_SECONDS", 60.0)


@pytest.fixture
def entry_ids(site: Site) -> list[int]:
    """Entries whose rows of findings are gone, as after an upgrade; no one else searches them."""
    site.app.server.jobs.stop()
    with site.writing() as connection:
        made = [
            write.create(connection, ANN, "ideas", {"content": f"mail ann{at}@work.example, please"}).id
            for at in range(ENTRIES)
        ]
        connection.execute(delete(text_findings))
    findings._remembered.clear()
    return made


def kept(site: Site) -> dict[int, Any]:
    with site.app.server.supervisor.reading() as connection:
        query = select(text_findings.c.entry_id, text_findings.c.found).order_by(text_findings.c.entry_id)
        return {row.entry_id: json.loads(row.found) for row in connection.execute(query)}


def done(backfill: TextBackfill) -> int:
    steps = 0
    while not backfill.progress.is_done:
        backfill.step()
        steps += 1
    return steps


def test_what_no_one_searched_is_searched_and_kept(site: Site, entry_ids: list[int]) -> None:
    backfill = TextBackfill(site.app.server.supervisor)
    done(backfill)
    assert list(kept(site)) == entry_ids
    assert all(found[0][2] == "mail" and found[0][5] for found in kept(site).values())
    assert (backfill.progress.looked_at, backfill.progress.entries) == (ENTRIES, ENTRIES)


def test_it_goes_on_where_it_was_cut_off(
    site: Site, entry_ids: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_search, "ROWS_MOST", 2)
    monkeypatch.setattr("app.server.text_backfill.STEP_SECONDS", 0.0)
    backfill = TextBackfill(site.app.server.supervisor)
    backfill.step()
    assert list(kept(site)) == entry_ids[:2]
    assert not backfill.progress.is_done
    searched: list[str] = []

    def counting(text: str) -> list[Finding]:
        searched.append(text)
        return find(text)

    monkeypatch.setattr("app.privacy.entry_search.find", counting)
    findings._remembered.clear()
    done(TextBackfill(site.app.server.supervisor))
    assert list(kept(site)) == entry_ids
    assert [text for text in searched if "@" in text] == [
        f"mail ann{at}@work.example, please" for at in (2, 3, 4)
    ]


def test_a_text_that_was_changed_meanwhile_keeps_its_own_findings(site: Site, entry_ids: list[int]) -> None:
    with site.app.server.supervisor.reading() as connection:
        batch = text_search.search_batch(connection, 0)
    with site.writing() as connection:
        write.replace(connection, ANN, "ideas", entry_ids[0], {"content": "harmless"})
        text_search.keep_part(connection, batch.searched, clock.now())
    assert kept(site)[entry_ids[0]] == []
    assert kept(site)[entry_ids[1]] != []


def test_it_begins_again_after_a_change_of_a_never_list(site: Site, entry_ids: list[int]) -> None:
    backfill = TextBackfill(site.app.server.supervisor)
    done(backfill)
    with site.writing() as connection:
        connection.execute(delete(text_findings))
    backfill.step()
    assert kept(site) == {}
    with site.writing() as connection:
        connection.execute(update(user_privacy_settings).values(words_generation=1))
    backfill.step()
    assert list(kept(site)) == entry_ids


def test_admins_see_how_far_it_is(site: Site) -> None:
    site.add_user("ben")
    answer = site.client.get("/health", headers=site.log_in("ann")).json()
    assert set(answer["text_search"]) == {"looked_at", "entries", "is_done"}
    assert "text_search" not in site.client.get("/health", headers=site.log_in("ben")).json()


@pytest.mark.only_on("sqlite")
def test_a_number_that_an_old_program_has_stored_stops_nothing(site: Site, entry_ids: list[int]) -> None:
    with site.writing() as connection:
        connection.exec_driver_sql(f"UPDATE data_entries SET data = 7 WHERE id = {min(entry_ids)}")
    assert done(TextBackfill(site.app.server.supervisor)) >= 1
    assert set(entry_ids) <= set(kept(site))
