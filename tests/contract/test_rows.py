"""Does each row of the guide's contract keep a test of its own?"""

from __future__ import annotations

import re

from tests.contract.conftest import ROOT

ROWS = {*range(1, 17), *range(20, 28), *range(30, 38), *range(40, 46), *range(50, 54)}


def test_each_row_has_a_test_of_its_name() -> None:
    found = set()
    for folder in ("tests/contract", "tests/containers"):
        for path in (ROOT / folder).glob("test_*.py"):
            found |= {
                int(number) for number in re.findall(r"^def test_g(\d\d)_", path.read_text(), re.MULTILINE)
            }
    assert sorted(ROWS - found) == []
