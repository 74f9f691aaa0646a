"""Does ``daemon import`` take what ``export-user-data`` wrote, refuse anything else, and say what it did?"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, insert

from app.database import Database
from app.entries import export_folder, import_writing
from app.tables import data_entries, endpoints
from tests.cli.conftest import Typed

PASSWORD = "correct horse battery staple"


@pytest.fixture
def exported(typed: Typed, tmp_path: Path) -> Path:
    """Ann's export, with two entries of a kind of her own, and no installation any more."""
    typed("init")
    typed("user", "create", "ann", "--admin", "--password-stdin", stdin=PASSWORD)
    typed("key", "create", "ann", "phone")
    engine = create_engine(f"sqlite:///{tmp_path / 'data/daemon.db'}")
    with engine.begin() as connection:
        connection.execute(
            insert(endpoints).values(id=900, name="own", schema="{}", is_active=1, is_public=1)
        )
        for text in ('{"content": "one"}', '{"content": "two"}'):
            row = {
                "endpoint_id": 900,
                "data": text,
                "is_active": 1,
                "created_by_id": 1,
                "visibility": "public",
            }
            connection.execute(insert(data_entries).values(row))
    engine.dispose()
    folder = Path(typed("export-user-data", "ann", "--output-dir", "out", "--json").json["folder"])
    shutil.move(folder, tmp_path / "exported")
    for name in ("data", "backups", "out"):
        shutil.rmtree(tmp_path / name)
    typed("init")
    return tmp_path / "exported"


def data(tmp_path: Path) -> bytes:
    return (tmp_path / "data/daemon.db").read_bytes()


def test_what_is_said_of_a_plan_an_import_and_a_second_one(
    typed: Typed, exported: Path, tmp_path: Path
) -> None:
    before = data(tmp_path)
    assert "would be added 2" in typed("import", "exported", "--admin", "--dry-run").out
    assert data(tmp_path) == before
    done = typed("import", "exported", "--admin")
    for said in (
        "added 2, here already 0",
        "daemon user password ann",
        "Kinds",
        "own",
        "daemon key create ann",
    ):
        assert said in done.out, said
    assert [each["username"] for each in typed("user", "list", "--json").json["users"]] == ["ann"]
    before = data(tmp_path)
    again = typed("import", "exported", "--json").json
    assert (again["account"], again["added"], again["kept"], again["kinds"]) == ("here", [], [1, 2], [])
    assert again["ids"] == {"1": 1, "2": 2}
    assert data(tmp_path) == before
    history = typed("upgrade", "history", "--all", "--json").json["history"]
    assert "daemon import exported --admin" in [line.get("message") for line in history]


def test_the_first_account_is_an_admin_s(typed: Typed, exported: Path) -> None:
    assert "daemon import PATH --admin" in typed("import", "exported", status=2).err


def test_a_name_that_is_taken_is_told_with_the_way_out(typed: Typed, exported: Path) -> None:
    typed("user", "create", "ann", "--admin", "--password-stdin", stdin=PASSWORD)
    assert "--into NAME" in typed("import", "exported", status=1).err
    assert typed("import", "exported", "--into", "ann", "--json").json["added"] == [1, 2]


def test_what_is_no_export(typed: Typed, exported: Path, tmp_path: Path) -> None:
    assert "is no export" in typed("import", "data", status=2).err
    assert "is no export" in typed("import", "nothing-there", status=2).err
    (tmp_path / "link").symlink_to(exported)
    assert "is a link" in typed("import", "link", status=2).err


# -- an export that someone had in their hands


def manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = folder / "manifest.json"
    said = json.loads(path.read_text())
    change(said)
    path.write_text(json.dumps(said))


