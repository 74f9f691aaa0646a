"""Non-interference: do two databases that differ in what is hidden at a level answer the same bytes there?

Every address that the API describes is asked, reading and writing, with the time and the request's id fixed:
status, headers (ETag, Content-Length, Link), body, order, errors.
"""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import Connection

from app import clock
from app.privacy.levels import NAMES
from app.server.rate_limits import RateLimits
from app.server.selftest.asking import ask
from app.server.selftest.audiences import ASSISTANT
from app.server.selftest.crawl import BROWSER, LEFT_OUT, Crawl, at_level, has_levels
from app.server.selftest.plant import ADMIN, GONE, OPEN, OTHER, VARIANTS, Planted
from app.server.selftest.run import plant, served
from app.settings import Settings
from app.upgrade.operations.init import initialise
from app.web.app import create_app
from tests.databases import Databases, outside, run

SECRET = "Zp0-long-enough-and-of-the-operator-alone"
FIXED = {"x-request-id": "the-same-for-all"}
RUNNING_TIME = re.compile(
    rb'"uptime_seconds":[0-9.e-]+|content-length: [0-9]+'
)  # of /health: its digits vary
KEPT = ("word of the never-list", "rule for a text")  # their other half is a hash, or a pattern
OF_ITS_OWN_LEVEL = {"/api/v1/shared/{token}"}  # its maker says at which: here, all that strangers may see
ELSEWHERE = "+44 20 7946 0018"


@dataclass(frozen=True)
class PlantedPlace:
    """An installation in which all is planted, and what `kept` asks for to copy its database."""

    settings: Settings
    there: Planted
    kept: str

    def copied(self, databases: Databases, folder: Path) -> Settings:
        """The settings of the same installation with a copy of the database."""
        return replace(
            self.settings, database_url=databases.kept(self.kept, folder), data_dir=folder / "data"
        )


def plant_place(databases: Databases, folder: Path) -> PlantedPlace:
    """Plant an installation in a folder, or on the server."""
    settings = Settings(
        database_url=databases.place(folder),
        data_dir=folder / "data",
        backup_dir=folder / "backups",
        log_dir=folder / "logs",
        backup_enabled=False,
        secret_key=SECRET,
        # What is left of a limit is told, and depends on the time that has passed.
        rate_limit_network=0,
        rate_limit_person=0,
        rate_limit_writes=0,
    )
    initialise(settings)
    there = plant(settings, SECRET, ("resume",))
    return PlantedPlace(settings, there, databases.keep(settings.database_url))


@pytest.fixture(scope="module")
def planted(lasting_databases: Databases, tmp_path_factory: pytest.TempPathFactory) -> PlantedPlace:
    return plant_place(lasting_databases, tmp_path_factory.mktemp("planted"))


def change_what_is_hidden(url: str, planted: Planted, level: str) -> int:
    """Put other texts, of other lengths, in the place of what strangers are not shown at a level."""
    markers = planted.markers.planted
    all_texts = "\n".join(markers)
    in_others = {text for text in markers if all_texts.count(text) > 1}
    hidden = [
        (text, _another(text, text in in_others))
        for text, marker in markers.items()
        if level not in marker.levels and marker.place not in KEPT
        if text.isalpha() or text.startswith("+")  # of mail addresses and secrets, the marker in them
    ]
    with outside(url) as connection:
        for table, column in (("data_entries", "data"), ("endpoints", "schema")):
            for row in run(connection, f"SELECT id, {column} FROM {table}").mappings().all():
                stored = str(row[column])
                for text, other in hidden:
                    stored = stored.replace(text, other)
                run(connection, f"UPDATE {table} SET {column} = ? WHERE id = ?", stored, row["id"])
        for table, column in (("users", "full_name"), ("api_keys", "name")):
            run(connection, f"UPDATE {table} SET {column} = {column} || ' and more'")
        gone = planted.people[GONE].id
        run(connection, "UPDATE users SET username = username || '2' WHERE id = ?", gone)
        ideas = run(connection, "SELECT id FROM endpoints WHERE name = 'ideas'").scalar_one()
        for visibility, is_active, owner in (
            ("private", 1, OPEN), ("public", 0, OPEN), ("public", 1, GONE), ("private", 1, OTHER),
        ):  # fmt: skip
            _add_hidden(connection, ideas, is_active, planted.people[owner].id, visibility)
        # A person's own kind is theirs to see: of who asks here, nobody gets one.
        for number, owner in enumerate((OPEN, GONE, next(iter(VARIANTS)))):
            user_id = planted.people[owner].id
            run(
                connection,
                "INSERT INTO endpoints (id, name, short_name, user_id, is_public, is_active, schema, title)"
                " VALUES (?, ?, ?, ?, ?, 1, '{}', 'another hidden one')",
                *(9_000 + number, f"recipes@{user_id}", "recipes", user_id, int(owner == GONE)),
            )
            _add_hidden(connection, 9_000 + number, 1, user_id, "public")
    return len(hidden)


