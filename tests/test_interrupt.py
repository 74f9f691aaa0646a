"""Does a signal stop what can be stopped, where it can, and nothing else?"""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from app import interrupt
from app.errors import Failed
from app.interrupt import Interrupted, interruptible, last_moment, stop_if_asked
from app.storage.sqlite.connect import stoppable

ROOT = Path(__file__).resolve().parents[1]


def ask(number: signal.Signals = signal.SIGTERM) -> None:
    os.kill(os.getpid(), number)


def is_stopped(*acts: Callable[[], object]) -> bool:
    """Whether doing all of this as interruptible work ends before the end."""
    try:
        with interruptible():
            for act in acts:
                act()
    except Interrupted:
        return True
    return False


@pytest.mark.parametrize("number", interrupt.STOPPING)
def test_it_stops_where_the_work_asks_and_nowhere_else(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    done: list[str] = []
    assert is_stopped(
        lambda: ask(number),
        lambda: done.append("the part that was begun"),
        stop_if_asked,
        lambda: done.append("the next one"),
    )
    assert done == ["the part that was begun"]
    assert signal.getsignal(number) == before


def test_after_the_last_moment_nothing_stops_it() -> None:
    assert not is_stopped(last_moment, ask, stop_if_asked, last_moment)


def test_the_last_moment_is_one_to_stop_at() -> None:
    assert is_stopped(ask, last_moment)


def test_asked_twice_it_takes_back_in_peace() -> None:
    taken_back = []

    def work() -> None:
        try:
            ask()
            stop_if_asked()
        finally:
            ask(signal.SIGINT)
            stop_if_asked()
            taken_back.append("all")

    assert is_stopped(work)
    assert taken_back == ["all"]


def test_a_part_of_larger_work_does_not_end_what_can_be_stopped() -> None:
    assert is_stopped(lambda: is_stopped(), ask, stop_if_asked)


def test_what_breaks_because_of_it_is_it() -> None:
    def broken() -> None:
        raise Failed("A statement was broken off.")

    assert is_stopped(ask, broken)
    with pytest.raises(Failed):
        is_stopped(broken)


def test_another_thread_is_never_stopped() -> None:
    stopped = []
    thread = threading.Thread(target=lambda: stopped.append(is_stopped(stop_if_asked)))
    assert is_stopped(ask, thread.start, thread.join, stop_if_asked)
    assert stopped == [False]


def test_a_long_statement_is_broken_off() -> None:
    endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    with closing(sqlite3.connect(":memory:")) as connection:
        stoppable(connection)
        timer = threading.Timer(0.05, ask)
        assert is_stopped(timer.start, lambda: connection.execute(endless))


def test_a_command_that_looks_stops_at_once(listening: None) -> None:
    with pytest.raises(Interrupted):
        signal.raise_signal(signal.SIGTERM)


def test_when_the_work_is_done_the_rest_of_the_process_is_deaf(listening: None) -> None:
    assert not is_stopped()
    ask()
    assert not is_stopped(stop_if_asked)


def test_where_python_swallowed_it_the_work_stops_all_the_same(listening: None) -> None:
    class Tidied:
        def __del__(self) -> None:
            ask()
            signal.sigpending()

    thing = Tidied()
    del thing
    assert is_stopped(stop_if_asked)


def test_what_is_ignored_stays_ignored(listening: None) -> None:
    """As `nohup` wants it."""
    code = (
        "import os, signal; from app import interrupt; interrupt.listen(); os.kill(os.getpid(), 1);"
        "interrupt.turn_deaf(); [os.kill(os.getpid(), number) for number in (1, 2, 15)]"
    )
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0
