"""Does the README's "Five minutes, in the browser" lead from an empty folder to a page, by its own words?"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Windows, scrolls_sideways, violations, watched
from tests.conftest import RATE_LIMITS, ROOT
from tests.web.conftest import Server, free_port, wait_until

HEADING = "## Five minutes, in the browser\n"
LINK = re.compile(r"http://localhost:\d+/manage/claim\?token=[\w-]+")
TYPED = re.compile(r"`(?P<text>[^`]+)` as \*(?P<field>[^*]+)\*")
PRESSED = re.compile(r"\*\*(?P<words>[^*]+)\*\*")
READ = re.compile(r"you read (?P<all>.+?)\.$", re.DOTALL)
FIVE_MINUTES_SECONDS = 300
MOST_BYTES, MOST_REQUESTS = 90_000, 8


def sentences() -> list[str]:
    """The numbered steps of the README, without their line ends."""
    text = (ROOT / "README.md").read_text(encoding="utf-8").partition(HEADING)[2].partition("\n## ")[0]
    steps = re.split(r"^\d+\. ", text, flags=re.MULTILINE)[1:]
    return [" ".join(step.partition("\n\n")[0].split()) for step in steps]


@dataclass
class Fresh:
    """An installation that was begun in an empty folder, and what its first start printed."""

    server: Server
    printed: Path

    @property
    def link(self) -> str:
        """The link that it printed."""
        found = wait_until(lambda: LINK.search(self.printed.read_text()), "no link was printed")
        return str(found[0])


@pytest.fixture(params=[True, False], ids=["with scripts", "without scripts"])
def has_scripts(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Fresh]:
    """What `make run` does, in an empty folder."""
    import os

    port = free_port()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **dict.fromkeys(RATE_LIMITS, "0")}
    command = [sys.executable, "-m", "app.cli"]
    subprocess.run([*command, "init"], cwd=tmp_path, env=environment, check=True, capture_output=True)
    printed = tmp_path / "printed.txt"
    with printed.open("w") as file:
        process = subprocess.Popen(
            [*command, "serve", "--port", str(port)], cwd=tmp_path, env=environment, stdout=file, text=True
        )
    server = Server(tmp_path, port, process)
    try:
        server.wait_for("/health", 200)
        yield Fresh(server, printed)
    finally:
        process.terminate()
        process.communicate(timeout=60)


def do(page: Page, sentence: str) -> None:
    """Do what a sentence says: type, press and follow, in its order; and read what is to be read."""
    said = READ.search(sentence)
    doing = sentence[: said.start()] if said else sentence
    steps = sorted([*TYPED.finditer(doing), *PRESSED.finditer(doing)], key=lambda each: each.start())
    for step in steps:
        if step.re is TYPED:
            page.get_by_label(step["field"], exact=True).fill(step["text"])
        else:
            words = step["words"]
            button = page.get_by_role("button", name=words, exact=True)
            link = page.get_by_role("link", name=words, exact=True)
            with page.expect_navigation():
                (button if button.count() else link).first.click()
    for words in re.findall(r"`([^`]+)`", said["all"]) if said else ():
        assert words in page.inner_text("main"), words


def test_the_sentences_lead_to_a_page(fresh: Fresh, windows: Windows, has_scripts: bool) -> None:
    page = windows.open(java_script_enabled=has_scripts)
    began = time.monotonic()
    page.goto(fresh.link)
    assert "token" not in page.url
    steps = sentences()
    assert len(steps) == 5
    for sentence in steps[1:]:
        do(page, sentence)
    assert time.monotonic() - began < FIVE_MINUTES_SECONDS
    assert page.url.endswith("/@ann")
    if has_scripts:
        _hold_to_budgets(fresh, windows, page)


def _hold_to_budgets(fresh: Fresh, windows: Windows, page: Page) -> None:
    """Each screen: nothing that axe finds, no sideways scroll at 320, few bytes and requests, from here."""
    base = f"http://localhost:{fresh.server.port}"
    paths = ("", "profile", "entries", "entries/ideas", "entries/ideas/new", "deleted")
    listed = page.context
    for path in paths:
        window = listed.new_page()
        traffic = watched(window)
        window.goto(f"{base}/manage/{path}")
        window.wait_for_load_state("networkidle")
        assert traffic.byte_count <= MOST_BYTES, (path, traffic.byte_count)
        assert len(traffic.addresses) <= MOST_REQUESTS, (path, traffic.addresses)
        assert all(each.startswith(base) for each in traffic.addresses)
        for width in (1440, 320):
            window.set_viewport_size({"width": width, "height": 900})
            assert violations(window) == [], (path, width)
            assert not scrolls_sideways(window), (path, width)
        window.close()


def test_the_keyboard_alone_is_enough(fresh: Fresh, windows: Windows) -> None:
    """Claim, write and sign out without a pointer: Tab, letters, Enter."""
    page = windows.open()
    page.goto(fresh.link)
    for text in ("ann", "Ann Otter", "ann@example.org", "a long sentence is best"):
        page.keyboard.type(text)  # the first field has the focus
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**/manage/")
    for words in ("Write", "Write Ideas"):
        _reach(page, words)
        with page.expect_navigation():
            page.keyboard.press("Enter")
    _reach(page, "Text")
    page.keyboard.type("By keys alone.")
    _reach(page, "Save")
    page.keyboard.press("Enter")
    page.wait_for_url("**/manage/entries/ideas/*")
    assert "Saved." in page.inner_text("main")


def _reach(page: Page, words: str) -> None:
    """Press Tab until what has the focus is called so."""
    for _ in range(200):
        page.keyboard.press("Tab")
        named = page.evaluate(
            "(e => (e.labels && e.labels[0] ? e.labels[0].innerText : e.textContent))(document.activeElement)"
        )
        if " ".join(named.split()) == words:
            return
    pytest.fail(f"no key leads to {words}")
