"""Which files does the project consist of, and what does each Python file import, call and say?"""

from __future__ import annotations

import ast
import subprocess
import tokenize
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CODE = ("app", "scripts", "tests", "benchmarks", "deploy")
LEFT_OUT = {".git", ".venv", "venv", ".cache", "__pycache__", "data", "backups", "logs", "node_modules"}

BESIDE_CODE = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING}


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


@cache
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
def docstring_of(path: Path) -> str:
    """Return what a file says first; only its beginning is read."""
    with path.open(encoding="utf-8") as file:
        tokens = (one for one in tokenize.generate_tokens(file.readline) if one.type not in BESIDE_CODE)
        first, second = next(tokens), next(tokens, None)
    is_text = first.type == tokenize.STRING and second is not None and second.type == tokenize.NEWLINE
    return str(ast.literal_eval(first.string)) if is_text else ""


@cache
def tree_of(path: Path) -> ast.Module:
    """Return the syntax tree of a file."""
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def nodes_of(path: Path) -> tuple[ast.AST, ...]:
    """Return everything that is in the syntax tree of a file."""
    return tuple(ast.walk(tree_of(path)))


@cache
def imported_by(path: Path) -> tuple[str, ...]:
    """Return the full name of every module that a file imports, anywhere in it; relative ones made full."""
    package = path.relative_to(ROOT).with_suffix("").parts[:-1]
    found: list[str] = []
    for node in nodes_of(path):
        if isinstance(node, ast.Import):
            found += (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            found.append(".".join([*above, *([node.module] if node.module else [])]))
    return tuple(found)


@cache
def called_in(path: Path) -> tuple[tuple[str, int], ...]:
    """Return the dotted name of every call in a file, with its line."""
    return tuple((dotted(node.func), node.lineno) for node in nodes_of(path) if isinstance(node, ast.Call))


def dotted(node: ast.AST) -> str:
    """Return a dotted name as it is written; what is no name in it is (...)."""
    if isinstance(node, ast.Name):
        return node.id
    return f"{dotted(node.value)}.{node.attr}" if isinstance(node, ast.Attribute) else "(...)"


def forget() -> None:
    """Let go of all trees: what has been read of the files is some million objects."""
    for function in (tree_of, nodes_of, imported_by, called_in):
        function.cache_clear()


def shown(path: Path, line: int | None = None) -> str:
    """Return the name of a place in the project, for a message."""
    name = path.relative_to(ROOT).as_posix()
    return name if line is None else f"{name}:{line}"
