"""Is an old database upgraded and taken back, and a backup put back, by who has a browser alone?"""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from app.upgrade.versions.releases import NEWEST
from tests.browser.conftest import (
    PATIENCE_MILLISECONDS,
    BrowserSite,
    StartSite,
    Windows,
    scrolls_sideways,
    violations,
)
from tests.conftest import SHARED
from tests.upgrade.old_databases import build
from tests.web.conftest import PASSWORD

GENUINE = SHARED / "legacy" / "v0.1.0.db"
SCREENS = {
    "backups": "Make a backup now",
    "operations": "Making a backup",
    "upgrade": "There is nothing to upgrade.",
    "system": "all is well",
}
expect.set_options(timeout=PATIENCE_MILLISECONDS)


@dataclass
class OldSite:
    """An installation with a database of 0.1.0, which waits; and an admin in it."""

    site: BrowserSite
    username: str
    password: str

    @property
    def token(self) -> str:
        """What was printed."""
        printed = (self.site.server.folder / "printed.txt").read_text()
        return printed.partition("operator token: ")[2].split("\n")[0].strip()

    def kept_entries(self) -> set[object]:
        """The ids of the entries that a rollback has kept for the next upgrade."""
        data = self.site.settings.data_dir
        kept = [row for path in data.glob("*.rollback_*") for row in json.loads(path.read_text())["rows"]]
        return {row["key"][0] for row in kept if row["table"] == "data_entries"}

    def rows(self) -> list[tuple[object, ...]]:
        """Every entry and account."""
        with closing(sqlite3.connect(self.site.settings.database_path)) as database:
            found: list[tuple[object, ...]] = []
            for table, columns in (("data_entries", "id, data"), ("users", "id, username, hashed_password")):
                found += database.execute(f"SELECT {columns} FROM {table} ORDER BY id").fetchall()
            return found


@pytest.fixture(scope="module")
def old(start_site: StartSite) -> OldSite:
    """The genuine database of 0.1.0 where it is at hand, else one that is made like it."""
    known: dict[str, str] = {}

    def put(path: Path) -> None:
        if GENUINE.exists():
            shutil.copy(GENUINE, path)
            path.chmod(0o600)
            people = json.loads(GENUINE.with_suffix(".json").read_text())["origin"]["users"]
            known.update(next(each for each in people if each["is_admin"]))
        else:
            admin = next(
                each for each in build("layout_a", path).accounts if each.is_admin and each.is_active
            )
            known.update(username=admin.username, password=admin.password)

    site = start_site(None, put, UPGRADE_ON_START="manual")
    return OldSite(site, known["username"], known["password"])


def looked_at(page: Page, words: str) -> None:
    """Wait for words; then anyone can use the page that has them."""
    expect(page.get_by_text(words).first).to_be_visible()
    page.wait_for_load_state()
    assert not violations(page)
    assert not scrolls_sideways(page)


def test_the_upgrade_and_its_rollback_are_done_in_the_browser(old: OldSite, windows: Windows) -> None:
    before = old.rows()
    page = windows.open(390, 844)
    page.goto(f"{old.site.url}/")
    looked_at(page, "The database waits for its upgrade")
    page.get_by_role("link", name="Check, upgrade, roll back").click()
    looked_at(page, "Operator token")
    page.get_by_label("Operator token").fill(old.token)
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Check").click()
    looked_at(page, f"An upgrade to {NEWEST} is pending")
    assert old.rows() == before

    page.get_by_role("button", name="Run the upgrade").click()
    looked_at(page, "The upgrade ended well")
    looked_at(page, "The database is served again.")
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("User name").fill(old.username)
    page.get_by_label("Password").fill(old.password)
    page.get_by_role("button", name="Sign in").click()
    looked_at(page, "Sign out")

    page.goto(f"{old.site.url}/manage/upgrade")
    page.get_by_role("button", name="See what taking the last upgrade back would do").click()
    looked_at(page, "The state until now is kept as a backup first")
    page.get_by_label("To confirm, type: 0.1.0").fill("0.1.0")
    page.get_by_label("Your password, again").fill(old.password)
    page.get_by_role("button", name="Roll back to 0.1.0").click()
    looked_at(page, "The rollback ended well")
    after = old.rows()
    assert not [row for row in after if row not in before]
    assert {row[0] for row in before if row not in after} == old.kept_entries(), "what it cannot protect"
    page.goto(f"{old.site.url}/")
    looked_at(page, "The database waits for its upgrade")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_who_waits_sees_it_in_the_dark_and_on_a_small_screen(
    old: OldSite, windows: Windows, scheme: str
) -> None:
    page = windows.open(320, 640, scheme=scheme)
    page.goto(f"{old.site.url}/@ann/ideas")
    looked_at(page, "The database waits for its upgrade")


def test_an_admin_makes_a_backup_and_puts_it_back(start_site: StartSite, windows: Windows) -> None:
    site = start_site("ann")
    page = windows.open(1440, 900, scheme="dark")
    page.goto(f"{site.url}/manage/backups")
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Make a backup now").click()
    looked_at(page, "It is done.")
    page.goto(f"{site.url}/manage/backups")
    looked_at(page, "made by hand")
    (made,) = [path.name for path in site.settings.backup_dir.glob("backup_*.db")]
    page.get_by_role("button", name=f"Put back {made}").click()
    looked_at(page, "The state until now is kept as a backup first")
    page.get_by_label(f"To confirm, type: {made}").fill(made)
    page.get_by_label("Your password, again").fill(PASSWORD)
    page.get_by_role("button", name="Put it back").click()
    looked_at(page, "A backup was put in the place of the database")
    page.get_by_label("User name").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    looked_at(page, "It is done.")
    page.set_viewport_size({"width": 320, "height": 640})
    for path, words in SCREENS.items():
        page.goto(f"{site.url}/manage/{path}")
        looked_at(page, words)
