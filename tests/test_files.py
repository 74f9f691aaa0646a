"""Does every file get onto the disk whole, private, and owned by the right account?"""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

import pytest

from app import files
from tests.upgrade.places import NOBODY, as_nobody, open_folder

SOMEBODY = 12345


def mode_of(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def owner_of(path: Path) -> tuple[int, int]:
    return path.stat().st_uid, path.stat().st_gid


@pytest.fixture
def somebodys(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    os.chown(folder, SOMEBODY, SOMEBODY)
    return folder


def test_a_new_folder_is_private_and_an_old_one_stays_as_it_is(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    files.private_folder(tmp_path / "a" / "b")
    assert [mode_of(tmp_path / "a"), mode_of(tmp_path / "a" / "b")] == [0o700, 0o700]
    files.private_folder(tmp_path)
    assert mode_of(tmp_path) == 0o755


def test_a_file_in_the_way_of_a_folder_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotADirectoryError):
        files.private_folder(tmp_path / "file")
    with pytest.raises(NotADirectoryError):
        files.private_folder(tmp_path / "file" / "below")


def test_a_file_is_made_private(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("x")
    path.chmod(0o644)
    files.private_file(path)
    assert mode_of(path) == 0o600


@pytest.mark.parametrize(
    ("before", "after"), [(0o644, 0o640), (0o666, 0o660), (0o600, 0o600), (0o2777, 0o2770)]
)
def test_others_lose_what_they_could_and_the_group_keeps_it(tmp_path: Path, before: int, after: int) -> None:
    path = tmp_path / "given"
    path.mkdir() if before & 0o2000 else path.touch()
    path.chmod(before)
    assert files.close_to_others(path) is (before != after)
    assert mode_of(path) == after
    assert not files.close_to_others(path)


@pytest.mark.needs("root")
def test_a_new_file_belongs_to_whom_the_database_belongs(somebodys: Path) -> None:
    database = somebodys / "database"
    database.touch()
    os.chown(database, 54321, 54322)
    for mode, expected in ((0o660, 0o660), (0o640, 0o600), (0o644, 0o600), (0o600, 0o600)):
        database.chmod(mode)
        files.write_atomically(somebodys / "file", b"x", like=database)
        (somebodys / "lines").unlink(missing_ok=True)
        files.append_line(somebodys / "lines", "x", like=database)
        (somebodys / "made").write_text("x")
        files.private_file(somebodys / "made", database)
        made = [somebodys / name for name in ("file", "lines", "made")]
        assert {(owner_of(path), mode_of(path)) for path in made} == {((54321, 54322), expected)}


@pytest.mark.needs("root")
def test_what_takes_a_files_place_takes_its_owner_and_its_groups_access(somebodys: Path) -> None:
    before, new = somebodys / "before", somebodys / "new"
    for owner, mode, expected in (((0, 54322), 0o644, 0o640), ((54321, 54322), 0o660, 0o660)):
        before.touch()
        os.chown(before, *owner)
        before.chmod(mode)
        new.write_text("x")
        files.take_access_of(new, before)
        assert (owner_of(new), mode_of(new)) == (owner, expected)
    before.unlink()
    files.take_access_of(new, before)
    assert (owner_of(new), mode_of(new)) == ((SOMEBODY, SOMEBODY), 0o600)


@pytest.mark.needs("root")
def test_a_database_of_roots_alone_gives_way_to_the_owner_of_the_folder(somebodys: Path) -> None:
    database = somebodys / "database"
    database.touch(0o600)
    files.append_line(somebodys / "lines", "x", like=database)
    assert owner_of(somebodys / "lines") == (SOMEBODY, SOMEBODY)
    database.chmod(0o660)  # shared with root's group, on purpose
    files.append_line(somebodys / "more", "x", like=database)
    assert (owner_of(somebodys / "more"), mode_of(somebodys / "more")) == ((0, 0), 0o660)


@pytest.mark.needs("root")
def test_a_group_that_an_account_is_not_in_gives_nobody_access() -> None:
    with open_folder() as folder:
        os.chown(folder, NOBODY, NOBODY)
        database, lines = folder / "database", folder / "lines"
        database.touch()
        os.chown(database, NOBODY, 54322)
        database.chmod(0o660)
        as_nobody(lambda: files.append_line(lines, "x", like=database))
        assert (owner_of(lines), mode_of(lines)) == ((NOBODY, NOBODY), 0o600)


@pytest.mark.needs("root")
def test_what_the_system_refuses_is_told_by_the_name_that_people_know() -> None:
    def refused(path: Path) -> str:
        try:
            files.close_to_others(path)
        except PermissionError as error:
            return str(error.filename)
        return ""

    with open_folder() as folder:
        path = folder / "given"
        path.touch()
        path.chmod(0o644)
        assert as_nobody(lambda: refused(path)) == str(path)


def test_a_link_is_left_alone(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_text("x")
    target.chmod(0o644)
    (tmp_path / "link").symlink_to(target)
    files.private_file(tmp_path / "link")
    assert mode_of(target) == 0o644


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        files.private_file(tmp_path / "none")


def test_making_a_file_private_keeps_the_locks_that_this_process_holds_on_it(tmp_path: Path) -> None:
    path = tmp_path / "database"
    path.write_bytes(b"x" * 100)
    with path.open("r+b") as held:
        fcntl.lockf(held, fcntl.LOCK_EX)
        files.private_file(path)
        child = os.fork()
        if child == 0:  # another process: POSIX locks do not show within their own
            with path.open("r+b") as other:
                try:
                    fcntl.lockf(other, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except OSError:
                    os._exit(0)
            os._exit(1)
        assert os.waitpid(child, 0)[1] == 0


@pytest.mark.needs("root")
def test_what_root_makes_belongs_to_the_owner_of_the_folder(somebodys: Path) -> None:
    files.private_folder(somebodys / "below" / "deeper")
    files.write_atomically(somebodys / "file", b"x")
    files.append_line(somebodys / "lines", "x")
    (somebodys / "made").write_text("x")
    files.private_file(somebodys / "made")
    made = [somebodys / name for name in ("below", "below/deeper", "file", "lines", "made")]
    assert {owner_of(path) for path in made} == {(SOMEBODY, SOMEBODY)}


def test_a_file_is_replaced_whole_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    files.write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    assert mode_of(path) == 0o600
    files.write_atomically(path, b"", mode=0o644)
    assert (path.read_bytes(), mode_of(path)) == (b"", 0o644)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("call", ["write", "fsync", "fchmod"])
def test_a_failing_disk_leaves_the_old_file_and_no_part(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(OSError, match="No space"):
        files.write_atomically(path, b"new")
    monkeypatch.undo()
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_lines_are_appended_one_by_one(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    files.append_line(path, "first")
    files.append_line(path, "second\nstill second")
    assert path.read_text() == "first\nsecond still second\n"
    assert mode_of(path) == 0o600


def test_a_line_cut_short_by_a_crash_spoils_only_itself(tmp_path: Path) -> None:
    path = tmp_path / "journal"
    path.write_text("whole\ncut sho")
    files.append_line(path, "next")
    assert path.read_text() == "whole\ncut sho\nnext\n"


def test_lines_are_not_written_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "journal").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic links"):
        files.append_line(tmp_path / "journal", "line")


def test_modes_are_changed_where_there_is_no_proc_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.path.lexists
    monkeypatch.setattr(os.path, "lexists", lambda path: not str(path).startswith("/proc/") and real(path))
    path, link = tmp_path / "file", tmp_path / "link"
    path.write_text("mine")
    path.chmod(0o644)
    link.symlink_to(path)
    assert not files.close_to_others(link)
    assert mode_of(path) == 0o644
    assert files.close_to_others(path)
    assert mode_of(path) == 0o640
