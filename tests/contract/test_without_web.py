"""Do the tools work where the web framework cannot even be imported?"""

from __future__ import annotations

import pytest

from tests.contract.conftest import Operator

ABSENT = ("fastapi", "starlette", "uvicorn", "anyio", "httptools", "uvloop", "multipart", "python_multipart")
BLOCKER = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {ABSENT!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
"""


@pytest.fixture
def without_web(old: Operator) -> Operator:
    place = old.folder / "blocked"
    place.mkdir()
    (place / "sitecustomize.py").write_text(BLOCKER)
    old.env["PYTHONPATH"] = str(place)
    blocked = old.type(
        "python -c 'import importlib.util as u; print(u.find_spec(\"fastapi\"))' 2>&1 | tail -1", None
    )
    assert "No module named 'fastapi'" in blocked.out
    return old


def test_the_tools_work(without_web: Operator) -> None:
    for line in (
        "python scripts/migrate_comprehensive.py --check-only",
        "python scripts/version_tracker.py",
        "python -m app.cli backup create",
        "python scripts/migrate_comprehensive.py",
        "python -m app.cli upgrade check",
        "python -m app.cli upgrade plan",
        "python -m app.cli upgrade status",
        "python -m app.cli upgrade history",
        "python -m app.cli backup list",
        "python -m app.cli user list",
        "python -m app.cli status",
        "python -m app.cli upgrade rollback --yes",
        "python scripts/migrate_database.py",
        'python -m app.cli export-user-data "$(sqlite3 data/daemon.db'
        " 'SELECT username FROM users WHERE id = 1')\" --output-dir backups",
    ):
        without_web.type(line)


def test_serving_says_what_is_missing(without_web: Operator) -> None:
    done = without_web.type("python -m app.cli serve", status=2)
    assert "pip install -r requirements.txt" in done.err


@pytest.mark.parametrize(
    "line",
    [
        "python -m app.cli --help",
        "python -m app.cli upgrade run",
        "python scripts/migrate_comprehensive.py --check-only",
        "python scripts/version_tracker.py",
        "python scripts/migrate_database.py",
    ],
)
def test_without_any_dependency_one_sentence(old: Operator, line: str) -> None:
    """``-S`` leaves site-packages out: a Python where nothing was installed."""
    done = old.type(line.replace("python", "python -S -I" if "scripts" in line else "python -S", 1), status=2)
    assert done.err.startswith("Error: ")
    assert "pip install -r requirements.txt" in done.err
    assert "venv" in done.err
    assert len(done.err.splitlines()) == 2
