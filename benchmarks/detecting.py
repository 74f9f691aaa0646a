"""Cost of the detectors. How much processor time does a text take, at worst too?

Milliseconds of processor time for texts of 200 and 1,000 characters, and beside it what ten million additions
take here: the figures of a busy or slow machine can be compared by it.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.privacy.detectors.search import find

PROSE = (
    "I build small tools for people who write. In 2019 I moved from Leeds to Portland and joined 12 others; "
    "since then I have mostly worked on search, on storage and on the parts of a product that no one sees. "
)
CONTACT = "Write to ann@home.example or call +49 30 1234567; the card 4111 1111 1111 1111 is old. "
TEXTS = {
    "prose": PROSE,
    "prose with umlauts": PROSE.replace("small", "schöne").replace("people", "Käufer"),
    "contact data in prose": CONTACT + PROSE,
    **{
        f"nothing but {piece!r}": piece
        for piece in (
            *("1", "1 ", "4111 ", "078 05 1120 ", "0171 234 567 ", "+49 30 1234567 ", "Tel 030 1234567 "),
            *("a@b.co ", "::1 ", "1.2.3.4 ", "AT12 ", "password=", "sk-", "eyJ", "://a:b@", "@", "a\u200b"),
            *("00:1A:2B:3C:4D:5E ", "born 12.03.1984 ", "home 52.5200, 13.4050 ", "home 12 Harbour Hill "),
            *("rue a 1 ", "\uff14\uff11 "),
        )
    },
}  # fmt: skip


def milliseconds(text: str) -> float:
    """Processor time of one search: the best of several rounds."""
    best = float("inf")
    for _ in range(9):
        begin = time.process_time_ns()
        for _ in range(20):
            find(text)
        best = min(best, (time.process_time_ns() - begin) / 20)
    return best / 1e6


def additions() -> float:
    begin = time.process_time_ns()
    total = 0
    for number in range(10_000_000):
        total += number
    return (time.process_time_ns() - begin) / 1e6


def main() -> None:
    print(f"ten million additions: {additions():.0f} ms")
    for name, text in TEXTS.items():
        for length in (200, 1000):
            cut = (text * (length // len(text) + 1))[:length]
            find(cut)
            print(f"{milliseconds(cut):7.3f} ms  {length:5} characters  {name}")


if __name__ == "__main__":
    main()
