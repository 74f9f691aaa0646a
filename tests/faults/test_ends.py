"""A sample of the sweep of ends: whatever signal comes and whatever cannot be said, what is told is true."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.faults.ends import WORKS, Place, environment, sweep_signals, sweep_writes

# The whole sweep, on 200,000 entries and every 20 ms and at every write, is `make ends`.
ENTRIES = 300
MOMENTS = int(os.environ.get("DAEMON_ENDS_MOMENTS", "8"))
WRITES = int(os.environ.get("DAEMON_ENDS_WRITES", "6"))


@pytest.mark.parametrize("name", WORKS)
def test_a_signal_at_any_moment_is_answered_by_what_is_there(name: str, tmp_path: Path) -> None:
    place = Place(WORKS[name], ENTRIES, tmp_path)
    first = random.randrange(MOMENTS)
    findings = sweep_signals(place, milliseconds=20, sample=MOMENTS, first=first)
    print(f"{name}: from moment {first}: {dict(findings.ends)}")
    assert findings.ends.total() >= MOMENTS
    assert findings.wrong == []


@pytest.mark.needs("strace")
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["words", "json"])
@pytest.mark.parametrize("name", WORKS)
def test_a_write_of_the_answer_that_fails_changes_no_status(
    name: str, options: tuple[str, ...], tmp_path: Path
) -> None:
    first = random.randrange(WRITES)
    findings = sweep_writes(Place(WORKS[name], 1, tmp_path), options, sample=WRITES, first=first)
    assert findings.ends.total() >= 2
    assert findings.wrong == []


STREAMS = {
    "stdout closed": ">&-",
    "stderr closed": "2>&-",
    "both closed": ">&- 2>&-",
    "all three closed": "<&- >&- 2>&-",
    "a full device": ">/dev/full 2>/dev/full",
    "a reader who is gone": "2>&1 | true",
    "a stream for reading only": "</dev/null >&0 2>&0",
}


@pytest.mark.sweep
@pytest.mark.parametrize("streams", STREAMS.values(), ids=STREAMS)
@pytest.mark.parametrize("name", ["upgrade", "restore", "init"])
def test_an_answer_that_nobody_can_read(name: str, streams: str, tmp_path: Path) -> None:
    place = Place(WORKS[name], 1, tmp_path)
    folder = place.fresh()
    status = typed_in_a_shell(folder, place.work.words, streams)
    assert (status, place.state()) == (0, "new")
    logged = (folder / "logs/server.log").read_text()
    if streams != "2>&-":  # where stdout is there, it is said
        assert any("app.unsaid" in line and place.work.said(folder) in line for line in logged.splitlines())


def typed_in_a_shell(folder: Path, words: tuple[str, ...], streams: str) -> int:
    script = f'"$PYTHON" -m app.cli {" ".join(words)} {streams}; exit ${{PIPESTATUS[0]}}'
    known = environment()
    known |= {"PYTHON": sys.executable, "PYTHONPATH": f"{known['PYTHONPATH']}:{folder}"}
    return subprocess.run(["bash", "-c", script], cwd=folder, env=known, check=False).returncode


def test_no_file_gets_the_number_of_a_closed_stream(tmp_path: Path) -> None:
    """A database that was opened as number 2 would be written into by whatever complains."""
    place = Place(WORKS["upgrade"], 1, tmp_path)
    folder = place.fresh()
    (folder / "sitecustomize.py").write_text(
        "import atexit, os\natexit.register(lambda: os.write(2, b'a complaint that must land nowhere'))\n"
    )
    status = typed_in_a_shell(folder, ("upgrade", "run"), "2>&- >&-")
    assert (status, place.state()) == (0, "new")
    found = [
        path for path in folder.rglob("*") if path.is_file() and b"must land nowhere" in path.read_bytes()
    ]
    assert [path.name for path in found] == ["sitecustomize.py"]
