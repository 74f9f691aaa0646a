"""Is everything on the disk before it has its name, in an order that a power cut cannot turn round?"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.settings import Settings
from tests.backup.worlds import ROOT

CREATE = """
import sys
from pathlib import Path
from app.backup.create import create_backup
from app.settings import Settings
from tests.backup.worlds import describe
folder = Path(sys.argv[1])
settings = Settings(database_url=f"sqlite:///{folder}/data/daemon.db", backup_dir=folder / "backups")
create_backup(settings, describe=describe)
"""
PLACE = (
    CREATE.replace("create_backup(settings, describe=describe)\n", "")
    + """
from app.backup.restore.restore import restore_backup
name = create_backup(settings, describe=describe).name
settings.database_path.unlink()
print("now", flush=True)
restore_backup(settings, name, describe=describe)
"""
)


def calls(code: str, folder: Path) -> list[str]:
    """The writes, syncs and renames of a run, each with the names (without folders) that it was about."""
    trace = folder / "trace.txt"
    names = "trace=write,pwrite64,fsync,fdatasync,rename,unlink"
    command = ["strace", "-f", "-qq", "-y", "-o", str(trace), "-e", names, sys.executable, "-c", code]
    subprocess.run([*command, str(folder)], cwd=ROOT, check=True, capture_output=True)
    found = []
    for line in trace.read_text(errors="replace").splitlines():
        match = re.match(r"\d+ +(\w+)\((.*)\) += \d+", line)
        if match:
            paths = re.findall(r'[<"](/[^>"]*)[>"]', match[2])
            found.append(" ".join([match[1], *(Path(path).name for path in paths)]))
    return found


def shape(found: list[str]) -> list[str]:
    """The calls with the moment taken out of the names."""
    return [re.sub(r"\d{8}_\d{6}", "MOMENT", call) for call in found]


@pytest.mark.needs("strace")
def test_a_backup_is_on_the_disk_before_it_has_its_name(home: Settings) -> None:
    found = shape(calls(CREATE, home.data_dir.parent))
    moves = [call for call in found if call.startswith("rename ")][-2:]
    assert moves == [
        "rename manifest.json backup_MOMENT.db.json",
        "rename database.db backup_MOMENT.db",
    ]
    first, last = (found.index(move) for move in moves)
    assert "fsync database.db" in found[:first]
    assert not [
        call
        for call in found[found.index("fsync database.db") :]
        if "write" in call and "database.db" in call
    ]
    assert any(re.fullmatch(r"fsync .*manifest\.json.*", call) for call in found[:first])
    assert "fsync backups" in found[first:last]
    assert "fsync backups" in found[last:]


@pytest.mark.needs("strace")
def test_a_restored_file_is_on_the_disk_before_it_has_its_name(home: Settings) -> None:
    found = shape(calls(PLACE, home.data_dir.parent))
    found = found[found.index("unlink daemon.db") :]
    move = found.index("rename .daemon.db.restoring daemon.db")
    assert "fsync .daemon.db.restoring" in found[:move]
    assert "fsync data" in found[:move]
    assert "fsync data" in found[move:]
