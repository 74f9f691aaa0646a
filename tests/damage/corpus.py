"""Fuzz corpus. Does every command stay on its feet beside SQLite's own damaged databases, and owners' DDL?

python -m tests.damage.corpus [--every N] [--offset N] [--only databases|ddl]

Debian's source package of sqlite3 is fetched with `apt-get source` into .cache/; nothing of it is committed.
The databases of its fuzzdata3.db and fuzzdata7.db are walked through, ten seconds each at most, and the
CREATE statements of its test/*.test files, a file at a time, as objects of the owner's. Where the package
cannot be had it says so and ends with 0.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from tests.damage.rescue import Place, typed
from tests.upgrade.old_databases import build

TOP = Path(__file__).resolve().parents[2]
CACHE = TOP / ".cache" / "sqlite-source"
SECONDS_EACH = 10.0
_CREATE = re.compile(
    r"\bCREATE\s+(?:UNIQUE\s+)?(?:TABLE|INDEX|VIEW|TRIGGER|VIRTUAL\s+TABLE)\b", re.IGNORECASE
)
_OURS = ("users", "endpoints", "data_entries")


def source_folder() -> Path | None:
    """The folder `test` of SQLite's source, fetched once; None, and a word why, where it cannot be had."""
    found = next(CACHE.glob("sqlite3-*/test"), None)
    if found is not None:
        return found
    if shutil.which("apt-get") is None:
        print("skipped: there is no apt-get here, and the corpus is in Debian's source package of sqlite3")
        return None
    for folder in ("lists/partial", "cache/archives/partial", "etc", "download"):
        (CACHE / folder).mkdir(parents=True, exist_ok=True)
    listed = Path("/etc/apt/sources.list.d/debian.sources")
    text = listed.read_text() if listed.exists() else ""
    (CACHE / "etc" / "source.sources").write_text(re.sub(r"(?m)^Types:.*", "Types: deb-src", text))
    options = [
        *("-o", f"Dir::Etc::sourcelist={CACHE}/etc/source.sources", "-o", "Dir::Etc::sourceparts=-"),
        *("-o", f"Dir::State::lists={CACHE}/lists", "-o", f"Dir::Cache={CACHE}/cache"),
    ]
    for words in (["update", "-qq"], ["source", "-qq", "--download-only", "sqlite3"]):
        done = subprocess.run(
            ["apt-get", *options, *words], cwd=CACHE / "download", capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            print("skipped: the source package of sqlite3 cannot be had here (apt-get source sqlite3)")
            return None
    (packed,) = (CACHE / "download").glob("*.orig.tar.*")
    subprocess.run(["tar", "-xf", packed, "-C", CACHE, "--wildcards", "*/test/*"], check=True)
    return next(CACHE.glob("sqlite3-*/test"))


def databases(test: Path) -> Iterator[tuple[str, bytes]]:
    """The damaged databases of the corpus, each with a name."""
    for name in ("fuzzdata3.db", "fuzzdata7.db"):
        with contextlib.closing(sqlite3.connect(test / name)) as connection:
            for number, content in connection.execute("SELECT dbid, dbcontent FROM db ORDER BY dbid"):
                yield f"{name} {number}", bytes(content or b"")


def serve(to_parent: Connection) -> None:
    """Walk through what comes, in a place of its own; the parent ends a process that takes too long."""
    folder = Path(tempfile.mkdtemp(prefix="daemon-corpus-"))
    try:
        place = Place(folder)
        with place.entered():
            while (content := to_parent.recv()) is not None:
                to_parent.send(place.walk(content))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Worker:
    """A process that walks; a new one after each that had to be ended."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.pipe, theirs = context.Pipe()
        self.process = context.Process(target=serve, args=(theirs,), daemon=True)
        self.process.start()

    def walk(self, content: bytes) -> tuple[int, list[str]]:
        """As `Place.walk`; what takes too long or ends the process is a fault too."""
        self.pipe.send(content)
        # The first one waits until the process has imported everything and made its good backup.
        ends = time.monotonic() + SECONDS_EACH + 30.0 * (not hasattr(self, "is_warm"))
        while not self.pipe.poll(0.05):
            if time.monotonic() > ends or not self.process.is_alive():
                why = "took too long" if self.process.is_alive() else "ended the process"
                self.process.kill()
                self.process.join()
                self._start()
                return -1, [f"it {why}"]
        self.is_warm = True
        answer: tuple[int, list[str]] = self.pipe.recv()
        return answer

    def end(self) -> None:
        self.pipe.send(None)
        self.process.join(10)


def walk_databases(test: Path, every: int, offset: int) -> int:
    """Walk through every so-manieth; print what is wrong and a count of verdicts; return how many are."""
    worker, verdicts, wrong_ones = Worker(), Counter[int](), 0
    for number, (name, content) in enumerate(databases(test)):
        if number % every != offset % every or not content:
            continue
        verdict, wrong = worker.walk(content)
        verdicts[verdict] += 1
        wrong_ones += bool(wrong)
        for what in wrong:
            print(f"{name} (check: {verdict}): {what}", flush=True)
    worker.end()
    print(f"databases: {verdicts.total()}, verdicts {dict(sorted(verdicts.items()))}, wrong {wrong_ones}")
    return wrong_ones


def statements(text: str) -> Iterator[str]:
    """The CREATE statements of a test file, as far as they can be cut out of its Tcl."""
    for found in _CREATE.finditer(text):
        piece = text[found.start() : found.start() + 4000]
        for end in (at for at, sign in enumerate(piece) if sign in ";}"):
            if sqlite3.complete_statement(candidate := piece[:end].strip() + ";"):
                yield candidate
                break


def owners_objects(path: Path) -> dict[str, str]:
    """What the schema holds besides ours, word for word."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT type || ' ' || name, sql FROM sqlite_master WHERE sql NOT NULL")
        return dict(found.fetchall())


