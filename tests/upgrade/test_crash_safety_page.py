"""Does docs/crash_safety.md name only tests that are there?"""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "crash_safety.md"


def test_every_line_of_the_argument_names_a_test_that_is_there() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    lines = [row for row in rows if not row.startswith("| what ")]
    assert len(lines) >= 20
    for line in lines:
        named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", line)
        assert named, line
        for file, test in named:
            assert f"def {test}(" in (ROOT / file).read_text(), f"{file}::{test}"
