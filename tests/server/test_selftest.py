"""Does the self-test pass where nothing leaves, and fail for each bug that is planted?"""

from __future__ import annotations

import asyncio
import io
import os
import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from cachetools import Cache
from fastapi import APIRouter
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from app import database_urls
from app.formats import pdf_process
from app.progress import Event
from app.server.selftest import papers
from app.server.selftest.audiences import Audience
from app.server.selftest.crawl import LEFT_OUT, Crawl
from app.server.selftest.picture_chunks import beside_pixels
from app.server.selftest.plant import OPEN
from app.server.selftest.run import crawl, run_selftest, served
from app.settings import Settings
from app.web.app import WebApp, create_app
from app.worker_process import Message
from tests.databases import Databases, outside, run
from tests.server.planted_bugs import BUGS, Bug
from tests.web.test_non_interference import PlantedPlace, plant_place

HERE = "app.server.entry_lookup:SEARCHED_MOST_HERE"
SAMPLE = 4  # of the planted bugs, in CI; `make bugs` plants all


def chosen() -> list[Bug]:
    count = int(os.environ.get("DAEMON_PLANTED_BUGS", SAMPLE))
    rng = random.Random(os.environ.get("DAEMON_PLANTED_BUGS_SEED", "0.5.0"))
    return list(BUGS) if count >= len(BUGS) else rng.sample(BUGS, count)


