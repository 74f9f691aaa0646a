"""What does a request cost beside an older version? Lists, an entry, and what is written.

python benchmarks/versions.py CHECKOUT [--rounds N] [--seconds N] [--entries N]

CHECKOUT is a folder with another commit of this repository (`git worktree add CHECKOUT COMMIT`), which runs
under this Python. Needs wrk. Processor time of the server for each request: both are there at once and
take turns, and what counts is the median of the pairs.
"""

from __future__ import annotations

import argparse
import compileall
import json
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from measure import TOP
from peers import Peer, after_commits, asked, daemon, idea, posting, renewing

Cost = Callable[[Peer, int], float]


def owners(path: str, method: str = "GET", body: object = None) -> Callable[[Peer], str]:
    """The script of wrk by which ann asks the same again and again."""

    def script(peer: Peer) -> str:
        sent = "" if body is None else f"wrk.body = [[{json.dumps(body)}]]\n"
        headers = {**peer.headers, "Content-Type": "application/json"}
        said = "".join(f'wrk.headers["{name}"] = "{value}"\n' for name, value in headers.items())
        return f'wrk.method = "{method}"\nwrk.path = "{path.format(peer.first_id)}"\n{sent}{said}'

    return script


def loaded(connections: int, script: Callable[[Peer], str]) -> Cost:
    return lambda peer, seconds: peer.load(connections, seconds, script(peer))["us"]


ROWS: dict[str, Cost] = {
    "list of 50, every address new, 4": loaded(4, renewing),
    "list of 50 right after a commit": lambda peer, _seconds: after_commits(peer),
    "an owner's list of 50, 4": loaded(4, owners("/api/v1/ideas?limit=50")),
    "an owner's entry, 4": loaded(4, owners("/api/v1/ideas/{}")),
    "POST of 200 characters, 1": loaded(1, posting),
    "POST of 200 characters, 8": loaded(8, posting),
    "POST of 200 characters, 32": loaded(32, posting),
    "PUT, 1": loaded(1, owners("/api/v1/ideas/{}", "PUT", idea(7, 200))),
    "PATCH, 8": loaded(8, owners("/api/v1/ideas/{}", "PATCH", {"content": "another"})),
}


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("checkout", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=1)
    parser.add_argument("--entries", type=int, default=1_500)
    wanted = parser.parse_args()
    compileall.compile_dir(wanted.checkout / "app", quiet=1)
    with tempfile.TemporaryDirectory() as name:
        running: list[Peer] = []
        try:
            for top in (wanted.checkout.resolve(), TOP):
                folder = Path(name) / str(len(running))
                folder.mkdir()
                running.append(daemon(folder, wanted.entries, top=top))
                running[-1].first_id = asked(running[-1], "GET", "/api/v1/ideas?limit=1")["items"][0]["id"]
            for what, cost in ROWS.items():
                tell(what, [[cost(peer, wanted.seconds) for peer in running] for _ in range(wanted.rounds)])
        finally:
            for peer in running:
                peer.process.terminate()
                peer.process.wait(30)
    return 0


def tell(what: str, pairs: list[list[float]]) -> None:
    before, now = (statistics.median(each) for each in zip(*pairs, strict=True))
    times = statistics.median(pair[1] / pair[0] for pair in pairs)
    print(f"{what:36} {before:6.0f} us, now {now:6.0f} us: {times:.2f}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
