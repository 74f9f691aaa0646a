"""Is the ZIP of an export read without Daemon, and by an import; and is none that someone has changed?"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import zipfile
from collections.abc import Callable
from operator import attrgetter
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

from app import clock
from app.accounts.audit import COMMAND_LINE
from app.entries import own_kinds, pictures, write
from app.entries.export import export_user
from app.entries.export_archive import archive_of_files
from app.entries.export_folder import read_export
from app.entries.export_source import is_export
from app.errors import Damaged, UsageError
from app.formats.pictures import sizes_of
from app.privacy.levels import MOST_OPEN
from tests.entries.conftest import BEN, World

READER = """
import hashlib, io, json, sys, zipfile
archive = zipfile.ZipFile(sys.argv[1])
sums = dict(reversed(line.split("  ", 1)) for line in archive.read("SHA256SUMS").decode().splitlines())
assert set(sums) == set(archive.namelist()) - {"SHA256SUMS"}
for name, sha256 in sums.items():
    assert hashlib.sha256(archive.read(name)).hexdigest() == sha256, name
found = {"texts": {}, "entries": []}
for name in archive.namelist():
    if name.startswith("entries/"):
        for row in json.loads(archive.read(name))["rows"]:
            content = json.loads(row["stored"])
            kept = ("id", "kind", "visibility", "slug", "created_at", "updated_at", "is_active")
            found["entries"].append({**{key: row[key] for key in kept}, "content": content})
    elif name.startswith("markdown/"):
        _, matter, text = archive.read(name).decode().split("---\\n", 2)
        lines = (line.split(": ", 1) for line in matter.splitlines() if not line.startswith(" "))
        said = {key: json.loads(value) for key, value in lines}
        found["texts"][said["id"]] = [said, text.strip()]
