"""Does every file import only what its place in the house allows?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import grimp

from tests.house.sources import ROOT, imported_by, python_files, shown

FROZEN = ("app/upgrade/versions/migrations", "app/upgrade/legacy/shapes")


def breaches(files: tuple[Path, ...], forbidden: tuple[str, ...]) -> list[str]:
    return [
        f"{shown(path)} imports {name}"
        for path in files
        for name in imported_by(path)
        if name.startswith(tuple(f"{module}." for module in forbidden)) or name in forbidden
    ]


def test_the_contracts_of_the_house_are_kept() -> None:
    # In a process of its own: the linter switches off every logger there is.
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def circles(graph: grimp.ImportGraph) -> list[list[str]]:
    """The groups of files that reach each other by their imports, those within functions too."""
    above = {name: graph.find_downstream_modules(name) for name in graph.modules}
    groups = {frozenset({name, *(other for other in above[name] if name in above[other])}) for name in above}
    return sorted(sorted(group) for group in groups if len(group) > 1)


def test_no_file_reaches_itself_by_its_imports() -> None:
    assert circles(grimp.build_graph("app", cache_dir=None)) == []


def test_steps_and_shapes_mean_the_same_in_ten_years() -> None:
    assert breaches(python_files(*FROZEN), ("app",)) == []


def test_only_one_file_knows_alembic() -> None:
    free = (ROOT / "app/upgrade/steps/apply.py", *python_files("app/upgrade/versions/migrations"))
    others = tuple(path for path in python_files("app", "scripts", "deploy") if path not in free)
    assert breaches(others, ("alembic",)) == []


def test_only_storage_of_sqlite_and_what_old_databases_need_know_the_driver() -> None:
    free = python_files("app/storage/sqlite", "app/upgrade/legacy", "app/upgrade/versions/migrations")
    others = tuple(path for path in python_files("app", "scripts", "deploy") if path not in free)
    assert breaches(others, ("sqlite3",)) == []


def test_scripts_go_through_the_command_line() -> None:
    allowed = ("app", "app.cli", "app.settings", "app.errors")
    found = [
        f"{shown(path)} imports {name}"
        for path in python_files("scripts")
        for name in imported_by(path)
        if name.split(".")[0] == "app" and name not in allowed and not name.startswith("app.cli.")
    ]
    assert found == []


def test_every_folder_of_the_app_is_a_package() -> None:
    folders = {path.parent for path in python_files("app")}
    # alembic reads its steps by path, and their names cannot be imported
    steps = {folder for folder in folders if folder.name == "versions"}
    assert [
        shown(folder) for folder in sorted(folders - steps) if not (folder / "__init__.py").exists()
    ] == []
