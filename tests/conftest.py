"""What may every test use? Settings in a folder of its own, the shared old databases, a mark for tools."""

from __future__ import annotations

import datetime
import gc
import itertools
import os
import shutil
import signal
import sys
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import hypothesis
import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from app import ids, interrupt, log, typed_commands
from app.accounts import passwords
from app.server import lifetime
from app.settings import OLD_NAMES, ROWS, Settings
from tests import pgbouncer, postgresql, postgresql_programs
from tests.databases import (
    Databases,
    PostgreSQLDatabases,
    SQLiteDatabases,
    is_of_another_engine,
    parametrised,
)

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
LEGACY_DATABASES = sorted((SHARED / "legacy").glob("*.db"))
NO_SKIP = os.environ.get("DAEMON_TESTS_NO_SKIP") == "1"
NUMBERS = itertools.count()
Case = TypeVar("Case")
SWEEP_EVERY = int(os.environ.get("DAEMON_TESTS_SWEEP_EVERY", "1"))
CASES_EVERY = int(os.environ.get("DAEMON_TESTS_CASES_EVERY", "1"))
EVERY = int(os.environ.get("DAEMON_TESTS_EVERY", "1"))
SWEEP_ALSO = tuple(os.environ.get("DAEMON_TESTS_SWEEP_ALSO", "").split())  # paths within this folder
# Which cases of a sweep are taken changes from day to day, and is the same in every process of a run.
SWEEP_FIRST = int(os.environ.setdefault("DAEMON_TESTS_SWEEP_FIRST", str(datetime.date.today().toordinal())))