names = archive.namelist()
found["resumes"] = [json.loads(archive.read(name)) for name in names if name.startswith("resume/")]
cards = archive.read("contacts.vcf").decode().replace("\\r\\n ", "").split("\\r\\n")
found["names"] = [line[3:] for line in cards if line.startswith("FN:")]
found["kinds"] = [row["name"] for row in json.loads(archive.read("kinds.json"))["rows"]]
found["schemas"] = [name for name in names if name.startswith("schemas/") and json.loads(archive.read(name))]
print(json.dumps(found))
"""  # thirty lines of nothing but Python's own
Made = Callable[..., Path]


@pytest.fixture
def zipped(world: World, tmp_path: Path) -> Path:
    """The ZIP of ben, who has a bit of everything."""
    write.create(
        world.conn,
        BEN,
        "ideas",
        {"content": "A text\n---\nx: 1\n", "meta": {"title": "T", "tags": ["a"]}},
        slug="a-text",
    )
    write.create(world.conn, BEN, "ideas", {"content": "hidden", "meta": {"visibility": "private"}})
    write.create(
        world.conn, BEN, "resume", {"basics": {"name": "Ben"}, "work": [{"name": "W", "startDate": "2019"}]}
    )
    write.create(world.conn, BEN, "events", {"content": "e", "meta": {"date": "2026-05-04"}})
    own_kinds.create_kind(world.conn, 2, "notes", {"schema": {"type": "object"}, "example": {}})
    deleted = world.entry("ideas", {"content": "deleted"}, owner=2, is_active=0)
    for entry_id, color in ((None, "red"), (deleted, "blue")):
        sizes = sizes_of(picture_of(color), is_avatar=entry_id is None)
        pictures.add(world.conn, 2, entry_id, sizes, COMMAND_LINE, clock.now(), most_bytes=None)
    path = tmp_path / "export.zip"
    path.write_bytes(b"".join(archive_of_files(export_user(world.conn, "ben", MOST_OPEN))))
    return path


def picture_of(color: str) -> bytes:
    made = io.BytesIO()
    Image.new("RGB", (900, 700), color).save(made, "PNG")
    return made.getvalue()


def test_thirty_lines_read_it_without_daemon(zipped: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-c", READER, str(zipped)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [each["content"].get("content") for each in found["entries"] if each["kind"] == "ideas"] == [
        "A text\n---\nx: 1\n", "hidden", "deleted",
    ]  # fmt: skip
    assert len(found["texts"]) == 4
    assert {"A text\n---\nx: 1", "e", "hidden"} < {text for _, text in found["texts"].values()}
    said = {each[0].get("slug"): each for each in found["texts"].values()}["a-text"]
    assert said[0]["tags"] == ["a"]
    assert said[1] == "A text\n---\nx: 1"
    assert "deleted" not in [text for _, text in found["texts"].values()]
    assert [each["basics"]["name"] for each in found["resumes"]] == ["Ben"]
    assert found["names"] == ["Ben"]
    assert set(found["schemas"]) == {
        "schemas/events.json",
        "schemas/ideas.json",
        "schemas/notes.json",
        "schemas/resume.json",
    }


def test_pictures_are_files_in_their_largest_size(world: World, zipped: Path) -> None:
    with zipfile.ZipFile(zipped) as archive:
        found = {name: archive.read(name) for name in archive.namelist() if name.startswith("media/")}
        rows = json.loads(archive.read("pictures.json"))["rows"]
        said = archive.read("README.md").decode()
    of_entry = [row for row in rows if row["entry_id"] is not None]
    assert len(of_entry) == len(rows) - 1 == 1
    name = f"media/{of_entry[0]['entry_id']}-{of_entry[0]['number']}.webp"
    large = {"media/avatar.webp": ("red", True), name: ("blue", False)}
    assert found == {
        path: max(sizes_of(picture_of(color), is_avatar=is_avatar), key=attrgetter("width")).content
        for path, (color, is_avatar) in large.items()
    }
    assert "`avatar.webp`" in said


def test_only_what_is_public_is_in_the_feed(zipped: Path) -> None:
    with zipfile.ZipFile(zipped) as archive:
        feed = ElementTree.fromstring(archive.read("feed.atom"))
        assert "README.md" in archive.namelist()
        assert b"BEGIN:VEVENT" in archive.read("events.ics")
    texts = [each.text for each in feed.iter("{http://www.w3.org/2005/Atom}content")]
    assert "A text\n---\nx: 1" in [text.strip() for text in texts if text]
    assert "hidden" not in texts
    ids = [each.text for each in feed.iter("{http://www.w3.org/2005/Atom}id")]
    assert len(set(ids)) == len(ids) == 4


def test_an_import_reads_what_it_reads_of_a_folder(world: World, zipped: Path, tmp_path: Path) -> None:
    assert is_export(zipped)
    folder = tmp_path / "folder"
    for name, content in export_user(world.conn, "ben", MOST_OPEN).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    one, other = read_export(zipped), read_export(folder)
    assert (one.account, one.entries, one.kinds, one.rules) == (
        other.account,
        other.entries,
        other.kinds,
        other.rules,
    )


def again(path: Path, change: Callable[[dict[str, bytes]], None] | None = None, **added: bytes) -> Path:
    """Write the ZIP again with changed files."""
    with zipfile.ZipFile(path) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    if change is not None:
        change(files)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in [*files.items(), *added.items()]:
            archive.writestr(name, content)
    return path


def test_a_changed_zip_is_refused_with_a_sentence(zipped: Path, capsys: pytest.CaptureFixture[str]) -> None:
    whole = zipped.read_bytes()

    def refused(error: type[Exception], match: str) -> None:
        with pytest.raises(error, match=match):
            read_export(zipped)
        zipped.write_bytes(whole)

    again(zipped, lambda files: files.update({"entries/ideas.json": files["entries/ideas.json"] + b" "}))
    refused(Damaged, "bytes, and")
    again(zipped, lambda files: files.update({"entries/ideas.json": b"{}"}))
    refused(Damaged, "size or SHA-256")
    again(zipped, lambda files: files.__delitem__("user.json"))
    refused(Damaged, "user.json: it is missing")
    again(
        zipped,
        lambda files: files.update(
            {"manifest.json": files["manifest.json"].replace(b"README.md", b"../../../etc")}
        ),
    )
    refused(UsageError, "no file of an export")
    with pytest.warns(UserWarning, match="Duplicate"):
        again(zipped, None, **{"user.json": b"{}"})
    refused(UsageError, "twice")
    link = zipfile.ZipInfo("media/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(zipped, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    refused(UsageError, "is a link")
    again(zipped, lambda files: files.update({"manifest.json": b"0" * 20_000_000}))
    refused(Damaged, "at most are expected")
    zipped.write_bytes(whole[: len(whole) // 2])
    assert not is_export(zipped)


def test_what_is_to_be_read_is_not_trusted(zipped: Path) -> None:
    """No import looks at it: whoever changes a Markdown file changes nothing that comes in."""
    before = read_export(zipped)
    again(zipped, lambda files: files.update({"markdown/ideas/a-text.md": b"---\nvisibility: public\n---\n"}))
    assert read_export(zipped).entries == before.entries