def _add_hidden(connection: Connection, endpoint: int, is_active: int, owner: int, visibility: str) -> None:
    values = (endpoint, json.dumps({"content": "another hidden one"}), is_active, owner, visibility)
    run(
        connection,
        "INSERT INTO data_entries (id, endpoint_id, data, is_active, created_by_id, visibility)"
        " VALUES ((SELECT max(id) + 1 FROM data_entries), ?, ?, ?, ?, ?)",
        *values,
    )


def _another(text: str, is_part: bool) -> str:
    if text.startswith("+"):
        return ELSEWHERE
    return text[::-1] if is_part else text[::-1] + "xyz"


def is_page(target: str) -> bool:
    """Whether a browser gets a page there, of which the JSON is what other addresses answer."""
    return target == "/" or target.startswith("/@")


async def everything(settings: Settings, planted: Planted, level: str) -> dict[str, bytes]:
    """What strangers, assistants and, where nothing more is open, others are answered at every address."""
    application = create_app(settings)
    # As much is left of a limit as there was of time, which stands still here.
    limits = replace(settings, rate_limit_network=10**6, rate_limit_person=10**6, rate_limit_writes=10**6)
    application.server.rate_limits = RateLimits(limits, clock=lambda: 0.0)
    # A PDF is packed, and takes a process: what it is made of is compared.
    application.server.pdfs.pdf_of = lambda html, styles: (html + "".join(styles).encode(), 1)  # type: ignore[method-assign]
    walk = Crawl(application, planted, "public_full")
    asking = {"a stranger": {}, "an assistant": ASSISTANT}
    if level == "public_full":
        asking["someone else's key"] = planted.headers[f"{OTHER}'s key that reads"]
        asking["an admin's key"] = planted.headers[f"{ADMIN}'s key that reads"]
    found: dict[str, bytes] = {}
    with served(application.server):
        described = json.loads((await ask(application, "GET", "/openapi.json")).body)["paths"]
        for path, methods in described.items():
            for method in (each.upper() for each in methods):
                if f"{method} {path}" in LEFT_OUT or (path in OF_ITS_OWN_LEVEL and level != "public_full"):
                    continue
                for target in list(walk._targets(path))[:: 1 if method == "GET" else 9]:
                    asked = at_level(target, level) if has_levels(path) and method == "GET" else target
                    for who, headers in asking.items():
                        body: object = None if method == "GET" else {}
                        form = BROWSER if is_page(asked) else {}
                        answer = await ask(application, method, asked, {**headers, **form, **FIXED}, body)
                        runs = asked in ("/health", "/health/ready")
                        whole = RUNNING_TIME.sub(b"", answer.whole) if runs else answer.whole
                        found[f"{who}: {method} {asked}"] = b"%d\n" % answer.status + whole
    return found


@pytest.mark.timeout(900)  # two whole crawls, PDFs with them; on a busy machine a server takes its time
@pytest.mark.parametrize("level", NAMES)
def test_what_is_hidden_at_a_level_changes_no_byte_there(
    planted: PlantedPlace,
    databases: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    level: str,
) -> None:
    now = clock.now()
    monkeypatch.setattr(clock, "now", lambda: now)
    answers = []
    for name in ("one", "other"):
        settings = planted.copied(databases, tmp_path / name)
        if name == "other":
            assert change_what_is_hidden(settings.database_url, planted.there, level) > 100
        answers.append(asyncio.run(everything(settings, planted.there, level)))
    one, other = answers
    assert list(one) == list(other)
    assert len(one) > 200
    for shown in ("preview.png", "resume.pdf"):  # of one person at least
        assert any(shown in asked and answer.startswith(b"200") for asked, answer in one.items())
    assert [asked for asked in one if one[asked] != other[asked]] == []
