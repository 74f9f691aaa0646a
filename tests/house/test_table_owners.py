"""Table owners. Does only the room that owns a table read and write it? Others ask that room."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.tables import metadata
from tests.house.sources import ROOT, called_in, nodes_of, python_files, shown, tree_of

OWNERS: dict[str, str] = {table.name: table.info["owner"] for table in metadata.sorted_tables}
FREE_OF_TABLES = ("app/upgrade", "app/storage", "app/backup")  # they know no table of today's: test_imports
ID_FINDER = ROOT / "app/ids.py"
TABLE_IN_SQL = re.compile(
    rf"\b(?:FROM|JOIN|INTO|UPDATE|TABLE)\s+[\"'`\[]?({'|'.join(OWNERS)})\b", re.IGNORECASE
)


def files() -> list[Path]:
    kept_out = tuple(str(ROOT / folder) for folder in FREE_OF_TABLES)
    others = (ROOT / "app/tables.py", ID_FINDER)
    return [one for one in python_files("app") if not str(one).startswith(kept_out) and one not in others]


def room_of(path: Path) -> str:
    return path.relative_to(ROOT / "app").parts[0].removesuffix(".py")


def tables_named(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield each table that a file imports, and each that stands in a text of SQL; "*" for all at once."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "app.tables":
            yield from ((one.name if one.name in OWNERS else "*", node.lineno) for one in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "app":
            yield from (("*", node.lineno) for one in node.names if one.name == "tables")
        elif isinstance(node, ast.Import):
            yield from (("*", node.lineno) for one in node.names if one.name == "app.tables")
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from ((found, node.lineno) for found in TABLE_IN_SQL.findall(_code(node.value)))


def _code(text: str) -> str:
    """A text as far as it may be SQL: prose says "into users" too, and no statement."""
    return text if re.search(r"\b(SELECT|INSERT|UPDATE|DELETE|CREATE|DROP|ALTER)\b", text) else ""


def breaches(room: str, tree: ast.Module) -> list[tuple[str, int]]:
    return [(name, line) for name, line in tables_named(tree) if OWNERS.get(name) != room]


def test_every_table_says_which_room_owns_it() -> None:
    for table, owner in OWNERS.items():
        assert (ROOT / "app" / owner).is_dir() or (ROOT / f"app/{owner}.py").is_file(), table


def test_only_its_room_reads_and_writes_a_table() -> None:
    found = [
        f"{shown(path, line)} uses {name}"
        for path in files()
        for name, line in breaches(room_of(path), tree_of(path))
    ]
    assert found == []


@pytest.mark.parametrize(
    "code",
    [
        "from app.tables import users",
        "from app.tables import data_entries, users as people",
        "from app.tables import metadata",
        "from app.tables import *",
        "from app import tables",
        "import app.tables as t",
        "def f(c):\n    from app.tables import api_keys",
        "text('SELECT id FROM users')",
        "text('update users SET x = (SELECT 1)')",
        "text(f'DELETE FROM users WHERE id = {x}')",
        'run("""SELECT 1 FROM data_entries JOIN "users" ON 1""")',
    ],
)
def test_a_table_of_another_room_is_noticed(code: str) -> None:
    assert breaches("entries", ast.parse(code))


def test_one_s_own_tables_and_prose_are_no_breach() -> None:
    code = (
        'from app.tables import data_entries\n"""Written into users."""\ntext("SELECT 1 FROM data_entries")'
    )
    assert breaches("entries", ast.parse(code)) == []


def test_one_file_finds_free_ids_and_one_writes_the_audit() -> None:
    calls = [(path, name, line) for path in files() for name, line in called_in(path)]
    assert [shown(path, line) for path, name, line in calls if name.endswith("func.max")] == []
    inserts = [
        shown(path, node.lineno)
        for path in files()
        if "audit_logs" in path.read_text(encoding="utf-8")
        for node in nodes_of(path)
        if isinstance(node, ast.Call)
        and ast.unparse(node).startswith(("insert(audit_logs)", "audit_logs.insert("))
    ]
    assert {one.partition(":")[0] for one in inserts} == {"app/accounts/audit.py"}
