"""Which files does the project consist of, and what does each Python file import, call and say?"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("app", "scripts", "tests", "benchmarks", "deploy")
LEFT_OUT = {".git", ".venv", "venv", ".cache", "__pycache__", "data", "backups", "logs", "node_modules"}


@cache
def tracked() -> tuple[Path, ...]:
    """Return the files that belong to the project: what git tracks, or every file where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        found = [ROOT / name for name in listed.stdout.split("\0") if name]
    else:
        found = [path for path in ROOT.rglob("*") if not LEFT_OUT & set(path.relative_to(ROOT).parts)]
    return tuple(sorted(path for path in found if path.is_file()))


def python_files(*folders: str) -> tuple[Path, ...]:
    """Return the Python files below the named folders of the project (all that hold code, without names)."""
    wanted = folders or CODE
    return tuple(
        path
        for path in tracked()
        if path.suffix == ".py"
        and path.relative_to(ROOT).as_posix().startswith(tuple(f"{f}/" for f in wanted))
    )


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imported_by(path: Path) -> Iterator[str]:
    """Yield the full name of every module that a file imports, anywhere in it; relative ones made full."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            yield ".".join([*above, *([node.module] if node.module else [])])


def called_in(path: Path) -> Iterator[tuple[str, int]]:
    """Yield the dotted name of every call in a file, with its line."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno


def shown(path: Path, line: int | None = None) -> str:
    """Return the name of a place in the project, for a message."""
    name = path.relative_to(ROOT).as_posix()
    return name if line is None else f"{name}:{line}"
