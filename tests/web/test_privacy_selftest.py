"""Is a self-test begun by admins, and does /health/ready tell how it ended, to strangers without names?"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from app.cli import privacy_selftest
from app.errors import Refused
from app.progress import Event, OnEvent, say_nothing
from app.server.selftest import run
from app.server.selftest.run import Outcome
from tests.web.conftest import Site, wait_until

ADDRESS = "/api/v1/privacy/selftest"
FAULT = "/api/v1/ideas shows a stranger: ideas zz of open."


def ends_with(monkeypatch: pytest.MonkeyPatch, *faults: str) -> None:
    """Let self-tests end so, at once: what they find is tests/server/test_selftest.py's."""

    def looked(settings: object, make: object, on_event: OnEvent = say_nothing) -> Outcome:
        on_event(Event("phase", "copy", "copying the database"))
        return Outcome(faults, 7)

    for where in (run, privacy_selftest):
        monkeypatch.setattr(where, "run_selftest", looked)


def finished(site: Site, ann: dict[str, str]) -> Any:
    def look() -> Any:
        state = site.client.get(ADDRESS, headers=ann).json()
        return None if state["running"] else state["last"]

    return wait_until(look, "the self-test never ended")


def test_before_the_first_nothing_is_said(site: Site) -> None:
    assert site.client.get(ADDRESS, headers=site.log_in("ann")).json() == {"running": False, "last": None}
    assert "privacy_selftest" not in site.client.get("/health/ready").json()


@pytest.mark.parametrize("faults", [(), (FAULT,)])
def test_how_it_ended_is_told(site: Site, monkeypatch: pytest.MonkeyPatch, faults: tuple[str, ...]) -> None:
    ends_with(monkeypatch, *faults)
    ann = site.log_in("ann")
    begun = site.client.post(ADDRESS, headers=ann)
    assert (begun.status_code, begun.headers["location"]) == (202, "selftest")
    last = finished(site, ann)
    assert (last["outcome"], last["faults"]) == ("failed" if faults else "passed", list(faults))
    told = site.client.get("/health/ready").json()["privacy_selftest"]
    assert told == {"outcome": last["outcome"], "finished_at": last["finished_at"]}
    assert site.client.get("/health/ready", headers=ann).json()["privacy_selftest"] == {
        **told,
        "faults": list(faults),
    }
    assert "privacy_selftest" not in site.client.get("/health").json()


def test_one_that_cannot_be_done_leaves_nothing_and_another_can_be_begun(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(settings: object, make: object) -> Outcome:
        raise Refused("There is no room for a copy.")

    monkeypatch.setattr(run, "run_selftest", refuse)
    ann = site.log_in("ann")
    site.client.post(ADDRESS, headers=ann)
    wait_until(lambda: not site.app.server.selftest.is_running, "it never ended")
    assert site.client.get(ADDRESS, headers=ann).json() == {"running": False, "last": None}
    ends_with(monkeypatch)
    site.client.post(ADDRESS, headers=ann)
    assert finished(site, ann)["outcome"] == "passed"


def test_while_one_runs_no_other_is_begun(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site.app.server.selftest, "is_running", True)
    begun = site.client.post(ADDRESS, headers=site.log_in("ann"))
    assert (begun.status_code, begun.json()) == (202, {"running": True, "last": None})


def test_the_command_says_what_was_found_and_writes_it_down(
    site: Site, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from click.testing import CliRunner

    from app.cli.output import Output

    ends_with(monkeypatch, FAULT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", site.settings.database_url)
    monkeypatch.setenv("BACKUP_DIR", str(site.settings.backup_dir))
    monkeypatch.setenv("LOG_DIR", str(site.settings.log_dir))
    for words in ([], ["--json"]):
        out, err = io.StringIO(), io.StringIO()
        command, output = privacy_selftest.selftest_command, Output("daemon", out, err)
        ended = CliRunner().invoke(command, words, obj=output, standalone_mode=False)
        assert ended.exception is None, ended.exception
        assert ended.return_value == privacy_selftest.EXIT_FOUND
        assert err.getvalue() == ("" if words else "copying the database\n")
        assert FAULT in out.getvalue()
    assert site.client.get("/health/ready").json()["privacy_selftest"]["outcome"] == "failed"
