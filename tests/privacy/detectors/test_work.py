"""Does the work of a search grow with the length of a text, and not with its square? Is it little for all?

Calls of functions are counted, of Python's and of C's, which no other process changes. A pattern that goes
back and forth is one call, so the time is looked at too, where a pattern does the work: the smallest of
several ratios.
"""

from __future__ import annotations

import string
import sys
import time
from random import Random
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.privacy.detectors import in_runs, internet, phone_plan
from app.privacy.detectors.search import find

HARD = (
    *("1", "1 ", "4111 ", "078 05 1120 ", "0171 234 567 ", "+49 30 1234567 ", "@", "a@b.co ", "a.", ":"),
    *("1.2.3.4 ", "AT12 ", "password=", "://a:b@", "-----BEGIN PRIVATE KEY-----", "eyJ", "sk-", "A1", "::1 "),
    *("born 12.03.1984 ", "calle a 1 ", "home 12 Ab Ac ", "home 52.5200, 13.4050 ", "curl -u a "),
    *("login a password ", "(at) a (dot) ", "00:1A:2B:3C:4D:5E ", "token: a1 ", "Tel 030 1234567 "),
    *("\u00a0\uff14", "a\u200b", "PuTTY-User-Key-File-2", "mysql a ", "key ", "PESEL 44051401359 ", "/1/"),
)  # fmt: skip
# Calls for 1,000 characters: what the worst texts known take, and a quarter more.
MOST_CALLS = 30_000


def calls(text: str) -> int:
    """How many functions a first search of a text calls; nothing is remembered from an earlier one."""
    find(text)  # reads data files and makes patterns
    for remembered in (in_runs.remembered, phone_plan.fits, internet.is_ipv6):
        remembered.cache_clear()
    count = 0

    def on_event(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(on_event)
    try:
        find(text)
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize("piece", HARD)
def test_eight_times_the_text_takes_eight_times_the_calls(piece: str) -> None:
    once, eight_times = piece * (600 // len(piece)), piece * (4800 // len(piece))
    assert calls(eight_times) <= 10 * calls(once) + 100


@settings(max_examples=60, derandomize=True)
@given(piece=st.text(alphabet='0123456789.-+/: @aAhomeTlpsw=\n"', min_size=1, max_size=12))
def test_no_text_takes_more_calls_than_the_worst_known(piece: str) -> None:
    assert calls((piece * 1000)[:1000]) <= MOST_CALLS


def test_random_numbers_after_labels_take_no_more_either() -> None:
    random = Random(4)
    for form in (
        "Tel 0#0 #######\n",
        "call ###-###-####, ",
        "PESEL ########### ",
        "#### ",
        "# ",
        "IBAN DE## #### ",
    ):
        text = "".join(random.choice(string.digits) if char == "#" else char for char in form * 80)
        assert calls(text[:1000]) <= MOST_CALLS


BY_PATTERNS = (
    *("a", "a.", "-----BEGIN PRIVATE KEY-----", "eyJ", "://a:b@", "password=", "curl -u a ", "calle a 1 "),
    *("Aa1 ", "PuTTY-User-Key-File-2", "T:WPA;", "1,234; ", "key='a' value=", "a\u200b"),
)


@pytest.mark.parametrize("piece", BY_PATTERNS)
def test_eight_times_the_text_takes_about_eight_times_the_time(piece: str) -> None:
    once, eight_times = piece * (1500 // len(piece)), piece * (12000 // len(piece))
    find(once)
    ratios = []
    for _ in range(4):
        begin = time.process_time_ns()
        for _ in range(8):
            find(once)
        middle = time.process_time_ns()
        find(eight_times)
        ratios.append((time.process_time_ns() - middle) / max(1, middle - begin))
    assert min(ratios) < 3
