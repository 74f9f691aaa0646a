"""Browser (Chromium, Playwright). What do tests of pages in a real browser stand on?

One server process and one browser serve a file. A test opens windows of them; a script that fails, or
anything that the policy of a page has refused, fails the test that saw it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from app import clock
from app.accounts import claim
from app.accounts.users import NewUser
from app.settings import Settings
from tests.conftest import RATE_LIMITS, find_tool
from tests.databases import SQLiteDatabases, outside
from tests.web.conftest import HASH, PASSWORD, Server, environment, free_port

NEEDED = pytest.mark.needs("chromium")
LAUNCH = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
PATIENCE_MILLISECONDS = 60_000
_REFUSED = ("Content Security Policy", "Content-Security-Policy", "Refused to")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Whatever is in this folder runs in a browser: `make browser` runs it all."""
    item.add_marker(pytest.mark.browser)
    item.add_marker(NEEDED)


@dataclass
class BrowserSite:
    """An installation that a server process serves; ``url`` has no slash at its end."""

    settings: Settings
    server: Server

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server.port}"

    def log_in(self, username: str = "ann") -> dict[str, str]:
        """Return the header of someone who logged in over HTTP, not in a window."""
        form = urllib.parse.urlencode({"username": username, "password": PASSWORD}).encode()
        with urllib.request.urlopen(f"{self.url}/auth/login", form, timeout=60) as answer:
            return {"Authorization": f"Bearer {json.load(answer)['access_token']}"}

    def send(self, method: str, path: str, body: object, who: Mapping[str, str]) -> Any:
        """Return the JSON of an answer, which is none of a failure."""
        status, found, _headers = self.server.ask(path, method=method, body=body, headers=dict(who))
        assert status < 300, (status, found)
        return found


StartSite = Callable[..., BrowserSite]


@pytest.fixture(scope="module")
def start_site(
    tmp_path_factory: pytest.TempPathFactory, sqlite_databases: SQLiteDatabases
) -> Iterator[StartSite]:
    """`start_site(claimed_by="ann", **environment)`: an installation of this file's own; None: unclaimed.

    ``database(path)`` makes another database than a fresh one, with accounts of its own.
    """
    started: list[Server] = []

    def start(
        claimed_by: str | None = "ann", database: Callable[[Path], object] | None = None, **changes: str
    ) -> BrowserSite:
        folder = tmp_path_factory.mktemp("site")
        if database is None:
            settings = _settings_in(folder, sqlite_databases.fresh(folder))
        else:
            settings = _settings_in(folder, f"sqlite:///{folder}/data/daemon.db")
            settings.data_dir.mkdir()
            database(settings.database_path)
        if claimed_by is not None and database is None:
            new = NewUser(claimed_by, f"{claimed_by}@example.org", HASH, is_admin=True)
            with outside(settings.database_url) as connection:
                claim.create_account(connection, new, clock.now())
        server = _started(folder, settings, changes)
        started.append(server)
        server.wait_for("/health/live", 200)
        server.ask("/health")  # is answered once it knows its database
        return BrowserSite(settings, server)

    yield start
    for server in started:
        if server.process.poll() is None:
            server.process.terminate()
        server.process.communicate(timeout=60)


def _settings_in(folder: Path, database_url: str) -> Settings:
    return Settings(
        database_url=database_url,
        data_dir=folder / "data",
        backup_dir=folder / "backups",
        log_dir=folder / "logs",
        backup_enabled=False,
    )


def _started(folder: Path, settings: Settings, changes: Mapping[str, str]) -> Server:
    port = free_port()
    given = {**dict.fromkeys(RATE_LIMITS, "0"), "DATA_DIR": str(settings.data_dir), **changes}
    with (folder / "printed.txt").open("w") as printed:
        process = subprocess.Popen(
            [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(port), "--no-access-log"],
            cwd=folder,
            env={**environment(settings, PORT=str(port)), **given},
            stdout=printed,
            stderr=subprocess.STDOUT,
            text=True,
        )
    return Server(folder, port, process)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser of this file."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_tool("chromium"), headless=True, args=list(LAUNCH)
        )
        yield browser
        browser.close()


@dataclass
class Windows:
    """Windows of one test. Each is a context of its own: no cookie and nothing kept of another one's."""

    browser: Browser
    failures: list[str] = field(default_factory=list)
    contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, width: int = 1440, height: int = 900, *, scheme: str = "light", **options: Any) -> Page:
        """Return a window; ``scheme`` is light or dark; ``options`` are those of a context of Playwright."""
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if scheme == "dark" else "light",
            **{"reduced_motion": "reduce", **options},
        )
        context.set_default_timeout(PATIENCE_MILLISECONDS)
        self.contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self.failures.append(str(error)))
        page.on("console", lambda message: self._hear(message.text))
        return page

    def _hear(self, text: str) -> None:
        if any(words in text for words in _REFUSED):
            self.failures.append(text)


@pytest.fixture
def windows(chromium: Browser) -> Iterator[Windows]:
    """`windows.open(320, scheme="dark")`: a window; all are closed with the test."""
    found = Windows(chromium)
    yield found
    for context in found.contexts:
        context.close()
    assert not found.failures


@dataclass
class Traffic:
    """What a window has loaded, as the browser counts it: bytes on the wire, and addresses."""

    byte_count: int = 0
    addresses: list[str] = field(default_factory=list)


def watched(page: Page) -> Traffic:
    """Return what a window loads from now on; it goes on being counted."""
    found, session = Traffic(), page.context.new_cdp_session(page)

    def count(event: dict[str, Any]) -> None:
        found.byte_count += int(event["encodedDataLength"])

    session.on("Network.loadingFinished", count)
    session.on("Network.requestWillBeSent", lambda event: found.addresses.append(event["request"]["url"]))
    session.send("Network.enable")
    return found


def violations(page: Page) -> list[str]:
    """Return what axe finds against a page, with where: nothing, if anyone can use it."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {node['html'][:200]}" for each in found for node in each["nodes"]]


def scrolls_sideways(page: Page) -> bool:
    """Whether something of a page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
