"""Page in a browser (budgets). Is it light, alone, usable by anyone, and never wider than its window?"""

from __future__ import annotations

import itertools
import urllib.request
from typing import Any

import pytest

from app.web.pages.themes import THEMES
from tests.browser.conftest import (
    BrowserSite,
    StartSite,
    Windows,
    scrolls_sideways,
    violations,
    watched,
)
from tests.conftest import sample
from tests.web.test_pages import RESUME
from tests.web.test_pictures import photo

BYTES_MOST = 40_000  # of a first visit, as they are on the wire
REQUESTS_MOST = 5
WIDTHS = (320, 768, 1440)
LOOKS = list(itertools.product(THEMES, ("light", "dark")))
LONG = "\n\n".join(f"Paragraph {number}: " + "bees and what they do all day. " * 12 for number in range(9))
IDEAS: tuple[dict[str, Any], ...] = (
    {"title": "Hives in the city", "content": LONG, "tags": ["bees", "cities"]},
    {"title": "Awordwithoutanend" * 9, "content": "| a | b |\n|---|---|\n| " + "x" * 200 + " | y |"},
    {"title": "Code", "content": "```\n" + "a_line_of_code_that_goes_on()" * 12 + "\n```\n\n> quoted"},
)


@pytest.fixture(scope="module")
def site(start_site: StartSite) -> BrowserSite:
    """A page of an ordinary size, with some of what is hard to set."""
    made = start_site()
    who = made.log_in()
    for kind, content in [("resume", RESUME), *(("ideas", idea) for idea in IDEAS)]:
        made.send("POST", f"/api/v1/{kind}", {**content, "meta": {"visibility": "public"}}, who)
    made.send("POST", "/api/v1/looking_for", {"content": "A meadow", "meta": {"visibility": "public"}}, who)
    picture = urllib.request.Request(
        f"{made.url}/api/v1/me/avatar", photo(), {"Content-Type": "image/jpeg", **who}, method="PUT"
    )
    with urllib.request.urlopen(picture, timeout=60) as answer:
        assert answer.status == 201
    return made


def test_every_look_can_be_used_by_anyone(site: BrowserSite, windows: Windows) -> None:
    who, page = site.log_in(), windows.open()
    for theme, scheme in sample(LOOKS):
        site.send("PUT", "/api/v1/me/page", {"theme": theme}, who)
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        page.goto(f"{site.url}/@ann")
        assert f"theme-{theme}" in (page.locator("html").get_attribute("class") or "")
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            assert not violations(page), (theme, scheme, width)
            assert not scrolls_sideways(page), (theme, scheme, width)


def test_a_first_visit_is_light_and_asks_no_one_else(site: BrowserSite, windows: Windows) -> None:
    for path in ("/@ann", "/@ann/ideas", "/"):
        page = windows.open()
        traffic = watched(page)
        page.goto(f"{site.url}{path}", wait_until="networkidle")
        assert traffic.byte_count <= BYTES_MOST, path
        assert 2 <= len(traffic.addresses) <= REQUESTS_MOST, traffic.addresses
        assert all(address.startswith(f"{site.url}/") for address in traffic.addresses)
        assert page.context.cookies() == []
    assert any("/media/" in address for address in traffic.addresses), "the avatar is among them"


def test_four_times_as_large_nothing_has_to_be_moved_sideways(site: BrowserSite, windows: Windows) -> None:
    for path in ("/@ann", "/@ann/ideas"):
        page = windows.open(320, 256, device_scale_factor=4)  # 1280 by 1024 at 400 %
        page.goto(f"{site.url}{path}")
        assert not scrolls_sideways(page), path


def test_without_a_script_and_without_a_stylesheet_it_can_be_read(
    site: BrowserSite, windows: Windows
) -> None:
    page = windows.open(java_script_enabled=False)
    page.route("**/assets/*.css", lambda route: route.abort())
    page.goto(f"{site.url}/@ann")
    assert "Ann Bee" in page.locator("h1").inner_text()
    assert page.locator("h2").count() >= 2


def test_the_keyboard_alone_reaches_the_content(site: BrowserSite, windows: Windows) -> None:
    page = windows.open()
    page.goto(f"{site.url}/@ann")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")
