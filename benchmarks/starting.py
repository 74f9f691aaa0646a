"""How soon is it there, and how much does it hold? The gate, `daemon --help`, a ready server, idle memory.

python benchmarks/starting.py [--rounds N]

The figures with a bar in seconds are beside an empty interpreter started in the same round, since the bar was
set on a quiet machine of this size.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from measure import TOP, python
from serving import free_port

GATE = """
import statistics, time
from app.settings import load_settings
from app.storage.registry import storage_for
from app.upgrade.readiness import ask_readiness
settings = load_settings()
storage = storage_for(settings.database_url)
times = []
for _ in range(50):
    began = time.perf_counter()
    gate = ask_readiness(settings, storage)
    times.append(time.perf_counter() - began)
    assert gate.state == "READY", gate
print(statistics.median(times))
"""


def wall(command: list[str], env: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, cwd=TOP, env=env, check=True, capture_output=True)
    return time.perf_counter() - began


def processor_seconds_of(pid: int) -> float:
    """What the process has used so far: on a busy machine this tells more than the clock."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def gate_seconds(env: dict[str, str]) -> float:
    done = subprocess.run(python("-c", GATE), cwd=TOP, env=env, check=True, capture_output=True, text=True)
    return float(done.stdout)


def server_seconds_and_bytes(env: dict[str, str]) -> tuple[float, float, int]:
    """From the start of the process to the first 200 of /health, by the clock and in processor seconds.

    And its resident set two seconds later.
    """
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        python("-m", "app.cli", "serve", "--port", str(port)),
        cwd=TOP,
        env=env,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                    break
            except OSError:
                if time.perf_counter() - began > 30:
                    raise
                time.sleep(0.01)
        ready = time.perf_counter() - began
        used = processor_seconds_of(process.pid)
        time.sleep(2)
        status = Path(f"/proc/{process.pid}/status").read_text()
        (kilobytes,) = (line.split()[1] for line in status.splitlines() if line.startswith("VmRSS"))
        return ready, used, int(kilobytes) * 1024
    finally:
        process.terminate()
        process.wait(timeout=20)


def report(what: str, figures: list[float], bar: float, unit: str) -> None:
    middle = statistics.median(figures)
    verdict = "met" if middle <= bar else "NOT MET"
    spread = f"{min(figures):.3f} to {max(figures):.3f}"
    print(f"{what:28} {middle:8.3f} {unit} ({spread})  bar {bar} {unit}  {verdict}")


def rounds_of(count: int, act: Callable[[], float]) -> list[float]:
    return [act() for _ in range(count)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        env = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{folder}/daemon.db",
            "BACKUP_DIR": f"{folder}/backups",
            "LOG_DIR": f"{folder}/logs",
            "BACKUP_ENABLED": "false",
            **dict.fromkeys(("RATE_LIMIT_NETWORK", "RATE_LIMIT_PERSON", "RATE_LIMIT_WRITES"), "0"),
        }
        subprocess.run(python("-m", "app.cli", "init"), cwd=TOP, env=env, check=True, capture_output=True)
        helping, nothing = [], []
        for _ in range(asked.rounds):
            helping.append(wall(python("-m", "app.cli", "--help"), env))
            nothing.append(wall(python("-c", "pass"), env))
        report("an empty interpreter", nothing, 0.3, "s")
        report("daemon --help", helping, 0.3, "s")
        report("the gate, ready", [1000 * each for each in rounds_of(3, lambda: gate_seconds(env))], 20, "ms")
        served = [server_seconds_and_bytes(env) for _ in range(asked.rounds)]
        report("server ready", [seconds for seconds, _, _ in served], 1.0, "s")
        report("  in processor time", [used for _, used, _ in served], 1.0, "s")
        report("idle memory", [size / 1e6 for _, _, size in served], 80, "MB")


if __name__ == "__main__":
    main()
