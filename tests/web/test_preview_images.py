"""Preview images: is there nothing in one that strangers are not shown, whatever is written?"""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from app import clock
from app.database import open_database
from app.entries import page_wishes
from app.web.pages import preview_image as drawing
from app.web.pages.preview_image import Preview
from app.web.pages.themes import ACCENTS, THEMES
from tests.web.conftest import Site
from tests.web.test_pages import RESUME, page, publish


@pytest.fixture
def ann(site: Site) -> dict[str, str]:
    return site.log_in("ann")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[Preview]:
    """What was drawn, in this process, from nothing that was kept before."""
    found: list[Preview] = []
    draw = drawing.draw

    def noted(preview: Preview) -> bytes:
        found.append(preview)
        return draw(preview)

    monkeypatch.setattr(drawing, "draw", noted)
    drawing._kept.clear()
    return found


def preview(site: Site, who: str = "ann", headers: dict[str, str] | None = None) -> bytes:
    answer = site.client.get(f"/@{who}/preview.png", headers=headers or {})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    return bytes(answer.content)


def change(site: Site, who: dict[str, str], entry: str, **changes: Any) -> None:
    assert site.client.patch(f"/api/v1/{entry}", json=changes, headers=who).status_code == 200


def test_it_is_drawn_of_what_the_page_says_and_changes_with_it(
    site: Site, ann: dict[str, str], drawn: list[Preview]
) -> None:
    made = publish(site, ann, "resume", {**RESUME})
    first = preview(site)
    picture = Image.open(io.BytesIO(first))
    assert picture.size == (1200, 630)
    assert len(first) < 60_000
    assert drawn == [Preview("Ann Bee", "Keeper of bees", "Leith", "paper", THEMES["paper"].accent)]
    assert 'property="og:image" content="@ann/preview.png"' in page(site, "/@ann")

    change(site, ann, f"resume/{made}", title="Beekeeper of +44 20 7946 0018")
    assert preview(site) != first
    assert "7946" not in str(drawn[1]), "it is drawn of what is left of a text"
    site.client.put("/api/v1/me/page", json={"formats_off": ["open-graph"]}, headers=ann)
    assert site.client.get("/@ann/preview.png").status_code == 404
    assert "og:image" not in page(site, "/@ann")


def test_it_is_drawn_after_a_write_and_a_request_only_sends_it(
    site: Site, ann: dict[str, str], drawn: list[Preview]
) -> None:
    site.app.previews.step()
    made = publish(site, ann, "resume", {**RESUME})
    site.app.previews.step()
    assert [each.does for each in drawn] == ["Keeper of bees"]
    first = preview(site)
    publish(site, ann, "ideas", {"content": "Of what is in no head"})
    change(site, ann, f"resume/{made}", summary="Another one")
    site.app.previews.step()
    assert preview(site) == first
    assert len(drawn) == 1
    change(site, ann, f"resume/{made}", title="Keeper of wasps")
    site.app.previews.step()
    site.client.put("/api/v1/me/page", json={"theme": "ink"}, headers=ann)
    site.app.previews.step()
    assert [(each.does, each.theme) for each in drawn[1:]] == [
        ("Keeper of wasps", "paper"),
        ("Keeper of wasps", "ink"),
    ]
    assert preview(site) not in (first, b"")
    for rule in ("resume.title", "resume.name"):
        made_rule = site.client.post("/api/v1/privacy/rules", json={"path": rule}, headers=ann)
        assert made_rule.status_code == 201
    site.app.previews.step()
    last = len(drawn)
    assert (drawn[-1].name, drawn[-1].does) == ("ann", "")
    preview(site)
    preview(site, headers={"User-Agent": "GPTBot/1.2"})
    assert len(drawn) == last, "for assistants, too"


