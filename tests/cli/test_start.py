"""Is a Python that cannot run Daemon told so in one sentence?"""

from __future__ import annotations

import ast
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from app.cli import start

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = sorted((ROOT / "scripts").glob("*.py"))


@pytest.mark.parametrize("path", [Path(start.__file__), *SCRIPTS, ROOT / "app/cli/__main__.py"], ids=str)
def test_an_old_python_can_read_what_tells_it_that_it_is_old(path: Path) -> None:
    ast.parse(path.read_text(), feature_version=(3, 7))


def test_an_old_python_is_told_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(start, "OLDEST_PYTHON", (99, 0))
    with pytest.raises(SystemExit) as stopped:
        start.start("app.cli.main:main")
    assert stopped.value.code == 2
    assert "needs Python 99.0 or newer" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "expected"),
    [("click", True), ("alembic.script", True), ("app.cli", False), ("json", False), ("", False)],
)
def test_what_counts_as_a_dependency(name: str, expected: bool) -> None:
    assert start.is_dependency(name) is expected


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_without_the_dependencies_one_sentence(script: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-S", "-I", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2
    assert "source .venv/bin/activate" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_scripts_explain_themselves_from_any_folder(script: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, script, "--help"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert f"scripts/{script.name}" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("where", ["tidying", "importing"])
def test_a_signal_before_the_command_listens_ends_it_wherever_it_meets_python(
    number: signal.Signals, where: str, tmp_path: Path
) -> None:
    code = {  # where Python drops what is raised, and where it does not
        "tidying": "class Last:\n    def __del__(self):\n        os.kill(os.getpid(), number)\nLast()\n",
        "importing": "os.kill(os.getpid(), number)\n",
    }[where]
    (tmp_path / "command.py").write_text(
        f"import os\nnumber = {int(number)}\n{code}def main():\n    print('the command ran')\n"
    )
    program = (
        "import sys; sys.path[:0] = sys.argv[1:]; from app.cli import start; start.start('command:main')"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(ROOT), str(tmp_path)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "Interrupted; nothing was begun.\n")


@pytest.mark.parametrize(
    ("there", "named"), [((), ".venv"), (("venv",), "venv"), (("venv", ".venv"), ".venv")]
)
def test_the_environment_that_is_there_is_named(
    there: tuple[str, ...], named: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in there:
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    assert f"source {named}/bin/activate" in start.missing_sentences("click")[1]
