"""Every call that changes a file, hit by every fault: what is there afterwards?

python -m tests.faults.sweep [OPERATION ...] [--every N] sweeps and prints a table; the tests sweep a sample.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.operations import DATABASE, OPERATIONS, Rows, look
from tests.faults.victim import CALLS

TOP = Path(__file__).resolve().parents[2]
FAULTS = {"KILL": "signal=KILL", "EIO": "error=EIO", "ENOSPC": "error=ENOSPC"}
DONE_WORDS = re.compile(r"\b(done|restored|created|upgraded)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Point:
    """The n-th call of one name, and what happens to it."""

    call: str
    number: int
    fault: str

    @property
    def inject(self) -> list[str]:
        return ["-e", f"inject={self.call}:{FAULTS[self.fault]}:when={self.number}"]


@dataclass
class Findings:
    """What a sweep saw: how often each state, and every point that must not be as it was."""

    operation: str
    states: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    points: int = 0


class Sweep:
    """One operation, its prepared folder, and a victim process that stays for all points."""

    def __init__(self, operation: str, work: Path) -> None:
        self.operation = OPERATIONS[operation]
        self.work = work
        self.template = work / "template"
        self.template.mkdir(parents=True)
        self.prepare()
        self.before: Rows = look(self.template / DATABASE)
        self.victim = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.victim"],
            cwd=TOP,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def prepare(self) -> None:
        """In a process of its own, because it changes the working directory and the settings."""
        code = (
            "from pathlib import Path; from tests.faults.operations import *; import sys;"
            "enter(Path(sys.argv[2])); OPERATIONS[sys.argv[1]].prepare()"
        )
        subprocess.run(
            [sys.executable, "-c", code, self.operation.name, str(self.template)],
            env={"PYTHONPATH": str(TOP), "PATH": "/usr/bin:/bin"},
            check=True,
            capture_output=True,
        )

    def close(self) -> None:
        assert self.victim.stdin is not None
        self.victim.stdin.close()
        self.victim.wait(timeout=30)
        assert self.victim.stdout is not None
        self.victim.stdout.close()

    def strike(self, folder: Path, inject: list[str]) -> tuple[int, bool]:
        """Act once in the folder; return exit status (negative: the signal) and whether the fault fired."""
        assert self.victim.stdin is not None
        assert self.victim.stdout is not None
        request = {
            "operation": self.operation.name,
            "folder": str(folder),
            "inject": inject,
            "log": str(self.work / "strace.log"),
        }
        self.victim.stdin.write(json.dumps(request) + "\n")
        self.victim.stdin.flush()
        answer = json.loads(self.victim.stdout.readline())
        return int(answer["status"]), bool(answer["fired"])

    def fresh(self) -> Path:
        folder = self.work / "point"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(self.template, folder)
        return folder

    def points(self) -> list[Point]:
        """Count the calls of one undisturbed run; every call and every fault is a point."""
        folder = self.fresh()
        status, _ = self.strike(folder, [])
        state = self.operation.judge(folder, self.before)
        if (status, state) != (0, "new"):
            said = (folder / "output.txt").read_text()
            raise AssertionError(f"{self.operation.name} undisturbed: exit {status}, state {state}\n{said}")
        counts = self.count_calls()
        return [
            Point(call, number, fault)
            for fault in FAULTS
            for call in CALLS
            for number in range(1, counts[call] + 1)
        ]

    def count_calls(self) -> Counter[str]:
        """How often each call came in the last run; the tracer counts for each thread by itself."""
        log = (self.work / "strace.log").read_text(errors="replace")
        found = Counter(re.findall(rf"^(\d+) +({'|'.join(CALLS)})\(", log, re.MULTILINE))
        most: Counter[str] = Counter()
        for (_, call), count in found.items():
            most[call] = max(most[call], count)
        return most

    def hit(self, point: Point, findings: Findings) -> None:
        """One point: strike, judge, and act once more, which must end in the new state."""
        folder = self.fresh()
        status, fired = self.strike(folder, point.inject)
        state = self.operation.judge(folder, self.before)
        said = (folder / "output.txt").read_text(errors="replace")
        findings.points += 1
        findings.states[state] += 1
        for fault in self.faults_of(point, status, fired, state, said):
            findings.wrong.append(f"{self.operation.name} {point}: {fault}\n{said[-600:]}")
        if state not in ("old", "new"):
            return
        status, _ = self.strike(folder, [])
        after = self.operation.judge(folder, self.before)
        if (status, after) != (0, "new"):
            said = (folder / "output.txt").read_text(errors="replace")
            findings.wrong.append(
                f"{self.operation.name} {point}: again: exit {status}, {after}\n{said[-600:]}"
            )

    def faults_of(self, point: Point, status: int, fired: bool, state: str, said: str) -> Iterator[str]:
        if not fired and not self.operation.is_server and not self.operation.takes_its_time:
            yield "the fault did not fire"
        if state not in ("old", "new"):
            yield f"third state: {state}"
        if status == 0 and state != "new" and not self.operation.is_server:
            yield f"said success, the state is {state}"
        if state == "old" and DONE_WORDS.search(said):
            yield "said done, the state is old"
        if "Traceback" in said:
            yield "a stack trace"


def sweep(
    operation: str, *, every: int = 1, first: int = 0, least: int = 1, most: int | None = None, work: Path
) -> Findings:
    """Hit every ``every``-th point of an operation, beginning with number ``first``; ``most`` by chance.

    Where those are fewer than ``least`` they are taken closer together.
    """
    running = Sweep(operation, work)
    findings = Findings(operation)
    try:
        points = running.points()
        every = max(1, min(every, len(points) // least))
        points = points[first % every :: every]
        for point in points if most is None else random.sample(points, most):
            running.hit(point, findings)
    finally:
        running.close()
    return findings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("operations", nargs="*", default=list(OPERATIONS))
    parser.add_argument("--every", type=int, default=1, help="take every N-th point")
    asked = parser.parse_args()
    wrong = 0
    for name in asked.operations:
        with tempfile.TemporaryDirectory() as work:
            findings = sweep(name, every=asked.every, work=Path(work) / "sweep")
        print(
            f"{name}: {findings.points} points, {dict(findings.states)}, {len(findings.wrong)} wrong",
            flush=True,
        )
        must_fail = name == "statement-by-statement"
        if must_fail != bool(findings.wrong):
            wrong += 1
        for line in findings.wrong[: 0 if must_fail else 20]:
            print("  " + line.replace("\n", "\n    "))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
