"""Does the owner come in whatever others try, and are her neighbours never locked out by one of them?"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from app.accounts.throttle import LoginThrottle
from app.settings import Settings
from tests.web.conftest import PASSWORD, Site

PROXY = "192.0.2.1"  # from where the client of these tests asks


class Times:
    """A clock that goes on only while someone waits, and how long each waited."""

    def __init__(self) -> None:
        self.now = 0.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        self.waits.append(seconds)


Start = Callable[[], Site]


@pytest.fixture
def times() -> Times:
    return Times()


@pytest.fixture
def start(serve: Callable[..., Site], settings: Settings, times: Times) -> Start:
    """`start()`: the installation, behind a proxy that is trusted; again: after a restart."""
    trusting = replace(settings, trusted_proxies=(f"{PROXY}/32",))

    def begin() -> Site:
        site = serve(trusting)
        site.app.server.throttle, site.app.server.sleep = LoginThrottle(times), times.sleep
        return site

    return begin


def log_in(site: Site, name: str, password: str, client: str) -> int:
    form = {"username": name, "password": password}
    return site.client.post("/auth/login", data=form, headers={"X-Forwarded-For": client}).status_code


def people(site: Site) -> None:
    site.add_user("ann", is_admin=True)
    site.add_user("ben")


ELSEWHERE = {
    "one network": lambda _: "198.51.100.7",
    "many networks": lambda n: f"198.51.{n}.7",
    "one network of six": lambda n: f"2001:db8::{n:x}",
    "many networks of six": lambda n: f"[2001:db8:0:{n:x}::1]:4444",
    "many ports": lambda n: f"198.51.100.7:{1024 + n}",
}


@pytest.mark.parametrize("elsewhere", ELSEWHERE.values(), ids=ELSEWHERE)
@pytest.mark.parametrize("home", ["203.0.113.50", "203.0.113.50:5555", "2001:db8:ffff::5"])
def test_the_owner_comes_in_from_home_after_a_restart_whatever_was_tried(
    start: Start, times: Times, home: str, elsewhere: Callable[[int], str]
) -> None:
    before = start()
    people(before)
    assert log_in(before, "ann", PASSWORD, home) == 200
    site = start()
    for number in range(60):
        assert log_in(site, "ann", "wrong", elsewhere(number)) in (401, 429)
    times.waits.clear()
    assert log_in(site, "ann", PASSWORD, home) == 200
    assert sum(times.waits) == 0  # not even slowed


@pytest.mark.parametrize(
    "tried", [["ann"], ["nobody"], [f"nobody{n}" for n in range(40)], ["ann", "ben", "eve"]]
)
def test_one_that_guesses_locks_no_other_of_its_address_out(
    start: Start, times: Times, tried: list[str]
) -> None:
    site = start()
    people(site)
    site.add_user("cara")
    for number in range(40):
        log_in(site, tried[number % len(tried)], "wrong", "198.51.100.7")
    for name in ("cara", "ben", "ann"):
        times.waits.clear()
        assert log_in(site, name, PASSWORD, "198.51.100.7") == 200
        assert sum(times.waits) <= 10
    assert log_in(site, "ben", PASSWORD, "203.0.113.9") == 200


def test_many_at_once_from_one_address_lock_nobody_of_it_out(start: Start) -> None:
    site = start()
    people(site)
    assert log_in(site, "ann", PASSWORD, "198.51.100.7") == 200
    guesses = [
        threading.Thread(target=log_in, args=(site, f"name{n}", "wrong", "198.51.100.7")) for n in range(30)
    ]
    for guess in guesses:
        guess.start()
    assert log_in(site, "ann", PASSWORD, "198.51.100.7") == 200
    for guess in guesses:
        guess.join()
    assert log_in(site, "ben", PASSWORD, "198.51.100.7") == 200


def test_one_who_guesses_in_the_owners_own_network_slows_her_and_no_more(start: Start, times: Times) -> None:
    site = start()
    people(site)
    assert log_in(site, "ann", PASSWORD, "198.51.100.7") == 200
    answers = [log_in(site, "ann", "wrong", "198.51.100.7") for _ in range(100)]
    assert answers == [401] * 10 + [429] * 90
    assert times.now > 300  # what guessing costs
    times.waits.clear()
    assert log_in(site, "ann", PASSWORD, "198.51.100.7") == 200
    assert sum(times.waits) <= 5


def test_an_attack_from_everywhere_slows_a_login_from_a_new_place(start: Start, times: Times) -> None:
    site = start()
    people(site)
    for number in range(40):
        log_in(site, "ann", "wrong", f"198.51.{number}.7")
    assert log_in(site, "ann", PASSWORD, "203.0.113.50") == 200
    assert times.waits[-1] == pytest.approx(5)
    assert log_in(site, "ben", PASSWORD, "203.0.113.50") == 200


def test_who_waits_for_a_turn_holds_no_room_for_bodies(start: Start) -> None:
    site = start()
    people(site)
    held: list[int] = []

    async def sleep(_seconds: float) -> None:
        held.append(site.app.server.bodies.anonymous.held_bytes)

    site.app.server.sleep = sleep
    log_in(site, "ann", "x" * 60_000, "198.51.100.7")
    assert held == [0, 0]  # before it is looked at, and before the refusal


def test_where_somebody_came_in_from_is_stored_with_the_login(start: Start) -> None:
    site = start()
    people(site)
    for _ in range(2):
        assert log_in(site, "ann", PASSWORD, "198.51.100.7:123") == 200
    assert log_in(site, "ann", "wrong", "198.51.100.8") == 401
    with site.writing() as connection:
        rows = connection.exec_driver_sql("SELECT user_id, network FROM login_places").all()
    assert [row[0] for row in rows] == [site.user("ann").id]
    assert "198" not in rows[0][1][:3]


# -- a proxy that no one named


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Proto"])
@pytest.mark.parametrize("path", ["/health/live", "/api/v1/ideas", "/nothing"])
def test_a_proxy_that_is_not_trusted_is_told_at_once_and_once(site: Site, name: str, path: str) -> None:
    for _ in range(3):
        site.client.get(path, headers={name: "198.51.100.7"})
    logged = (site.settings.log_dir / "server.log").read_text()
    assert logged.count("TRUSTED_PROXIES") == logged.count(f"TRUSTED_PROXIES={PROXY}") * 2 == 2


def test_a_proxy_that_is_trusted_is_no_news(start: Start) -> None:
    site = start()
    people(site)
    log_in(site, "ann", PASSWORD, "198.51.100.7")
    assert "TRUSTED_PROXIES" not in (site.settings.log_dir / "server.log").read_text()
    assert not site.settings.proxies_path.exists()


def test_a_start_tells_what_was_seen_before(
    serve: Callable[..., Site], settings: Settings, site: Site
) -> None:
    site.client.get("/", headers={"X-Forwarded-For": "198.51.100.7"})
    log_file = settings.log_dir / "server.log"
    log_file.write_text("")
    serve(settings)
    assert f"TRUSTED_PROXIES={PROXY}" in log_file.read_text()


def test_strangers_cannot_fill_log_or_notes(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.server import untrusted_proxies

    monkeypatch.setattr(untrusted_proxies, "PROXIES_COUNT", 10)
    for number in range(50):
        for peer in (f"8.8.8.{number}", f"10.0.0.{number % 3}"):
            site.client._transport.client = (peer, 1)  # type: ignore[attr-defined]
            site.client.get("/health/live", headers={"X-Forwarded-For": "1.1.1.1"})
    noted = site.settings.proxies_path.read_text()
    assert all(f"10.0.0.{number} " in noted for number in range(3))
    assert len(noted.splitlines()) <= 8
    assert site.settings.proxies_path.stat().st_mode & 0o777 == 0o600