# How long an example takes says more about what else the machine does than about the code.
hypothesis.settings.register_profile(
    "house", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("house")

# What a test may need that is no program of that name, and how it is said that it is missing.
OTHER_NEEDS: dict[str, Callable[[], bool]] = {
    "root": lambda: os.geteuid() == 0,
    "engine": lambda: os.environ.get("DAEMON_CONTAINERS") == "1",
    "postgresql": lambda: postgresql_programs.find_programs() is not None,
}
SPELLED_OUT = {
    "engine": "a container engine (`make containers`)",
    "postgresql": "PostgreSQL (Debian: apt-get install postgresql)",
}

# A hash is made to take its time, and tests log in some thousand times: here it takes none, but where a test
# asks for `costly_hashes`. Real server processes know nothing of this.
COSTLY = passwords._ARGON2, passwords._NOBODYS
passwords._ARGON2 = Argon2Hasher(memory_cost=8, time_cost=1, parallelism=1)
passwords._NOBODYS = passwords.hash_password("a random text that no one kept")


@pytest.fixture(autouse=True)
def _ids_in_turn(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ids that are drawn are 1, 2, 3 of each table in this process, so that a test can name what it writes;
    but where a test asks for `random_ids`. Real server processes know nothing of this."""
    if "random_ids" not in request.fixturenames:
        drawn: defaultdict[str, Iterator[int]] = defaultdict(lambda: itertools.count(1))
        monkeypatch.setattr(ids, "draw", lambda table: next(drawn[table.name]))
        monkeypatch.setattr(ids, "TRIES", 10**6)


@pytest.fixture
def random_ids() -> None:
    """Ids as they are drawn where no test is."""


SettingsIn = Callable[..., Settings]
RATE_LIMITS = ("RATE_LIMIT_NETWORK", "RATE_LIMIT_PERSON", "RATE_LIMIT_WRITES")


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared facts and old databases; a test that asks for it is left out without one."""
    return SHARED


@pytest.fixture
def settings_in() -> SettingsIn:
    """`settings_in(folder, port=1)`: Settings whose database, backups and logs lie in that folder."""

    def make(folder: Path, **changes: Any) -> Settings:
        values: dict[str, Any] = {
            "database_url": f"sqlite:///{folder / 'data' / 'daemon.db'}",
            "backup_dir": folder / "backups",
            "log_dir": folder / "logs",
            **dict.fromkeys(map(str.lower, RATE_LIMITS), 0),
        }
        return Settings(**values | changes)

    return make


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """No setting of the person or machine that runs the tests reaches them.

    Nor do the servers that they start count requests, but where a test is about that.
    """
    known = {*ROWS, *OLD_NAMES, *(alias for row in ROWS.values() for alias in row.aliases)}
    for name in [name for name in os.environ if name.upper() in known]:
        monkeypatch.delenv(name)
    for name in RATE_LIMITS:
        monkeypatch.setenv(name, "0")
    for program in (typed_commands._of_answers, typed_commands._of_logs):
        monkeypatch.setitem(program, "program", typed_commands.WRITTEN)  # as none was started


@pytest.fixture(autouse=True)
def _nothing_is_cleared_away_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """What clears away what is old would commit when it comes to it: tests of that call it themselves."""
    monkeypatch.setattr(lifetime, "LATER_SECONDS", 3600.0)


@pytest.fixture(autouse=True)
def _no_log_left_open() -> Iterator[None]:
    yield
    log.release()


@pytest.fixture
def costly_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords are hashed as a server does it."""
    hasher, nobodys = COSTLY
    monkeypatch.setattr(passwords, "_ARGON2", hasher)
    monkeypatch.setattr(passwords, "_NOBODYS", nobodys)


@pytest.fixture
def listening() -> Iterator[None]:
    """What the process of a command does, taken back at the end."""
    before = {number: signal.getsignal(number) for number in interrupt.STOPPING}
    hook = sys.unraisablehook
    interrupt.listen()
    yield
    interrupt._present = None
    sys.unraisablehook = hook
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def base_of_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def postgresql_server(base_of_run: Path) -> Iterator[postgresql.PostgreSQL]:
    """A server that all processes of this run share; a test that asks for it `needs("postgresql")`."""
    with postgresql.shared_server(base_of_run) as server:
        yield server


@pytest.fixture
def own_postgresql() -> Iterator[postgresql.PostgreSQL]:
    """A server of the test's own, to be stopped and crashed; `needs("postgresql")`."""
    with postgresql.own_server() as server:
        yield server


@pytest.fixture(scope="session")
def engine_name() -> str:
    """The database engine that a test runs on: SQLite, but where `parametrised` gives it another."""
    return "sqlite"


@pytest.fixture(scope="session")
def sqlite_databases(tmp_path_factory: pytest.TempPathFactory) -> SQLiteDatabases:
    """The databases of tests that run on SQLite."""
    return SQLiteDatabases(tmp_path_factory.mktemp("fresh"))


@pytest.fixture(scope="session")
def postgresql_databases(
    postgresql_server: postgresql.PostgreSQL, base_of_run: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[PostgreSQLDatabases]:
    """The databases of tests that run on PostgreSQL."""
    made = PostgreSQLDatabases(postgresql_server, base_of_run, tmp_path_factory.mktemp("fresh"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def lasting_databases(engine_name: str, request: pytest.FixtureRequest) -> Databases:
    """The same for a whole module; what is made is gone with the next test that asks for `databases`."""
    found: Databases = request.getfixturevalue(f"{engine_name}_databases")
    return found


@pytest.fixture
def databases(lasting_databases: Databases) -> Databases:
    """The databases of the engine that the test runs on; see tests.databases."""
    lasting_databases.begin_test()
    return lasting_databases


@pytest.fixture
def postgresql_database(postgresql_server: postgresql.PostgreSQL) -> Iterator[str]:
    """The name of an empty database; `needs("postgresql")`."""
    name = f"test_{os.getpid()}_{next(NUMBERS)}"
    postgresql_server.create(name)
    yield name
    postgresql_server.drop(name)


@pytest.fixture
def pooled_postgresql(postgresql_server: postgresql.PostgreSQL) -> Iterator[postgresql.PostgreSQL]:
    """The shared server behind a PgBouncer in transaction mode; `needs("postgresql", "pgbouncer")`."""
    with pgbouncer.pooled(postgresql_server) as through:
        yield through


def has(tool: str) -> bool:
    """Whether this machine has what a test needs: a program, or something else of OTHER_NEEDS."""
    look = OTHER_NEEDS.get(tool)
    return find_tool(tool) is not None if look is None else look()


def find_tool(name: str) -> str | None:
    """Return where a program is; those of administrators are on few people's PATH."""
    return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


def needs_of(item: pytest.Item) -> list[str]:
    """Return what a test names with `@pytest.mark.needs(...)` and this machine does not have."""
    return [tool for mark in item.iter_markers("needs") for tool in mark.args if not has(tool)]


def pytest_configure(config: pytest.Config) -> None:
    """Hear the signals that tests send, also where the run itself was started to ignore them (`nohup`).

    What is tested finds the programs of the same PostgreSQL as the tests.
    """
    if named := os.environ.get("DAEMON_TESTS_POSTGRESQL"):
        os.environ["PATH"] = f"{named}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, usual)


def pytest_itemcollected(item: pytest.Item) -> None:
    """Whatever needs PostgreSQL is what `make postgresql` runs."""
    if any("postgresql" in mark.args for mark in item.iter_markers("needs")):
        item.add_marker(pytest.mark.postgresql)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let a test run for each of the shared databases, and on each engine, where it stands on those."""
    parametrised(metafunc, ROOT / "tests")
    if "legacy_database" in metafunc.fixturenames:
        names = [path.stem for path in LEGACY_DATABASES]
        metafunc.parametrize("legacy_database", LEGACY_DATABASES, ids=names)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what asks for shared files where there are none; all but a sample, if asked to."""
    asking = set() if LEGACY_DATABASES else {"shared", "legacy_database"}
    beyond = beyond_sample(items)
    left_out = [
        item
        for item in items
        if is_of_another_engine(item)
        or asking & set(getattr(item, "fixturenames", ()))
        or item.nodeid in beyond
    ]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        gone = {item.nodeid for item in left_out}
        items[:] = [item for item in items if item.nodeid not in gone]


def pytest_collection_finish() -> None:
    """Spare each later collection of garbage the walk over ten thousand tests, which stay to the end."""
    gc.collect()
    gc.freeze()


def beyond_sample(items: list[pytest.Item]) -> set[str]:
    """Name what this run need not take: of sweeps, and of the cases of each other test, all but a share.

    With DAEMON_TESTS_EVERY only every so many tests of what is left, others every day.
    """
    swept, cases = [], dict[str, list[str]]()
    for item in items:
        if is_swept(item):
            swept.append(item.nodeid)
        else:
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item.nodeid)
    beyond = set(all_but_every(SWEEP_EVERY, swept, SWEEP_FIRST))
    # Every test is run, at least in one of its cases; of two engines not all of them on the same one.
    for number, names in enumerate(cases.values()):
        beyond.update(all_but_every(min(CASES_EVERY, len(names)), names, SWEEP_FIRST + number))
    taken = [item.nodeid for item in items if item.nodeid not in beyond]
    beyond.update(all_but_every(EVERY, taken, SWEEP_FIRST))
    return beyond


def is_swept(item: pytest.Item) -> bool:
    """Whether a run that takes a sample of sweeps takes one of this, too."""
    return bool(item.get_closest_marker("sweep")) or any(
        (ROOT / "tests" / path) in (item.path, *item.path.parents) for path in SWEEP_ALSO
    )


def all_but_every(every: int, names: list[str], first: int) -> Iterator[str]:
    """Yield what is left out where only every Nth is taken, counted from number ``first``."""
    return (name for at, name in enumerate(names) if (at - first) % every)


def sample(cases: Sequence[Case]) -> Sequence[Case]:
    """Return the cases within one test that this run takes: all, or other ones every day (docs/adding.md)."""
    every = min(CASES_EVERY, len(cases))
    return [case for at, case in enumerate(cases) if (at - SWEEP_FIRST) % every == 0]


def reason_without(tools: list[str]) -> str:
    """Say why a test is skipped that needs these tools."""
    return f"not run here: needs {' and '.join(SPELLED_OUT.get(tool, tool) for tool in tools)}"


@pytest.hookimpl(tryfirst=True)  # before pytest looks at the marks
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, and say so, where a tool that a test names with `@pytest.mark.needs(...)` is missing."""
    if missing := needs_of(item):
        item.add_marker(pytest.mark.skip(reason=reason_without(missing)))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With DAEMON_TESTS_NO_SKIP=1, where everything is installed, a skip is a failure.

    Only what waits for the engine that `make containers` starts may wait; there nothing is excepted.
    """
    report = yield
    if NO_SKIP and report.skipped and needs_of(item) != ["engine"]:
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """The same for a whole file that skips itself."""
    report = yield
    if NO_SKIP and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, Any, Any]:
    """Let no half character of a test's text stop the workers that run tests side by side."""
    return _as_text((yield))


def _as_text(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_as_text(name): _as_text(member) for name, member in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_as_text(member) for member in value)
    return value
