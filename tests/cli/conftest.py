"""What do the tests of the command line stand on? The door, called in a folder of its own."""

from __future__ import annotations

import io
import json
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.cli import main as door


@dataclass(frozen=True)
class Said:
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Typed = Callable[..., Said]


@pytest.fixture
def typed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Typed]:
    """`typed("backup", "list", stdin="...", status=0)`: one command, as if typed in an empty folder."""
    monkeypatch.chdir(tmp_path)
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}

    def run(*words: str, stdin: str = "", status: int | None = 0) -> Said:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        ended = door.run(lambda: door.daemon, words, "daemon")
        streams = capsys.readouterr()
        assert status is None or ended == status, (ended, streams)
        return Said(ended, streams.out, streams.err)

    yield run
    for number, handler in before.items():
        signal.signal(number, handler)
