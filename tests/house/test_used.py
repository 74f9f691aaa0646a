"""Dead code. Is every function and class of the product used by the product, not by tests alone?"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from tests.house.sources import ROOT, dotted, nodes_of, python_files, shown, tree_of
from tests.house.test_imports import FROZEN  # whose functions are called by the names that all of them have

PRODUCT = ("app", "scripts", "deploy")
Name = tuple[str, str]  # module, name in it


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def used_in(path: Path) -> Iterator[Name]:
    """Yield what a file takes from others: imported, after a dot, or named in a string (`module:name`)."""
    modules: dict[str, str] = {}
    for node in nodes_of(path):
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield (node.module or "", alias.name)
                modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        elif isinstance(node, ast.Import):
            modules |= {alias.asname or alias.name: alias.name for alias in node.names}
    for node in nodes_of(path):
        if isinstance(node, ast.Attribute):
            before = dotted(node.value)
            yield (modules.get(before, before), node.attr)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from named_in(node.value)


def named_in(text: str) -> Iterator[Name]:
    """Yield what a string names: a place to load later, or an import that another process runs."""
    for word in text.split():
        module, colon, name = word.strip("\"',").partition(":")
        if colon and module.startswith("app."):
            yield (module, name)
    if text.startswith("from app."):
        yield from ((node.module or "", alias.name) for node in imports_of(text) for alias in node.names)


def imports_of(text: str) -> list[ast.ImportFrom]:
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]


def defined_in(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """Yield the functions and classes of a file; a decorated function belongs to what decorates it."""
    for node in tree_of(path).body:
        if isinstance(node, ast.ClassDef):
            yield node
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            owners = [each for each in node.decorator_list if isinstance(each, ast.Call)]
            if not any(isinstance(each.func, ast.Attribute) for each in owners):
                yield node


@cache
def names_in(path: Path) -> Counter[str]:
    """Return how often each name stands in a file."""
    return Counter(node.id for node in nodes_of(path) if isinstance(node, ast.Name))


def is_used_beside(node: ast.AST, name: str, path: Path) -> bool:
    """Whether its own file uses a name, outside of what the name stands for."""
    within = sum(isinstance(each, ast.Name) and each.id == name for each in ast.walk(node))
    return names_in(path)[name] > within


def unused(files: tuple[Path, ...], used: set[Name]) -> list[str]:
    return [
        f"{shown(path, node.lineno)} {node.name}"
        for path in files
        for node in defined_in(path)
        if (module_of(path), node.name) not in used
        and not node.name.startswith("__")
        and not is_used_beside(node, node.name, path)
    ]


def test_every_function_and_class_is_used_by_the_product() -> None:
    files = tuple(path for path in python_files("app") if path not in python_files(*FROZEN))
    used = {name for path in python_files(*PRODUCT) for name in used_in(path)}
    used |= set(named_in((ROOT / "pyproject.toml").read_text(encoding="utf-8")))
    assert unused(files, used) == []


def test_what_nothing_uses_is_found() -> None:
    path = ROOT / "app/ids.py"
    nothing = {name for name in used_in(path) if name[0] != "app.ids"}
    found = [line.split()[-1] for line in unused((path,), nothing)]
    assert found
    assert set(found) <= {node.name for node in defined_in(path)}
