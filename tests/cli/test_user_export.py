"""Does ``daemon user export`` write all that there is about a person, privately, and over nothing?"""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path

from tests.cli.conftest import Typed

PASSWORD = "correct horse battery"


def test_everything_about_a_person_goes_into_one_private_file(typed: Typed, tmp_path: Path) -> None:
    typed("init")
    typed("user", "create", "ann", "ann@example.org", "--admin", "--password-stdin", stdin=PASSWORD + "\n")
    path = tmp_path / "new" / "ann.zip"
    said = typed("user", "export", "ANN", "--to", str(path), "--json").json
    assert (said["user"], said["file"], said["size_bytes"]) == ("ann", str(path), path.stat().st_size)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        account = json.loads(archive.read("account.json"))["rows"][0]
        told = [row["action"] for row in json.loads(archive.read("audit.json"))["rows"]]
    assert (account["username"], "hashed_password" in account) == ("ann", False)
    assert told == ["EXPORT", "CLAIM", "CREATE"]
    before = path.read_bytes()
    assert "already" in typed("user", "export", "ann", "--to", str(path), status=2).err
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
    assert "no user" in typed("user", "export", "eve", "--to", str(tmp_path / "eve.zip"), status=1).err
    assert not (tmp_path / "eve.zip").exists()
