"""Do the container blocks of docs/upgrade_guide.md work as written, in their order, on a real engine?"""

from __future__ import annotations

import os
import subprocess

from tests.containers.conftest import Site
from tests.containers.test_compose import entry_count, put_old_database
from tests.contract.test_guide import NEWEST_BACKUP, TAG, blocks_of

NAMED = ("-c", "user.name=Operator", "-c", "user.email=operator@example.org")


def test_the_container_blocks_of_the_guide(site: Site) -> None:
    put_old_database(site, 1000)
    before = entry_count(site.database)
    make_repository(site)
    site.compose("up", "-d", "api")
    for block in blocks_of("container"):
        text = block.text.replace("backup_YYYYMMDD_HHMMSS.db", NEWEST_BACKUP).replace("vX.Y.Z", TAG)
        text = text.replace("localhost:8004", f"localhost:{site.port}")
        site.run("bash", "-e", "-c", text)
        site.wait_for("/health", 200)
    assert entry_count(site.database) == before


def make_repository(site: Site) -> None:
    """A repository whose origin is itself, with the tag that the guide checks out."""
    (site.folder / ".gitignore").write_text("data\nbackups\nlogs\n")
    for words in (
        ("init", "-q", "-b", "main"),
        ("add", "."),
        (*NAMED, "commit", "-q", "-m", "What was released"),
        ("tag", TAG),
        ("remote", "add", "origin", "."),
    ):
        environment = {**os.environ, "HOME": str(site.folder)}
        subprocess.run(["git", *words], cwd=site.folder, env=environment, check=True)
