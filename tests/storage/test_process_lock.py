"""Does the fence keep servers and operators apart, between real processes, and does death open it?"""

from __future__ import annotations

import contextlib
import os
import re
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from app.errors import Busy, Refused
from app.storage.process_lock import ProcessLock
from tests.storage.conftest import StartProcess
from tests.upgrade.places import as_nobody, open_folder

SERVER = """
    import sys, time
    from pathlib import Path
    from app.storage.process_lock import ProcessLock
    fence = ProcessLock(Path(sys.argv[1]))
    while True:
        fence.serve(30)
        print("serving", flush=True)
        while not fence.wanted():
            time.sleep(0.01)
        print("wanted", flush=True)
        if sys.argv[2] == "stubborn":
            time.sleep(60)
        fence.yield_()
        print("yielded", flush=True)
"""
OPERATOR = """
    import sys
    from pathlib import Path
    from app.storage.process_lock import ProcessLock
    with ProcessLock(Path(sys.argv[1])).exclusive(30):
        print("alone", flush=True)
        input()
    print("done", flush=True)
"""


@pytest.fixture
def path(folder: Path) -> Path:
    return folder / "daemon.db"


def serving(process_lock: ProcessLock) -> bool:
    return process_lock._served is not None


def until(condition: Callable[[], bool]) -> None:
    ends = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < ends, "it never came about"
        time.sleep(0.01)


def test_servers_share(path: Path, other_process: StartProcess) -> None:
    process_lock = ProcessLock(path)
    assert not serving(process_lock)
    assert list(path.parent.iterdir()) == []
    process_lock.serve()
    assert serving(process_lock)
    assert other_process(SERVER, path, "polite").hears() == "serving"
    process_lock.yield_()
    process_lock.yield_()
    assert not serving(process_lock)


def test_a_server_yields_and_goes_on_afterwards(path: Path, other_process: StartProcess) -> None:
    server = other_process(SERVER, path, "polite")
    assert server.hears() == "serving"
    with ProcessLock(path).exclusive(30):
        assert server.hears() == "wanted"
        assert server.hears() == "yielded"
        with pytest.raises(Busy, match="at work"):
            ProcessLock(path).serve()
    assert server.hears() == "serving"


def test_a_stubborn_server_is_named_and_nothing_is_taken(path: Path, other_process: StartProcess) -> None:
    server = other_process(SERVER, path, "stubborn")
    server.hears()
    with (
        pytest.raises(Busy, match="does not let go of it; nothing was changed") as refused,
        ProcessLock(path).exclusive(0.2),
    ):
        raise AssertionError
    holders = refused.value.details["holders"]
    assert isinstance(holders, list)
    assert re.fullmatch(r"process \d+ of \w+: .*python.*", holders[0])
    assert not ProcessLock(path).wanted()


def test_operators_queue(path: Path, other_process: StartProcess) -> None:
    first = other_process(OPERATOR, path)
    assert first.hears() == "alone"
    assert ProcessLock(path).wanted()
    with pytest.raises(Busy, match="Another upgrade or restore"), ProcessLock(path).exclusive(0.1):
        raise AssertionError
    second = other_process(OPERATOR, path)
    first.tell()
    assert first.hears() == "done"
    assert second.hears() == "alone"


@pytest.mark.parametrize("program", [SERVER, OPERATOR])
def test_death_opens_the_fence(path: Path, other_process: StartProcess, program: str) -> None:
    holder = other_process(program, path, "stubborn")
    holder.hears()
    holder.kill()
    with ProcessLock(path).exclusive(0):
        pass
    ProcessLock(path).serve()


def test_an_operator_killed_in_the_queue_leaves_nothing(path: Path, other_process: StartProcess) -> None:
    server = other_process(SERVER, path, "stubborn")
    server.hears()
    waiting = other_process(OPERATOR, path)
    assert server.hears() == "wanted"
    waiting.kill()
    until(lambda: not ProcessLock(path).wanted())


def test_an_error_inside_lets_go(path: Path) -> None:
    with pytest.raises(ZeroDivisionError), ProcessLock(path).exclusive(0):
        raise ZeroDivisionError
    with ProcessLock(path).exclusive(0):
        pass


