"""Does the server say when it can read and not write, and does it notice by itself when that is over?"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from app.errors import Busy, NotFound, Refused
from app.server.write_health import WriteHealth
from tests.web.conftest import Site


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 3 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)], check=True)
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def remount(folder: Path, options: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)


@pytest.mark.needs("root", "mount")
def test_a_full_disk_is_found_by_looking_and_its_end_too(small_disk: Path) -> None:
    database = small_disk / "daemon.db"
    database.write_bytes(b"x")
    health = WriteHealth(database)
    health.look()
    assert health.reason == ""
    with pytest.raises(OSError, match="No space"):
        (small_disk / "filler").write_bytes(b"x" * 4_000_000)
    health.look()
    assert "full" in health.reason
    remount(small_disk, "size=9m")
    health.look()
    assert health.is_writable


@pytest.mark.needs("root", "mount")
def test_a_disk_that_became_read_only_is_found_by_looking(small_disk: Path) -> None:
    health = WriteHealth(small_disk / "daemon.db")
    (small_disk / "daemon.db").write_bytes(b"x")
    remount(small_disk, "ro")
    health.look()
    assert not health.is_writable
    remount(small_disk, "rw")
    health.look()
    assert health.is_writable


def test_a_write_that_failed_counts_until_one_succeeds(tmp_path: Path) -> None:
    (tmp_path / "daemon.db").write_bytes(b"x")
    health = WriteHealth(tmp_path / "daemon.db")
    health.failed(Refused("Disk quota exceeded."))
    health.look()  # which sees no quota
    assert health.reason == "Disk quota exceeded."
    health.succeeded()
    assert health.is_writable


@pytest.mark.parametrize("error", [NotFound("No such entry."), Busy("Someone holds it.")])
def test_a_write_that_was_refused_for_itself_says_nothing_of_the_disk(error: Refused, tmp_path: Path) -> None:
    (tmp_path / "daemon.db").write_bytes(b"x")
    health = WriteHealth(tmp_path / "daemon.db")
    health.failed(error)
    assert health.is_writable


def test_health_is_degraded_while_nothing_can_be_written_and_names_no_place(site: Site) -> None:
    site.app.server.jobs.stop()  # what they write tells, too, that it can be
    before = site.client.get("/health").json()
    assert (before["status"], before["writable"]) == ("healthy", True)
    health = site.app.server.supervisor.write_health
    health.failed(Refused(f"{site.app.server.settings.database_path} is full."))
    for path in ("/health", "/health/ready"):
        answer = site.client.get(path)
        assert answer.status_code == 200
        said = answer.json()
        assert (said["status"], said["writable"]) == ("degraded", False)
        assert str(site.app.server.settings.data_dir) not in answer.text
    assert site.client.get("/api/v1/ideas").status_code == 200
    with site.app.server.supervisor.writing() as connection:
        connection.execute(text("UPDATE users SET full_name = full_name"))
    assert site.client.get("/health").json()["status"] == "healthy"
