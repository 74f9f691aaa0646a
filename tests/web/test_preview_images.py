"""Preview images: is there nothing in one that strangers are not shown, whatever is written?"""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from app.web.pages import preview_image as drawing
from app.web.pages.preview_image import preview_image
from app.web.pages.themes import ACCENTS, THEMES
from tests.web.conftest import Site
from tests.web.test_pages import RESUME, page, publish


@pytest.fixture
def ann(site: Site) -> dict[str, str]:
    return site.log_in("ann")


def test_it_is_drawn_of_what_the_page_says_and_changes_with_it(
    site: Site, ann: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[tuple[object, ...]] = []

    def noted(*said: Any) -> bytes:
        drawn.append(said)
        return preview_image(*said)

    monkeypatch.setattr("app.web.routes.preview_images.preview_image", noted)
    made = publish(site, ann, "resume", {**RESUME})
    first = site.client.get("/@ann/preview.png")
    assert (first.status_code, first.headers["content-type"]) == (200, "image/png")
    picture = Image.open(io.BytesIO(first.content))
    assert picture.size == (1200, 630)
    assert len(first.content) < 60_000
    assert drawn == [("Ann Bee", "Keeper of bees", "Leith", None, None)]
    assert 'property="og:image" content="@ann/preview.png"' in page(site, "/@ann")

    changed = {"title": "Beekeeper of +44 20 7946 0018"}
    assert site.client.patch(f"/api/v1/resume/{made}", json=changed, headers=ann).status_code == 200
    second = site.client.get("/@ann/preview.png")
    assert second.content != first.content
    assert "7946" not in str(drawn[1]), "it is drawn of what is left of a text"
    site.client.put("/api/v1/me/page", json={"formats_off": ["open-graph"]}, headers=ann)
    assert site.client.get("/@ann/preview.png").status_code == 404
    assert "og:image" not in page(site, "/@ann")


def test_of_whom_nothing_is_public_there_is_none(site: Site, ann: dict[str, str]) -> None:
    publish(site, ann, "ideas", {"content": "x", "meta": {"visibility": "private"}})
    hidden, missing = (site.client.get(f"/@{name}/preview.png") for name in ("ann", "nobody-here"))
    assert hidden.status_code == missing.status_code == 404
    assert hidden.json()["detail"] == missing.json()["detail"]


@pytest.mark.parametrize("theme", THEMES)
def test_any_words_fit_in_any_theme(theme: str) -> None:
    odd = "\u202e\u2066\x00王小明" + "W" * 300
    for name, does, where in (("", "", ""), (odd, odd, odd), ("A " * 200, "b " * 200, "c " * 200)):
        content = preview_image(name, does, where, theme, next(iter(ACCENTS)))
        picture = Image.open(io.BytesIO(content)).convert("RGB")
        ground = picture.getpixel((1, 1))
        edge = [picture.getpixel((x, y)) for x in (2, 1197) for y in range(0, 600, 3)]
        assert set(edge) == {ground}, "nothing reaches the edge"
    assert drawing.preview_image.cache_info().maxsize == drawing.KEPT_COUNT