def keep_ddl(file: Path, place: Place) -> list[str]:
    """Build what one test file builds beside an old database; upgrade, back up, roll back; what was lost."""
    place.lay(b"")
    place.live.unlink()
    build("layout_b", place.live)
    plain = owners_objects(place.live)
    with contextlib.closing(sqlite3.connect(place.live, isolation_level=None)) as connection:
        connection.set_progress_handler(lambda: 1, 5_000_000)
        for statement in statements(file.read_text(errors="replace")):
            with contextlib.suppress(sqlite3.Error, sqlite3.Warning, ValueError):
                connection.execute(statement)
    built = {name: sql for name, sql in owners_objects(place.live).items() if name not in plain}
    if not built:
        return []
    wrong = []
    for words in (("upgrade", "run"), ("backup", "create"), ("upgrade", "rollback", "--yes")):
        said = typed(*words)
        if said.status != 0:
            return [f"{' '.join(words)} ended with {said.status}: {said.words[-400:]}"]
        now = owners_objects(place.live)
        wrong += [
            f"after {words[1]}: {name} is not as it was" for name in built if now.get(name) != built[name]
        ]
    return wrong


def walk_ddl(test: Path, every: int, offset: int) -> int:
    """Walk through every so-manieth test file that creates anything; return how many lost something."""
    wrong_ones = count = 0
    with tempfile.TemporaryDirectory(prefix="daemon-ddl-") as folder:
        place = Place(Path(folder))
        with place.entered():
            for number, file in enumerate(sorted(test.glob("*.test"))):
                if number % every != offset % every:
                    continue
                wrong = keep_ddl(file, place)
                count += 1
                wrong_ones += bool(wrong)
                for what in wrong:
                    print(f"{file.name}: {what}", flush=True)
    print(f"files of DDL: {count}, wrong {wrong_ones}")
    return wrong_ones


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--every", type=int, default=1)
    asked.add_argument("--offset", type=int, default=0)
    asked.add_argument("--only", choices=["databases", "ddl"])
    options = asked.parse_args()
    test = source_folder()
    if test is None:
        return 0
    wrong = 0
    if options.only != "ddl":
        wrong += walk_databases(test, options.every, options.offset)
    if options.only != "databases":
        wrong += walk_ddl(test, options.every, options.offset)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
