"""Is the end of every run told truly? A signal every so often, and a failure at every write of an answer.

python -m tests.faults.ends [WORK ...] [--entries N] [--milliseconds N] [--sample N] does both and prints
counts; the tests take a sample on a small database. Exit status and words are compared with what is there.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app.upgrade.versions.releases import NEWEST
from tests.faults.operations import BACKUPS, DATABASE, RESTORED
from tests.upgrade.old_databases import build

TOP = Path(__file__).resolve().parents[2]
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
MORE = 3  # entries written after the backup that is restored
# Ctrl+C that met Python in a callback before a line of ours had run: it says so, and drops it.
SWALLOWED_BY_PYTHON = re.compile(
    r"Exception ignored in: .*_get_module_lock.*\n"
    r"(?:Traceback .*\n(?:  File \"<frozen .*\n)+)?KeyboardInterrupt: ?\n"
)
LEFTOVERS = ("*/.*.making", "data/.*.new", "data/*-journal", "data/.*.restoring", "*/.*.part")


@dataclass(frozen=True)
class Work:
    """What is typed, in which place, and what is there then: "old", "new", or a third state in words."""

    name: str
    words: tuple[str, ...]
    prepare: Callable[[Path, int], None]
    state: Callable[[Path, int], str]
    said: Callable[[Path], str] = lambda folder: ""  # what an answer of the new state must name


@dataclass(frozen=True)
class Seen:
    """How a process ended (a negative status is the signal that killed it), and what it said and logged."""

    status: int
    out: str
    err: str
    log: str


@dataclass
class Findings:
    """How often each end was seen, and every point where status, words and file do not agree."""

    ends: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def note(self, point: str, state: str, seen: Seen, faults: list[str]) -> None:
        self.ends[f"{state}, {seen.status}"] += 1
        if faults:
            self.wrong.append(
                f"{point}: {faults}\n{seen.status} {state}\n{seen.out[-600:]}\n{seen.err[-1500:]}"
            )


# -- places --------------------------------------------------------------------------------------------------


def old_place(folder: Path, entries: int) -> None:
    (folder / DATABASE).parent.mkdir(parents=True)
    build("layout_a", folder / DATABASE)
    add_entries(folder / DATABASE, entries)


def add_entries(database: Path, count: int) -> None:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        connection.execute(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)"
            " INSERT INTO data_entries (endpoint_id, data, is_active) SELECT 1, json_object('content',"
            " hex(randomblob(60)), 'meta', json_object('visibility', 'public', 'title', i)), 1 FROM n",
            (count,),
        )
        connection.commit()


def upgraded_place(folder: Path, entries: int) -> None:
    old_place(folder, entries)
    must(folder, "upgrade", "run")


def place_with_backup(folder: Path, entries: int) -> None:
    old_place(folder, entries)
    must(folder, "backup", "create")
    (made,) = (folder / BACKUPS).glob("backup_*.db")
    manifest = made.with_name(made.name + ".json")
    made.with_name(RESTORED + ".json").write_text(manifest.read_text().replace(made.name, RESTORED))
    manifest.unlink()
    made.rename(made.with_name(RESTORED))
    add_entries(folder / DATABASE, MORE)


def empty_place(folder: Path, entries: int) -> None:
    folder.mkdir(parents=True)


def must(folder: Path, *words: str) -> None:
    seen = run(folder, words)
    if seen.status != 0:
        raise RuntimeError(f"{words}: {seen}")


# -- what is there -------------------------------------------------------------------------------------------


def kind_of(database: Path) -> tuple[str, int]:
    """Version by our history ("" for an old one) and count of entries; opening takes back a hot journal."""
    with contextlib.closing(sqlite3.connect(f"{database.as_uri()}?mode=rw", uri=True)) as connection:
        (count,) = connection.execute("SELECT count(*) FROM data_entries").fetchone()
        ours = connection.execute(
            "SELECT 1 FROM pragma_table_info('database_versions') WHERE name = 'outcome'"
        )
        if ours.fetchone() is None:
            return "", int(count)
        found = connection.execute(
            "SELECT version FROM database_versions WHERE outcome = 'done' ORDER BY id DESC LIMIT 1"
        ).fetchone()
        return (str(found[0]) if found else "half"), int(count)


def named(kind: tuple[str, int], known: Mapping[tuple[str, int], str]) -> str:
    return known.get(kind, f"a third state: {kind}")


def after_upgrade(folder: Path, entries: int) -> str:
    return named(kind_of(folder / DATABASE), {("", entries): "old", (NEWEST, entries): "new"})


def after_rollback(folder: Path, entries: int) -> str:
    state = named(kind_of(folder / DATABASE), {(NEWEST, entries): "old", ("", entries): "new"})
    return with_hold(folder, state)


def after_restore(folder: Path, entries: int) -> str:
    state = named(kind_of(folder / DATABASE), {("", entries + MORE): "old", ("", entries): "new"})
    if state == "new" and not [made for made in backups(folder) if kind_of(made) == ("", entries + MORE)]:
        return "the state before was not kept"
    return with_hold(folder, state)


def with_hold(folder: Path, state: str) -> str:
    is_held = bool(list((folder / "data").glob("*hold*")))
    return state if state not in ("old", "new") or is_held == (state == "new") else f"{state}, hold {is_held}"


def after_backup(folder: Path, entries: int) -> str:
    if kind_of(folder / DATABASE) != ("", entries):
        return "the database changed"
    made = backups(folder)
    if any(kind_of(each) != ("", entries) for each in made):
        return "a backup that differs"
    return "new" if made else "old"


def after_init(folder: Path, entries: int) -> str:
    if not (folder / DATABASE).exists():
        return "old"
    return named(kind_of(folder / DATABASE), {(NEWEST, 0): "new"})


def backups(folder: Path) -> list[Path]:
    """Every backup with its manifest that a command of ours has made."""
    found = (folder / BACKUPS).glob("backup_*.db")
    return [each for each in found if each.name != RESTORED and each.with_name(each.name + ".json").exists()]


def newest_backup(folder: Path) -> str:
    return max((each.name for each in backups(folder)), default="no backup is there")


WORKS = {
    work.name: work
    for work in (
        Work("upgrade", ("upgrade", "run"), old_place, after_upgrade, newest_backup),
        Work("rollback", ("upgrade", "rollback"), upgraded_place, after_rollback, newest_backup),
        Work("restore", ("backup", "restore", RESTORED), place_with_backup, after_restore, newest_backup),
        Work("backup", ("backup", "create"), old_place, after_backup, newest_backup),
        Work("init", ("init",), empty_place, after_init, lambda folder: "daemon.db"),
    )
}


# -- processes -----------------------------------------------------------------------------------------------


def environment() -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(TOP), "PYTHONDONTWRITEBYTECODE": "1"}


def started(folder: Path, words: tuple[str, ...], before: tuple[str, ...] = ()) -> subprocess.Popen[bytes]:
    with (folder / "out.txt").open("wb") as out, (folder / "err.txt").open("wb") as err:
        return subprocess.Popen(
            [*before, sys.executable, "-m", "app.cli", *words],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
        )


def ended(folder: Path, process: subprocess.Popen[bytes]) -> Seen:
    status = process.wait(timeout=300)
    log = folder / "logs/server.log"
    out, err = [(folder / name).read_text(errors="replace") for name in ("out.txt", "err.txt")]
    return Seen(status, out, err, log.read_text() if log.exists() else "")


def run(folder: Path, words: tuple[str, ...]) -> Seen:
    return ended(folder, started(folder, words))


class Place:
    """A prepared folder, copied anew for every point."""

    def __init__(self, work: Work, entries: int, home: Path) -> None:
        self.work = work
        self.template = home / "template"
        self.point = home / "point"
        work.prepare(self.template, entries)
        self.entries = entries
        if (self.template / DATABASE).exists():  # what was there already, layout A having entries of its own
            self.entries = kind_of(self.template / DATABASE)[1] - (MORE if work.name == "restore" else 0)

    def fresh(self) -> Path:
        shutil.rmtree(self.point, ignore_errors=True)
        shutil.copytree(self.template, self.point)
        shutil.rmtree(self.point / "logs", ignore_errors=True)
        return self.point

    def state(self) -> str:
        return self.work.state(self.point, self.entries)

    def seconds(self) -> float:
        """How long it takes undisturbed, which must end well."""
        folder = self.fresh()
        began = time.monotonic()
        seen = run(folder, self.work.words)
        took = time.monotonic() - began
        if (seen.status, self.state()) != (0, "new"):
            raise AssertionError(f"{self.work.name} undisturbed: {seen}, {self.state()}")
        return took


# -- signals -------------------------------------------------------------------------------------------------


def signalled(place: Place, after_seconds: float, number: signal.Signals) -> Seen:
    """Run once and send the signal so long after the start."""
    folder = place.fresh()
    process = started(folder, place.work.words)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(after_seconds)
    process.send_signal(number)  # nothing where it has ended
    return ended(folder, process)


def untrue_after_signal(place: Place, state: str, seen: Seen, number: signal.Signals) -> Iterator[str]:
    """Yield what status, words and file say differently."""
    said = seen.out + SWALLOWED_BY_PYTHON.sub("", seen.err)
    if state == "old" and not seen.log and (seen.status == -number or is_pythons_own(seen, number)):
        return  # before Python had loaded what listens to signals
    if "Traceback" in said or "Exception ignored" in said or "fault of Daemon" in said:
        yield "a stack trace, or a fault of Daemon's own"
    if state not in ("old", "new"):
        yield state
    elif seen.status != {"new": 0, "old": 130}[state]:
        yield f"exit status {seen.status}, and the state is {state}"
    elif state == "new":
        if "Interrupted" in said or "as it was" in said or "taken back" in said:
            yield "says that it was taken back"
        if place.work.said(place.point) not in said:
            yield f"does not name {place.work.said(place.point)}"
    else:
        if "Interrupted" not in said:
            yield "does not say that it was interrupted"
        left = [str(path) for pattern in LEFTOVERS for path in place.point.glob(pattern)]
        if left:
            yield f"left {left}"


def is_pythons_own(seen: Seen, number: signal.Signals) -> bool:
    """Whether Ctrl+C met Python while it made itself ready, and it says so in its own way."""
    return number == signal.SIGINT and "KeyboardInterrupt" in seen.err and f"{TOP}/app/" not in seen.err


def sweep_signals(place: Place, *, milliseconds: int, sample: int | None, first: int = 0) -> Findings:
    """A signal at every so many milliseconds of the work, or at ``sample`` of these moments."""
    findings = Findings()
    count = int(place.seconds() * 1000 / milliseconds) + 5
    step = max(1, count // sample) if sample else 1
    for at in range(first % step, count, step):
        number = SIGNALS[at % len(SIGNALS)]
        seen = signalled(place, at * milliseconds / 1000, number)
        state = place.state()
        faults = list(untrue_after_signal(place, state, seen, number))
        findings.note(f"{place.work.name}, {number.name} after {at * milliseconds} ms", state, seen, faults)
    return findings


# -- answers that cannot be written --------------------------------------------------------------------------


def unwritable(place: Place, options: tuple[str, ...], when: str) -> tuple[Seen, int]:
    """Run with an error at the writes ``when`` ("3", "3+") of its words; also how many writes there were."""
    folder = place.fresh()
    trace = folder / "strace.log"
    inject = ("-e", f"inject=write:error=ENOSPC:when={when}") if when else ()
    paths = [part for name in ("out.txt", "err.txt") for part in ("-P", str(folder / name))]
    tracer = ("strace", "-f", "-qq", "-o", str(trace), *paths, "-e", "trace=write", *inject)
    seen = ended(folder, started(folder, (*place.work.words, *options), tracer))
    return seen, len(re.findall(r"^\d+ +write\(", trace.read_text(), re.MULTILINE))


def untrue_unwritten(place: Place, state: str, seen: Seen, has_json: bool) -> Iterator[str]:
    if (seen.status, state) != (0, "new"):
        yield f"exit status {seen.status}, and the state is {state}"
    if "Traceback" in seen.err or "Exception ignored" in seen.err:
        yield "a stack trace"
    wanted = place.work.said(place.point)
    logged = "".join(line for line in seen.log.splitlines() if '"app.unsaid"' in line)
    if wanted not in seen.out and wanted not in logged:
        yield f"{wanted} is neither said nor in the log"
    if has_json:
        lines = [line for line in seen.out.splitlines() if line.startswith('{"v"')]
        with contextlib.suppress(ValueError):
            [json.loads(line) for line in lines]
            return
        yield "a line of JSON that is broken"


def sweep_writes(
    place: Place, options: tuple[str, ...], *, sample: int | None = None, first: int = 0
) -> Findings:
    """An error at each write of the answer, once and from there on, or at ``sample`` of these points."""
    findings = Findings()
    _, count = unwritable(place, options, "")
    points = [f"{number}{onwards}" for number in range(1, count + 1) for onwards in ("", "+")]
    step = max(1, len(points) // sample) if sample else 1
    for when in points[first % step :: step]:
        seen, _ = unwritable(place, options, when)
        faults = list(untrue_unwritten(place, place.state(), seen, bool(options)))
        point = f"{place.work.name} {' '.join(options)}, write {when} fails"
        findings.note(point, place.state(), seen, faults)
    return findings


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("works", nargs="*", default=list(WORKS))
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--milliseconds", type=int, default=20)
    parser.add_argument("--sample", type=int, help="take so many of the moments, not all")
    asked = parser.parse_args()
    wrong = []
    for name in asked.works:
        with tempfile.TemporaryDirectory() as home:
            large = Place(WORKS[name], asked.entries, Path(home) / "large")
            small = Place(WORKS[name], 1, Path(home) / "small")
            found = {
                "signals": sweep_signals(large, milliseconds=asked.milliseconds, sample=asked.sample),
                "writes": sweep_writes(small, ()),
                "writes of JSON": sweep_writes(small, ("--json",)),
            }
        for what, findings in found.items():
            counts = f"{findings.ends.total()} points, {dict(findings.ends)}, {len(findings.wrong)} untrue"
            print(f"{name}, {what}: {counts}", flush=True)
            wrong += findings.wrong
    print("\n".join(wrong[:20]))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
