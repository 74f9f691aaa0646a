"""How the benchmarks time: whole processes, by the processor time that the kernel counted, taking turns."""

from __future__ import annotations

import compileall
import os
import statistics
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
compileall.compile_dir(TOP / "app", quiet=1)  # as the image has it, whatever the environment says of bytecode


@dataclass(frozen=True)
class Cost:
    """Processor seconds (user + system) and the largest resident set of one process."""

    cpu_seconds: float
    peak_bytes: int


def run(
    command: Sequence[str],
    *,
    cwd: Path = TOP,
    env: dict[str, str] | None = None,
    allowed: tuple[int, ...] = (0,),
    says_seconds: bool = False,
) -> Cost:
    """Run to the end and count; an exit status that is not allowed is an error.

    With ``says_seconds`` the command prints the processor seconds that count.
    """
    process = subprocess.Popen(
        command,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(TOP), **(env or {})},
        stdout=subprocess.PIPE if says_seconds else subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in allowed:
        raise RuntimeError(f"{' '.join(command)} exited {process.returncode}: {said.decode()[-800:]}")
    seconds = usage.ru_utime + usage.ru_stime
    if process.stdout is not None:
        seconds = float(process.stdout.read())
        process.stdout.close()
    process.stderr.close()
    return Cost(seconds, usage.ru_maxrss * 1024)


def ratio(ours: Callable[[], Cost], theirs: Callable[[], Cost], rounds: int) -> tuple[float, float, float]:
    """Median of the pairwise ratios, and both medians in processor seconds; the two take turns."""
    pairs = [(ours().cpu_seconds, theirs().cpu_seconds) for _ in range(rounds)]
    return (
        statistics.median(a / b for a, b in pairs),
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
    )


def row(what: str, found: tuple[float, float, float], target: float) -> None:
    """Print one line of the table: the ratio, both figures, and whether the target was met."""
    times, ours, theirs = found
    verdict = "met" if times <= target else "NOT MET"
    print(
        f"{what:34} {times:5.2f} x  ({ours:.2f} s / {theirs:.2f} s)  target {target} x  {verdict}", flush=True
    )


def python(*arguments: str) -> list[str]:
    return [sys.executable, *arguments]