@pytest.fixture(scope="module")
def planted(lasting_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> PlantedPlace:
    """A database in which all is planted, of a few kinds; it is copied for each crawl."""
    return plant_place(lasting_databases, tmp_path_factory.mktemp("planted"))


@pytest.fixture
def copied(planted: PlantedPlace, databases: Databases, tmp_path: Path) -> Settings:
    return planted.copied(databases, tmp_path)


@contextmanager
def _in_place(place: str, instead: Any) -> Iterator[None]:
    module, _, path = place.partition(":")
    *above, name = path.split(".")
    owner: Any = import_module(module)
    for part in above:
        owner = getattr(owner, part)
    before = owner.__dict__[name]
    setattr(owner, name, instead(before))
    try:
        yield
    finally:
        setattr(owner, name, before)


def forget_what_is_kept() -> None:
    """All that rooms and the server have worked out: it would be of the product with, or without, a bug."""
    rooms = ("app.accounts.", "app.entries.", "app.privacy.", "app.server.")
    for name in [each for each in sys.modules if each.startswith(rooms) and ".detectors" not in each]:
        for kept in list(vars(sys.modules[name]).values()):
            if isinstance(kept, Cache):
                kept.clear()
            elif hasattr(kept, "cache_clear") and kept is not papers.words_of:
                kept.cache_clear()


@cache
def paper_of(html: bytes, *styles: str) -> bytes:
    """The PDF of a page: of the same text always the same one, whoever asks for it."""
    return pdf_process._answer(Message({}, [html, *(each.encode() for each in styles)])).pieces[0]


def served_here(settings: Settings) -> WebApp:
    """An application whose PDFs are made in this process, which takes less time than one for each."""
    application = create_app(settings)

    def pdf_of(html: bytes, styles: list[str]) -> tuple[bytes, int]:
        if not pdf_process.is_installed():
            raise pdf_process.not_installed()
        return paper_of(html, *styles), 1

    application.server.pdfs.pdf_of = pdf_of  # type: ignore[method-assign]
    return application


def test_nothing_leaves_and_every_door_is_asked(planted: PlantedPlace, copied: Settings) -> None:
    told: list[Event] = []
    outcome = crawl(served_here(copied), planted.there, copied, on_event=told.append)
    assert outcome.faults == ()
    assert outcome.asked_count > 1000
    assert [each.phase for each in told if each.type == "phase"] == ["index", "ask", "search"]
    percents = [each.percent or 0 for each in told if each.type == "progress"]
    assert len(percents) > 50
    assert percents == sorted(percents)
    assert percents[-1] == 100


def test_where_no_pdf_is_made_the_answer_is_judged_and_where_none_can_be_read_it_is_said(
    planted: PlantedPlace, copied: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = f"/@{planted.there.people[OPEN].username}/resume.pdf"
    application, stranger = served_here(copied), Audience("a stranger", {})
    with served(application.server):
        for is_installed, can_be_read, faults in ((False, True, 0), (True, False, 1)):
            monkeypatch.setattr(pdf_process, "is_installed", lambda is_there=is_installed: is_there)
            monkeypatch.setattr(papers, "can_be_read", lambda can=can_be_read: can)
            walk = Crawl(application, planted.there, copied.privacy_level)
            walk._judge(asyncio.run(walk._ask("GET", own, stranger)), own, stranger, None)
            assert (walk.papers_count, len(walk.faults)) == (is_installed, faults)
            assert all("cannot be read" in each for each in walk.faults)


def test_every_text_of_a_pdf_is_read_however_it_is_set() -> None:
    html = (
        '<html lang="en"><title>qqqtitle</title><meta name="author" content="qqqauthor"><h1>qqqheading</h1>'
        '<p style="width:9mm;hyphens:auto;overflow-wrap:anywhere">qqqbrokenwithinaverylongword</p>'
        '<p style="text-transform:uppercase;letter-spacing:3pt">qqqspaced</p><p>qqqffffi +1 415-555-0123</p>'
        '<a href="mailto:qqqmail@x.example">x</a><img alt="qqqalt" src="x.png">'
    )
    made = pdf_process._answer(Message({}, [html.encode(), b"body{font-size:9pt}"])).pieces[0]
    words = papers.words_of(made).decode()
    for each in ("title", "author", "heading", "brokenwithinaverylongword", "spaced", "ffffi", "mail", "alt"):
        assert f"qqq{each}" in words, each
    assert "+1 415-555-0123" in words


def test_what_a_picture_holds_beside_its_pixels_is_named() -> None:
    picture, info = Image.new("RGB", (9, 9)), PngInfo()
    info.add_text("Comment", "x")
    exif = picture.getexif()
    exif[0x010F] = "x"
    for form, options, found in (
        ("PNG", {}, []),
        ("PNG", {"pnginfo": info, "exif": exif.tobytes()}, ["tEXt", "eXIf"]),
        ("WEBP", {}, []),
        ("WEBP", {"exif": exif.tobytes(), "xmp": b"x"}, ["EXIF", "XMP "]),
    ):
        file = io.BytesIO()
        picture.save(file, form, **options)
        assert beside_pixels(file.getvalue()) == found


@pytest.mark.only_on("sqlite")  # about doors, and not about rows
def test_a_new_door_is_asked_or_is_a_fault(
    planted: PlantedPlace, copied: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_process, "is_installed", lambda: False)  # which takes its time
    application = create_app(copied)
    router = APIRouter()

    @router.get("/api/v2/everything")
    def leaking_door() -> list[str]:
        return list(planted.there.markers.planted)[:1]

    @router.get("/api/v2/{thing}/x")
    def new_door(thing: str) -> dict[str, str]:
        return {}

    known = [each for each in application.addresses if each.path in ("/openapi.json", "/api/v1/search")]
    application.addresses[:] = [*known, *router.routes]
    outcome = crawl(application, planted.there, copied)
    assert any("/api/v2/{thing}/x is a door that" in fault for fault in outcome.faults)
    assert any(fault.startswith("/api/v2/everything shows a stranger") for fault in outcome.faults)


def test_what_is_left_out_is_served_and_has_a_reason() -> None:
    routes: Any = create_app(Settings()).addresses
    served = {f"{method} {route.path_format}" for route in routes for method in route.methods}
    assert set(LEFT_OUT) <= served
    assert all(LEFT_OUT.values())


def test_there_are_enough_bugs_and_each_has_a_name_of_its_own() -> None:
    assert len(BUGS) >= 30
    assert len({bug.name for bug in BUGS}) == len(BUGS)


@pytest.mark.only_on("sqlite")  # each is planted into what both engines share
@pytest.mark.parametrize("bug", chosen(), ids=lambda bug: bug.name)
def test_a_planted_bug_is_found(planted: PlantedPlace, copied: Settings, bug: Bug) -> None:
    forget_what_is_kept()
    places = [_in_place(place, bug.instead) for place in bug.place.split()]
    places.append(_in_place(HERE, lambda _most: 10**9))  # in a worker process there would be no bug
    for place in places:
        place.__enter__()
    try:
        outcome = crawl(served_here(copied), planted.there, copied, stops_at_first=True)
    finally:
        for place in reversed(places):
            place.__exit__(None, None, None)
        forget_what_is_kept()
    assert outcome.faults, f"no answer of {outcome.asked_count} showed that {bug.name}"


@pytest.mark.only_on("sqlite")
def test_the_database_itself_is_only_looked_at(planted: PlantedPlace, copied: Settings) -> None:
    path = copied.database_path
    before = path.read_bytes(), path.stat().st_mtime_ns, sorted(path.parent.iterdir())
    made: list[Settings] = []

    def make(scratch: Settings) -> WebApp:
        made.append(scratch)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_selftest(copied, make)
    assert made[0].database_path != path
    assert not made[0].database_path.exists()
    assert (path.read_bytes(), path.stat().st_mtime_ns, sorted(path.parent.iterdir())) == before


def test_a_copy_on_the_same_engine_is_asked_and_gone_afterwards(copied: Settings) -> None:
    asked: list[Settings] = []

    def make(scratch: Settings) -> WebApp:
        asked.append(scratch)
        with outside(scratch.database_url) as connection:
            assert run(connection, "SELECT count(*) FROM data_entries").scalar_one() > 0
            run(connection, "DELETE FROM data_entries")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_selftest(copied, make)
    (scratch,) = asked
    assert scratch.database_url.partition(":")[0] == copied.database_url.partition(":")[0]
    assert scratch.database_url != copied.database_url
    assert not scratch.data_dir.exists()
    with outside(copied.database_url) as connection:
        assert run(connection, "SELECT count(*) FROM data_entries").scalar_one() > 0
        if connection.dialect.name == "postgresql":
            name = scratch.database_url.rpartition("/")[2]
            assert not run(connection, "SELECT 1 FROM pg_database WHERE datname = ?", name).all()
            assert database_urls.newest_url() == copied.database_url, (
                "dumps are looked into beside the live one"
            )
