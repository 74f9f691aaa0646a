"""Cost of the detectors. How much processor time does a text take, at worst too?

Milliseconds of processor time for texts of 200 and 1,000 characters: the first time, each text with other
digits, and again, where what was seen in a window of the text is remembered. Beside it what ten million
additions take here: the figures of a busy or slow machine can be compared by it. At the end the text with the
most work that a search among random ones finds, from a seed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from random import Random

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from app.privacy.detectors import in_runs, internet, phone_plan
from app.privacy.detectors.search import find

PROSE = (
    "I build small tools for people who write. In 2019 I moved from Leeds to Portland and joined 12 others; "
    "since then I have mostly worked on search, on storage and on the parts of a product that no one sees. "
)
CONTACT = "Write to ann#@home.example or call +49 30 1######; the card 4### #### #### #### is old. "
HEAD = "Ann Bee | Leeds | ann#@work.example | +44 7### ###### | https://x.example/a\n201#-202# Copperline. "
# In these, # is another digit each time.
TEXTS = {
    "prose": PROSE,
    "prose with umlauts": PROSE.replace("small", "schöne").replace("people", "Käufer"),
    "contact data in prose": CONTACT + PROSE,
    "head of a resume, prose": HEAD + PROSE,
    **{
        f"nothing but {piece!r}": piece
        for piece in (
            *("#", "# ", "#### ", "4### #### #### #### ", "1## ## 1### ", "0171 ### ### ", "+49 30 1###### "),
            *("Tel 030 1###### ", "call ###-###-####, ", "PESEL ########### ", "a#@b#.co ", "2001:db8::### "),
            *("1#.1#.1#.1# ", "AT## ", "IBAN DE## #### #### #### #### ## ", "password=", "token=a##### "),
            *("sk-", "eyJ", "://a:b@", "@", "a\u200b", "0#:1#:2#:3#:4#:5# ", "born 1#.0#.198# ", "rue a # "),
            *("home 52.####, 13.#### ", "home 12# Harbour Hill ", "\uff14\uff11 "),
        )
    },
}  # fmt: skip
PIECES = (
    *(
        "1",
        "2",
        "0",
        "00",
        "4",
        "+",
        "-",
        ".",
        "/",
        ":",
        " ",
        "@",
        "a",
        "A",
        "tel ",
        "home ",
        "born ",
        "(",
        ")",
    ),
    *(
        "\n",
        "password=",
        "12 ",
        "19",
        "call ",
        "id ",
        "Street ",
        "é",
        "=",
        '"',
        "key",
        "19 01 ",
        "://",
        "eyJ",
    ),
)
ROUNDS = 12


def forget() -> None:
    """Forget what was remembered of earlier texts."""
    for remembered in (in_runs.remembered, phone_plan.fits, internet.is_ipv6):
        remembered.cache_clear()


def texts(form: str, length: int, random: Random) -> list[str]:
    """Return texts of a form and length, each with other digits."""
    row = (form * (length // len(form) + 1))[:length]
    return ["".join([random.choice("0123456789") if c == "#" else c for c in row]) for _ in range(ROUNDS)]


def milliseconds(some: list[str]) -> float:
    """Processor time of a search, on the average of the texts: the best of three."""
    best = float("inf")
    for _ in range(3):
        forget()
        begin = time.process_time_ns()
        for text in some:
            find(text)
        best = min(best, time.process_time_ns() - begin)
    return best / len(some) / 1e6


def again(text: str) -> float:
    """Processor time of a search for a text that was searched before: the best of several rounds."""
    best = float("inf")
    for _ in range(5):
        begin = time.process_time_ns()
        for _ in range(20):
            find(text)
        best = min(best, (time.process_time_ns() - begin) / 20)
    return best / 1e6


def worst(random: Random) -> tuple[float, str]:
    """Return the piece of which 1,000 characters take the longest, of random ones and what comes near."""
    seen = [(0.0, "1")]
    for _ in range(1500):
        piece = "".join(random.choice(PIECES) for _ in range(random.randint(1, 5)))
        near = random.choice(seen)[1]
        at = random.randrange(len(near) + 1)
        for one in (piece, near[:at] + random.choice(PIECES) + near[at:]):
            forget()
            begin = time.process_time_ns()
            find((one * 1000)[:1000])
            seen.append(((time.process_time_ns() - begin) / 1e6, one))
        seen = sorted(seen, reverse=True)[:12]
    return max((milliseconds([(piece * 1000)[:1000]] * 2), piece) for _, piece in seen)


def additions() -> float:
    begin = time.process_time_ns()
    total = 0
    for number in range(10_000_000):
        total += number
    return (time.process_time_ns() - begin) / 1e6


def main() -> None:
    random = Random(7)
    print(f"ten million additions: {additions():.0f} ms")
    for name, form in TEXTS.items():
        for length in (200, 1000):
            some = texts(form, length, random)
            for text in some:
                find(text)
            first = milliseconds(some)
            print(f"{first:7.3f} ms, again {again(some[0]):6.3f} ms  {length:5} characters  {name}")
    took, piece = worst(random)
    print(f"{took:7.3f} ms   1000 characters  the worst found: {piece!r}")


if __name__ == "__main__":
    main()
