"""Is a database whose file alone is mounted, or has a second name, refused before anything begins?"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.backup.create import create_backup
from app.cli.status import found_out, in_words
from app.doctor.health import findings_of
from app.errors import Refused
from app.settings import Settings
from app.upgrade.detect.recognise import describe
from app.upgrade.operations.restore import restore_and_hold
from app.upgrade.operations.rollback import run_rollback
from app.upgrade.operations.upgrade import run_upgrade
from app.upgrade.plan import exit_code_of, make_plan
from tests.upgrade.places import everything_in

Old = Callable[[str], Path]
Share = Callable[[Path], None]


def link_beside(path: Path) -> None:
    os.link(path, path.with_name("other.db"))


def link_elsewhere(path: Path) -> None:
    (path.parent.parent / "snapshots").mkdir()
    os.link(path, path.parent.parent / "snapshots" / path.name)


def link_behind_a_symbolic_link(path: Path) -> None:
    disk = path.parent.parent / "disk"
    disk.mkdir()
    path.rename(disk / "real.db")
    path.symlink_to(disk / "real.db")
    os.link(disk / "real.db", disk / "second.db")


LINKS = (link_beside, link_elsewhere, link_behind_a_symbolic_link)


@pytest.fixture
def bind() -> Iterator[Share]:
    """Mount the file upon itself, as a container engine mounts one from the host."""
    mounted: list[Path] = []

    def mount(path: Path) -> None:
        subprocess.run(["mount", "--bind", str(path), str(path)], check=True)
        mounted.append(path)

    yield mount
    for path in mounted:
        subprocess.run(["umount", str(path)], check=True)


def assert_refused(settings: Settings, home: Path, code: str, said: str) -> None:
    backup = create_backup(settings, "manual", describe=describe)
    before = everything_in(home)
    plan = make_plan(settings)
    assert exit_code_of(plan) == 15
    assert [each.code for each in plan.blockers] == [code]
    assert said in plan.blockers[0].message + plan.blockers[0].hint
    outcome = run_upgrade(settings)
    assert (outcome.state, outcome.exit_code) == ("refused", 15)
    assert plan.blockers[0].message in outcome.message
    with pytest.raises(Refused, match="nothing was changed"):
        restore_and_hold(settings, backup.name)
    assert everything_in(home) == before


@pytest.mark.parametrize("share", LINKS)
def test_a_second_name_is_refused(old: Old, settings: Settings, home: Path, share: Share) -> None:
    share(old("layout_a"))
    real = settings.database_path.resolve()
    assert_refused(settings, home, "hard_links", f"-samefile {real}")


@pytest.mark.needs("root", "mount")
def test_a_file_that_is_mounted_alone_is_refused(
    old: Old, settings: Settings, home: Path, bind: Share
) -> None:
    path = old("layout_a")
    bind(path)
    assert_refused(settings, home, "mounted_alone", f"./data:{path.parent}")


@pytest.mark.needs("root", "mount")
def test_a_folder_that_is_mounted_is_not(old: Old, settings: Settings, bind: Share) -> None:
    path = old("layout_a")
    bind(path.parent)
    assert make_plan(settings).blockers == ()


@pytest.mark.parametrize("share", LINKS)
def test_a_database_that_needs_no_upgrade_is_told_of_too(old: Old, settings: Settings, share: Share) -> None:
    path = old("layout_a")
    assert run_upgrade(settings).state == "done"
    share(path)

    assert exit_code_of(make_plan(settings)) == 15
    assert "hard links" in in_words(found_out(settings))
    assert "hard_links" in [each.code for each in findings_of(settings)]
    assert run_rollback(settings).exit_code == 15


def test_one_name_again_is_enough(old: Old, settings: Settings) -> None:
    path = old("layout_a")
    link_beside(path)
    assert make_plan(settings).blockers
    path.with_name("other.db").unlink()
    assert run_upgrade(settings).state == "done"