def test_a_server_that_waits_gets_it_when_the_operator_ends(path: Path) -> None:
    process_lock = ProcessLock(path)
    with ProcessLock(path).exclusive(0):
        server = threading.Thread(target=process_lock.serve, args=(30,))
        server.start()
        assert not serving(process_lock)
    server.join()
    assert serving(process_lock)
    process_lock.yield_()


def test_who_serves_cannot_take_it_alone(path: Path) -> None:
    process_lock = ProcessLock(path)
    process_lock.serve()
    with pytest.raises(RuntimeError, match="must yield"), process_lock.exclusive(0):
        raise AssertionError
    process_lock.yield_()


def test_the_files_hold_nothing_and_stay(path: Path) -> None:
    with ProcessLock(path).exclusive(0):
        pass
    files = {file.name: (file.stat().st_size, file.stat().st_mode & 0o777) for file in path.parent.iterdir()}
    assert files == {"daemon.db.lock": (0, 0o600), "daemon.db.wanted": (0, 0o600)}


def modes(path: Path) -> dict[str, int]:
    files = (path.with_name(path.name + ending) for ending in (".lock", ".wanted"))
    return {file.suffix: file.stat().st_mode & 0o777 for file in files}


@pytest.mark.parametrize(
    ("of_the_database", "expected"), [(0o600, 0o600), (0o640, 0o600), (0o644, 0o600), (0o660, 0o660)]
)
def test_the_group_may_use_them_where_it_may_write_the_database(
    path: Path, of_the_database: int, expected: int
) -> None:
    path.touch()
    path.chmod(of_the_database)
    before = os.umask(0o077)
    try:
        with ProcessLock(path).exclusive(0):
            pass
    finally:
        os.umask(before)
    assert modes(path) == {".lock": expected, ".wanted": expected}


def test_what_an_older_version_left_is_mended_at_the_start(path: Path) -> None:
    path.touch(0o600)
    for ending in (".lock", ".wanted"):
        path.with_name(path.name + ending).touch(0o644)
    process_lock = ProcessLock(path)
    process_lock.serve()
    process_lock.yield_()
    assert modes(path) == {".lock": 0o600, ".wanted": 0o600}


@pytest.mark.needs("root")
def test_root_gives_them_to_whom_the_database_belongs(path: Path) -> None:
    path.touch()
    os.chown(path, 12345, 54321)
    for ending in (".lock", ".wanted"):
        path.with_name(path.name + ending).touch(0o600)
    with ProcessLock(path).exclusive(0):
        pass
    assert {(file.stat().st_uid, file.stat().st_gid) for file in path.parent.iterdir()} == {(12345, 54321)}


@pytest.mark.needs("root")
@pytest.mark.parametrize("trap", ["link", "hard link", "content"])
def test_root_gives_away_nothing_but_lock_files(path: Path, tmp_path: Path, trap: str) -> None:
    path.touch()
    os.chown(path, 12345, 12345)
    precious, name = tmp_path / "precious", path.with_name(path.name + ".wanted")
    precious.touch(0o644)
    if trap == "link":
        name.symlink_to(precious)
    elif trap == "hard link":
        name.hardlink_to(precious)
    else:
        precious = name
        name.write_text("not a lock")
    with contextlib.suppress(Refused), ProcessLock(path).exclusive(0):
        pass
    assert precious.stat().st_uid == 0


@pytest.mark.needs("root")
def test_an_account_that_may_only_read_is_told_too() -> None:
    with open_folder() as folder:
        path = folder / "daemon.db"
        path.touch()
        with ProcessLock(path).exclusive(0):
            assert as_nobody(lambda: ProcessLock(path).wanted()) is True
        assert as_nobody(lambda: ProcessLock(path).wanted()) is False


def test_one_fence_whatever_the_database_is_called(path: Path, tmp_path: Path) -> None:
    path.touch()
    link = tmp_path / "link.db"
    link.symlink_to(path)
    with ProcessLock(path).exclusive(0):
        assert ProcessLock(link).wanted()


@pytest.mark.needs("root")
def test_made_by_root_they_belong_to_the_folders_owner(path: Path) -> None:
    os.chown(path.parent, 65534, 65534)
    with ProcessLock(path).exclusive(0):
        pass
    assert {(file.stat().st_uid, file.stat().st_gid) for file in path.parent.iterdir()} == {(65534, 65534)}


def test_where_no_file_can_be_made(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be opened"):
        ProcessLock(tmp_path / "none" / "daemon.db").serve()
