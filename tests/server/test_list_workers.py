"""Are large answers bounded in bytes, and made by few, apart from the server, just as it would make them?"""

from __future__ import annotations

import io
import json
import os
import subprocess
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.entries.parts import MOST_BYTES
from app.entries.question import Question
from app.errors import Busy, NotFound
from app.server import entry_lookup, list_workers
from app.server.list_worker import ListAnswer, ListRequest, read_frame, write_frame
from app.server.list_workers import ListWorkers
from tests.databases import outside, run
from tests.web.conftest import Site
from tests.web.test_entries import IDEA, post
from tests.web.test_problems import check_problem

EMPTY = b'{"items":[],"next":null}'
TEXT = "Call me on 212-555-0147 or write to ann@home.example about ideas. "


def put_in(site: Site, texts: list[str], kind: str = "ideas", **meta: str) -> None:
    """Store entries of ann as they are, past every limit."""
    with site.writing() as connection:
        endpoint, ann = (
            run(connection, f"SELECT id FROM {table} WHERE {column} = ?", name).scalar_one()
            for table, column, name in (("endpoints", "name", kind), ("users", "username", "ann"))
        )
        for text in texts:
            run(
                connection,
                "INSERT INTO data_entries (endpoint_id, data, is_active, created_by_id, visibility) "
                "VALUES (?, ?, 1, ?, ?)",
                endpoint,
                json.dumps({"content": text, "meta": meta}),
                ann,
                meta.get("visibility", "public"),
            )


def walked(site: Site, path: str, **sent: Any) -> list[dict[str, Any]]:
    """Return the answers on the way along ``next``."""
    pages = [site.client.get(path, **sent).json()]
    while pages[-1]["next"] is not None:
        cursor = pages[-1]["next"]
        pages.append(site.client.get(f"{path}{'&' if '?' in path else '?'}cursor={cursor}", **sent).json())
    return pages


def answer_made_anew(site: Site, path: str) -> Any:
    """What is answered where nothing is kept."""
    site.app.server.response_cache.forget()
    site.app.server.views.forget()
    return site.client.get(path)


@pytest.mark.parametrize("who", ["stranger", "owner"])
def test_a_list_ends_where_it_would_become_too_large_and_next_tells_the_rest(site: Site, who: str) -> None:
    put_in(site, [f"{number} " + "word " * 24_000 for number in range(12)])
    sent = {} if who == "stranger" else {"headers": site.log_in("ann")}
    pages = walked(site, "/api/v1/ideas?limit=200", **sent)
    assert len(pages) > 1
    assert [len(json.dumps(page)) for page in pages] == [pytest.approx(0, abs=MOST_BYTES * 1.01)] * len(pages)
    ids = [each["id"] for page in pages for each in page["items"]]
    assert len(ids) == len(set(ids)) == 12


def test_one_item_comes_however_large_it_is(site: Site) -> None:
    put_in(site, ["word " * 600_000, "text " * 600_000, "z"])
    assert [len(page["items"]) for page in walked(site, "/api/v1/ideas")] == [1, 1, 1]
    by_page = [site.client.get(f"/api/v1/ideas?page={number}&size=1") for number in (1, 2, 3)]
    assert [len(answer.json()["items"]) for answer in by_page] == [1, 1, 1]


def test_a_page_is_not_cut_but_refused(site: Site) -> None:
    put_in(site, ["word " * 140_000, "text " * 140_000, "z"])
    for headers in ({}, site.log_in("ann")):
        refused = site.client.get("/api/v1/ideas?page=1&size=3", headers=headers)
        assert "cursor" in check_problem(refused, 400, "usage")["hint"]
        assert site.client.get("/api/v1/ideas?page=1&size=1", headers=headers).status_code == 200


def test_what_is_hidden_has_no_size(site: Site) -> None:
    put_in(site, ["a", "b", "c"])
    before = site.client.get("/api/v1/ideas?level=professional")
    with site.writing() as connection:
        rows = connection.exec_driver_sql("SELECT id, data FROM data_entries").all()
        for entry_id, data in rows:
            hidden = json.dumps({**json.loads(data), "password": "x" * 900_000})
            run(connection, "UPDATE data_entries SET data = ? WHERE id = ?", hidden, entry_id)
    after = site.client.get("/api/v1/ideas?level=professional")
    assert after.content == before.content
    assert after.headers["etag"] == before.headers["etag"]