def test_who_writes_what_no_picture_says_is_not_looked_up_again(
    site: Site, ann: dict[str, str], drawn: list[Preview], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.app.previews.step()
    publish(site, ann, "ideas", {"content": "The first makes a page"})
    site.app.previews.step()
    assert [each.name for each in drawn] == ["ann"]
    looked_up: list[str] = []
    monkeypatch.setattr(site.app.previews, "_draw", looked_up.append)
    publish(site, ann, "ideas", {"content": "Another one"})
    site.app.previews.step()
    assert looked_up == []
    publish(site, ann, "currently", {"content": "Away"})
    site.app.previews.step()
    assert looked_up == ["ann"]


def test_it_is_the_new_one_at_once_and_never_an_old_one(
    site: Site, ann: dict[str, str], drawn: list[Preview], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site.app.previews, "step", lambda: None)
    site.app.server.jobs._jobs.clear()  # no job comes before the request
    made = publish(site, ann, "resume", {**RESUME})
    first = preview(site)
    change(site, ann, f"resume/{made}", title="Keeper of wasps")
    assert preview(site) not in (first, b"")
    change(site, ann, f"resume/{made}", meta={"visibility": "private"})
    assert site.client.get("/@ann/preview.png").status_code == 404
    publish(site, ann, "ideas", {"content": "x"})
    preview(site)
    assert drawn[-1][:3] == ("ann", "", "")


def test_nothing_is_drawn_of_who_wants_none_or_shows_nothing(
    site: Site, ann: dict[str, str], drawn: list[Preview]
) -> None:
    site.add_user("ben")
    site.app.previews.step()
    site.client.put("/api/v1/me/page", json={"formats_off": ["open-graph"]}, headers=ann)
    publish(site, ann, "resume", {**RESUME})
    publish(site, site.log_in("ben"), "resume", {**RESUME, "meta": {"visibility": "private"}})
    site.app.previews.step()
    assert drawn == []
    assert not site.app.previews.is_wanted()


def test_what_comes_by_itself_and_what_another_process_wrote_is_drawn(
    site: Site, ann: dict[str, str], drawn: list[Preview], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.app.previews.step()
    comes = {"publish_at": clock.rfc3339(clock.stored(clock.now() + timedelta(hours=1)))}
    publish(site, ann, "resume", {**RESUME, "meta": comes})
    user_id = site.user("ann").id
    with closing(open_database(site.settings)) as elsewhere, elsewhere.writing() as connection:
        page_wishes.wish(connection, user_id, {"theme": "ink"}, clock.now())
    site.app.previews.step()
    assert drawn == []
    later = clock.now() + timedelta(hours=2)
    monkeypatch.setattr(clock, "now", lambda: later)
    site.app.previews.step()
    assert [each.theme for each in drawn] == ["ink"]


def test_many_who_come_while_one_is_drawn_get_that_one(drawn: list[Preview]) -> None:
    asked = Preview("Ann", "", "", "paper", "blue")
    with ThreadPoolExecutor(4) as threads:
        assert len(set(threads.map(drawing.preview_image, [asked] * 8))) == 1
    assert drawn == [asked]


def test_of_whom_nothing_is_public_there_is_none(site: Site, ann: dict[str, str]) -> None:
    publish(site, ann, "ideas", {"content": "x", "meta": {"visibility": "private"}})
    hidden, missing = (site.client.get(f"/@{name}/preview.png") for name in ("ann", "nobody-here"))
    assert hidden.status_code == missing.status_code == 404
    assert hidden.json()["detail"] == missing.json()["detail"]


@pytest.mark.parametrize("theme", THEMES)
def test_any_words_fit_in_any_theme(theme: str) -> None:
    odd = "\u202e\u2066\x00王小明" + "W" * 300
    for name, does, where in (("", "", ""), (odd, odd, odd), ("A " * 200, "b " * 200, "c " * 200)):
        content = drawing.draw(Preview(name, does, where, theme, next(iter(ACCENTS))))
        picture = Image.open(io.BytesIO(content)).convert("RGB")
        ground = picture.getpixel((1, 1))
        edge = [picture.getpixel((x, y)) for x in (2, 1197) for y in range(0, 600, 3)]
        assert set(edge) == {ground}, "nothing reaches the edge"
    assert drawing._kept.maxsize == drawing.KEPT_COUNT
