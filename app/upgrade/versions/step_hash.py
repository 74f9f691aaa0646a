"""What does a step do, as one hash? Comments, documentation and form do not count; every other edit does."""

from __future__ import annotations

import ast
import hashlib
import threading
from functools import lru_cache
from pathlib import Path

_ONE_AT_A_TIME = threading.Lock()


def parsed(path: str | Path) -> ast.Module:
    """Return the syntax tree of a Python file; Python 3.11 fails when two threads make one at once."""
    return _parsed(Path(path).read_bytes())


def semantic_hash(path: str | Path) -> str:
    """Return SHA-256 (hex) of the syntax tree of a Python file, the same on every supported Python."""
    return _semantic_hash(Path(path).read_bytes())


def _parsed(source: bytes) -> ast.Module:
    with _ONE_AT_A_TIME:
        return ast.parse(source)


@lru_cache(maxsize=64)  # by the text: every look at a database asks for the same few steps
def _semantic_hash(source: bytes) -> str:
    return hashlib.sha256(_spelled(_parsed(source)).encode()).hexdigest()


def _spelled(node: object) -> str:
    """Spell a node; what is empty is left out, because newer Pythons add fields that are empty here."""
    if isinstance(node, list):
        return f"[{','.join(_spelled(item) for item in node)}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {
        name: _without_documentation(node, found)
        for name, found in ast.iter_fields(node)
        if name not in ("kind", "type_comment")
    }
    filled = [f"{name}={_spelled(found)}" for name, found in fields.items() if found not in (None, [])]
    return f"{type(node).__name__}({','.join(filled)})"


def _without_documentation(node: ast.AST, found: object) -> object:
    has_body = isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef | ast.AsyncFunctionDef)
    if not (has_body and isinstance(found, list) and found):
        return found
    first = found[0]
    is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return found[1:] if is_text and isinstance(first.value.value, str) else found