def rewrite(folder: Path, name: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a file, and the manifest with it, as someone would who wants it to be believed."""
    said = json.loads((folder / name).read_text())
    change(said)
    content = json.dumps(said).encode()
    (folder / name).write_bytes(content)
    facts = {
        "rows": len(said["rows"]) if isinstance(said.get("rows"), list) else 1,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    manifest(folder, lambda said: said["files"].update({name: facts}))


def _changed_text(folder: Path) -> None:
    path = folder / "entries/own.json"
    path.write_text(path.read_text().replace("one", "two"))


def _missing(folder: Path) -> None:
    (folder / "user.json").unlink()


def _shortened(folder: Path) -> None:
    (folder / "kinds.json").write_text("{}")


def _no_json(folder: Path) -> None:
    (folder / "manifest.json").write_text("{")


def _deep(folder: Path) -> None:
    (folder / "manifest.json").write_text("[" * 100_000)


def _half_a_character(folder: Path) -> None:
    (folder / "manifest.json").write_text('{"format": 1, "x": "\\ud800"}')


def _unnamed(folder: Path) -> None:
    manifest(folder, lambda said: said["files"].pop("kinds.json"))


def _negative(folder: Path) -> None:
    manifest(folder, lambda said: said["files"]["kinds.json"].update(bytes=-1))


def _other_person(folder: Path) -> None:
    manifest(folder, lambda said: said.update(username="eve"))


def _twice(folder: Path) -> None:
    rewrite(folder, "entries/own.json", lambda said: said.update(rows=said["rows"] * 2))


def _huge_number(folder: Path) -> None:
    rewrite(folder, "entries/own.json", lambda said: said["rows"][0].update(updated_at=2**70))


def _object_in_a_column(folder: Path) -> None:
    rewrite(folder, "user.json", lambda said: said["rows"][0].update(full_name={"a": 1}))


def _no_id(folder: Path) -> None:
    rewrite(folder, "entries/own.json", lambda said: said["rows"][0].update(id=0))


def _no_kinds(folder: Path) -> None:
    rewrite(folder, "kinds.json", lambda said: said.update(rows=[]))


def _bad_base64(folder: Path) -> None:
    def change(said: dict[str, Any]) -> None:
        said["rows"][0].pop("stored")
        said["rows"][0]["stored_base64"] = "%%"

    rewrite(folder, "entries/own.json", change)


def _no_rows(folder: Path) -> None:
    rewrite(folder, "entries/own.json", lambda said: said.update(rows="none"))


@pytest.mark.parametrize(
    "harm",
    [
        *(_changed_text, _missing, _shortened, _no_json, _deep, _half_a_character, _unnamed, _negative),
        *(_other_person, _twice, _huge_number, _object_in_a_column, _no_id, _no_kinds, _bad_base64, _no_rows),
    ],
)
def test_a_damaged_export_is_refused_before_anything_is_written(
    typed: Typed, exported: Path, tmp_path: Path, harm: Callable[[Path], None]
) -> None:
    harm(exported)
    before = data(tmp_path)
    said = typed("import", "exported", "--admin", status=14).err
    assert "not as it was written" in said
    assert "nothing was imported" in said
    assert data(tmp_path) == before


def _outside(folder: Path) -> None:
    def change(said: dict[str, Any]) -> None:
        said["files"]["entries/../../secret.json"] = said["files"]["kinds.json"]

    shutil.copy(folder / "kinds.json", folder.parent / "secret.json")
    manifest(folder, change)


def _absolute(folder: Path) -> None:
    manifest(
        folder, lambda said: said["files"].update({str(folder / "kinds.json"): said["files"]["kinds.json"]})
    )


def _linked_file(folder: Path) -> None:
    shutil.move(folder / "kinds.json", folder.parent / "kinds.json")
    (folder / "kinds.json").symlink_to(folder.parent / "kinds.json")


def _linked_folder(folder: Path) -> None:
    shutil.move(folder / "entries", folder.parent / "entries")
    (folder / "entries").symlink_to(folder.parent / "entries")


def _linked_manifest(folder: Path) -> None:
    shutil.move(folder / "manifest.json", folder.parent / "manifest.json")
    (folder / "manifest.json").symlink_to(folder.parent / "manifest.json")


def _folder_for_a_file(folder: Path) -> None:
    (folder / "kinds.json").unlink()
    (folder / "kinds.json").mkdir()


def _newer(folder: Path) -> None:
    manifest(folder, lambda said: said.update(format=2))


def _unknown_setting(folder: Path) -> None:
    rewrite(folder, "privacy_settings.json", lambda said: said["rows"][0].update(hide_all=1))


def _unknown_column(folder: Path) -> None:
    rewrite(folder, "entries/own.json", lambda said: said["rows"][0].update(hidden_until="2030-01-01"))


def _too_large(folder: Path) -> None:
    manifest(folder, lambda said: said["files"]["kinds.json"].update(bytes=export_folder.MOST_BYTES + 1))


def _odd_name(folder: Path) -> None:
    rewrite(folder, "user.json", lambda said: said["rows"][0].update(username="a b"))
    manifest(folder, lambda said: said.update(username="a b"))


@pytest.mark.parametrize(
    ("harm", "said"),
    [
        (_outside, "which is no file of an export"),
        (_absolute, "which is no file of an export"),
        (_linked_file, "kinds.json is a link"),
        (_linked_folder, "entries is a link"),
        (_linked_manifest, "manifest.json is a link"),
        (_folder_for_a_file, "is no file"),
        (_newer, "format 2"),
        (_unknown_setting, "does not know"),
        (_unknown_column, "does not know"),
        (_too_large, "so much is not imported at once"),
        (_odd_name, "No account can be made"),
    ],
)
def test_what_is_no_export_of_this_form_is_refused_before_anything_is_written(
    typed: Typed, exported: Path, tmp_path: Path, harm: Callable[[Path], None], said: str
) -> None:
    harm(exported)
    before = data(tmp_path)
    assert said in typed("import", "exported", "--admin", status=2).err
    assert data(tmp_path) == before


def test_what_fails_on_the_way_leaves_nothing(
    typed: Typed, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = import_writing.run_import

    def fail(*given: Any) -> Any:
        done(*given)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("app.cli.import_.run_import", fail)
    typed("import", "exported", "--admin", status=None)
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert typed("user", "list", "--json").json["users"] == []


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """What an import does when, and whether another program can write at that moment."""
    seen: list[tuple[str, bool]] = []

    def may_write() -> bool:
        with closing(sqlite3.connect(tmp_path / "data/daemon.db", timeout=0, isolation_level=None)) as other:
            with suppress(sqlite3.OperationalError):
                other.execute("BEGIN IMMEDIATE")
            return other.in_transaction

    for where, name in (("app.cli.import_", "plan_import"), ("app.cli.import_", "run_import")):
        watch(monkeypatch, where, name, lambda name=name: seen.append((name, may_write())))  # type: ignore[misc]
    watch(
        monkeypatch, "app.entries.text_search", "search_these", lambda: seen.append(("search", may_write()))
    )
    return seen


def watch(monkeypatch: pytest.MonkeyPatch, where: str, name: str, look: Callable[[], None]) -> None:
    done = getattr(import_module(where), name)

    def looked(*given: Any, **named: Any) -> Any:
        look()
        return done(*given, **named)

    monkeypatch.setattr(f"{where}.{name}", looked)


def test_others_can_write_but_while_the_rows_are_written(
    typed: Typed, exported: Path, watched: list[tuple[str, bool]]
) -> None:
    typed("import", "exported", "--admin")
    assert watched == [("plan_import", True), ("run_import", False), ("search", True)]


def test_a_plan_of_what_is_no_longer_so_is_made_again(
    typed: Typed,
    exported: Path,
    tmp_path: Path,
    watched: list[tuple[str, bool]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    writing = Database.writing

    def after_someone_else(self: Database) -> Any:
        with closing(sqlite3.connect(tmp_path / "data/daemon.db")) as other, other:
            other.execute("INSERT INTO id_counters VALUES (hex(randomblob(8)), 1)")
        return writing(self)

    monkeypatch.setattr(Database, "writing", after_someone_else)
    typed("import", "exported", "--admin")
    planned = [("plan_import", True)] * 3
    assert watched == [*planned, ("plan_import", False), ("run_import", False), ("search", True)]