@pytest.mark.parametrize(
    "query", ["", "?limit=2", "?level=professional", "?page=1&size=3", "?level=ai_safe&limit=1"]
)
def test_the_desk_answers_as_the_server_would(
    site: Site, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    put_in(site, [TEXT * 200, "short", TEXT * 300, "hidden"], title="t")
    post(site, content="mine alone", meta={"visibility": "private"})
    asked: list[ListRequest] = []
    ask = site.app.server.list_workers.ask

    def noted(wanted: ListRequest) -> ListAnswer:
        asked.append(wanted)
        return ask(wanted)

    monkeypatch.setattr(site.app.server.list_workers, "ask", noted)
    paths = [f"/api/v1/ideas{query}", f"/api/v1/ideas/users/ann{query}"]
    found: list[list[tuple[int, bytes, Any, Any]]] = []
    for most in (0, 10**9):
        monkeypatch.setattr(entry_lookup, "SEARCHED_MOST_HERE", most)
        answers = [answer_made_anew(site, path) for path in paths]
        found.append([(a.status_code, a.content, a.headers["etag"], a.headers.get("link")) for a in answers])
    assert found[0] == found[1]
    assert len(asked) == 2
    assert b"ann@home" not in found[0][0][1]


def test_a_large_entry_of_a_stranger_is_made_there_too(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    path = post(site, content=TEXT * 1000)
    large = site.client.get(path)
    monkeypatch.setattr(entry_lookup, "SEARCHED_MOST_HERE", 10**9)
    assert answer_made_anew(site, path).content == large.content
    again = site.client.get(path, headers={"If-None-Match": large.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_what_was_made_there_is_kept_and_ends_with_the_next_commit(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = post(site, content=TEXT * 1000)
    first = site.client.get(path)
    monkeypatch.setattr(site.app.server.list_workers, "ask", None)
    assert site.client.get(path).content == first.content
    monkeypatch.undo()
    site.client.put(path, json={**IDEA, "meta": {"visibility": "private"}}, headers=site.log_in("ann"))
    assert site.client.get(path).status_code == 404


def test_the_views_that_were_made_there_are_kept_here(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    site.app.server.jobs.stop()  # what they find in texts is something that views are made of
    put_in(site, [TEXT * 200, "short", TEXT * 300], title="t")
    whole = site.client.get("/api/v1/ideas").json()
    monkeypatch.setattr(site.app.server.list_workers, "ask", None)
    assert site.client.get("/api/v1/ideas?limit=200").json() == whole
    post(site, content="another one, small")
    assert site.client.get("/api/v1/ideas").json()["items"][:3] == whole["items"]
    assert site.client.get(f"/api/v1/ideas/{whole['items'][2]['id']}").json() == whole["items"][2]


# -- the workers themselves


def job(site: Site, kind: str = "ideas") -> ListRequest:
    return ListRequest(site.settings.database_url, Question(kind))


def test_an_error_comes_back_as_what_it_is(site: Site) -> None:
    workers = site.app.server.list_workers
    with pytest.raises(NotFound) as caught:
        workers.ask(job(site, "nothing"))
    assert "nothing" in caught.value.message
    assert caught.value.hint
    with pytest.raises(RuntimeError) as fault:
        workers.ask(ListRequest(site.settings.database_url, Question(7)))  # type: ignore[arg-type]
    assert "Traceback" not in str(fault.value)
    assert "Traceback" in fault.value.__notes__[0]
    assert workers.ask(job(site)).body == EMPTY


@pytest.mark.only_on("postgresql")
def test_a_process_knows_which_server_is_the_primary_from_where_the_server_keeps_it(
    site: Site, tmp_path: Path
) -> None:
    """Else it would read an old primary that came back, on which nothing is hidden that was hidden since."""
    with outside(site.settings.database_url) as connection:
        system = run(connection, "SELECT system_identifier FROM pg_control_system()").scalar_one()
    workers, path = site.app.server.list_workers, tmp_path / "elsewhere"
    assert workers.ask(replace(job(site), place=path)).body == EMPTY
    path.with_name(f"{path.name}.epoch").write_text(f"{system} 4711\n")
    with pytest.raises(Busy):
        workers.ask(replace(job(site), place=path))


def test_a_process_that_is_gone_is_started_again(site: Site) -> None:
    workers = site.app.server.list_workers
    assert workers.ask(job(site))
    for worker in workers._workers:
        if worker._process is not None:
            os.kill(worker._process.pid, 9)
            worker._process.wait()
    assert workers.ask(job(site))


def test_more_than_a_few_do_not_wait(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    workers = ListWorkers()
    let_go, begun = threading.Event(), threading.Semaphore(0)

    def slow(worker: object, asked: ListRequest) -> ListAnswer:
        begun.release()
        assert let_go.wait(30)
        return ListAnswer(b"{}", b"")

    monkeypatch.setattr(list_workers._Worker, "ask", slow)
    most = list_workers.WORKERS + list_workers.WAITING_MOST
    threads = [threading.Thread(target=workers.ask, args=(job(site),)) for _ in range(most)]
    for thread in threads:
        thread.start()
    for _ in range(list_workers.WORKERS):
        assert begun.acquire(timeout=30)
    deadline = threading.Event()
    while workers._asked < most and not deadline.wait(0.01):
        pass
    with pytest.raises(Busy) as caught:
        workers.ask(job(site))
    assert caught.value.details["retry_after_seconds"] == 5
    let_go.set()
    for thread in threads:
        thread.join()


def test_who_waits_in_vain_for_a_turn_is_told(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_workers, "TURN_SECONDS", 0.05)
    with site.app.server.list_workers.here():
        refused = check_problem(site.client.get("/api/v1/ideas"), 503, "busy")
        assert site.client.get("/api/v1/ideas", headers=site.log_in("ann")).status_code == 200
    assert refused["hint"]
    assert site.client.get("/api/v1/ideas").status_code == 200


def test_the_processes_end_with_the_desk(site: Site) -> None:
    workers = ListWorkers()
    workers.ask(job(site))
    (process,) = [worker._process for worker in workers._workers if worker._process is not None]
    workers.close()
    assert process.returncode is not None


@pytest.mark.needs("strace")
def test_a_worker_asks_the_system_for_nothing_that_the_service_file_forbids(
    site: Site, tmp_path: Path
) -> None:
    """What `SystemCallFilter=~@resources` names; other unit files end the process for it."""
    forbidden = "?nice,setpriority,setrlimit,ioprio_set,sched_setaffinity,sched_setscheduler,sched_setparam"
    trace, asked = tmp_path / "trace", io.BytesIO()
    write_frame(asked, job(site))
    done = subprocess.run(
        ["strace", "-f", "-qq", "-o", trace, "-e", f"trace={forbidden}", *list_workers._COMMAND],
        input=asked.getvalue(),
        capture_output=True,
        env=list_workers._environment(),
        check=True,
    )
    assert read_frame(io.BytesIO(done.stdout)) == ListAnswer(EMPTY, EMPTY)
    assert [line for line in trace.read_text().splitlines() if "(" in line and "+++" not in line] == []
