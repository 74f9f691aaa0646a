"""Texts and sources from elsewhere: is each encoding read or named, and does nothing lead outside?"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from app.errors import DaemonError, InvalidContent
from app.formats import sources
from app.formats.items import Choices
from app.formats.json_text import read_json
from app.formats.sources import read_bytes, read_path
from app.formats.texts import text_of


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("Grüße".encode(), "Grüße"),
        (b"\xef\xbb\xbfa", "a"),
        (b"\xff\xfe" + "Ü\r\n".encode("utf-16-le"), "Ü\r\n"),
        (b"\xfe\xff" + "Ü".encode("utf-16-be"), "Ü"),
        ("می‌خواهم 👩‍👩‍👧 e\u0301".encode(), "می‌خواهم 👩‍👩‍👧 e\u0301"),
    ],
)
def test_a_text_is_what_its_mark_and_utf8_say(content: bytes, text: str) -> None:
    assert text_of(content, "a.txt") == text


def test_another_encoding_counts_only_when_it_is_asked_for() -> None:
    with pytest.raises(InvalidContent, match=r"a\.txt is not UTF-8: byte 3 \(line 2\) is 0xE9"):
        text_of(b"ab\n\xe9", "a.txt")
    assert text_of(b"ab\n\xe9", "a.txt", "windows-1252") == "ab\né"
    assert text_of("é".encode(), "a.txt", "windows-1252") == "é"
    with pytest.raises(InvalidContent, match="no encoding called 'klingon'"):
        text_of(b"\xe9", "a.txt", "klingon")


def test_what_is_no_character_is_named_with_its_place() -> None:
    with pytest.raises(InvalidContent, match=r"line 2, column 2: U\+0000"):
        text_of(b"ab\nc\x00", "a.txt")
    for spelled, name in (("\\ud800", "D800"), ("\\u0000", "0000")):
        with pytest.raises(InvalidContent, match=rf"line 1, column 8: U\+{name}"):
            read_json('{"a": "' + spelled + '"}', "a.json", Choices())


def test_a_key_that_stands_twice_is_asked_about_and_never_dropped() -> None:
    text = '{"a": [1], "b": {"c": 1, "c": 2}, "a": [2]}'
    with pytest.raises(InvalidContent, match="twice in one object: c, a"):
        read_json(text, "a.json", Choices())
    assert read_json(text, "a.json", Choices(doubled="first")) == {"a": [1], "b": {"c": 1}}
    assert read_json(text, "a.json", Choices(doubled="last")) == {"a": [2], "b": {"c": 2}}
    assert read_json(text, "a.json", Choices(doubled="both")) == {"a": [1, 2], "b": {"c": [1, 2]}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1,}', "line 1, column [89]"),
        ('{\n// words\n"a": 1}', "line 2, column 1"),
        ('{"a": NaN}', "NaN is no number"),
        ("[" * 100_000, "nested too deep"),
        ("[" * 61 + "]" * 61, "nested more than 60 deep"),
    ],
)
def test_what_is_no_json_is_refused_with_its_place(text: str, said: str) -> None:
    with pytest.raises(InvalidContent, match=said):
        read_json(text, "a.json", Choices())


def zipped(files: dict[str, bytes], **more: int) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = more.get("attributes", 0)
            archive.writestr(info, content)
    return written.getvalue()


def test_a_zip_is_its_files_without_what_systems_add() -> None:
    content = zipped({"a/b c.md": b"x", "__MACOSX/a": b"", "a/.DS_Store": b"", "ü.md": b"y"})
    assert read_bytes("a.zip", content).files == {"a/b c.md": b"x", "ü.md": b"y"}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (zipped({"../a.md": b"x"}), "leads out of the folder"),
        (zipped({"/etc/a": b"x"}), "leads out of the folder"),
        (zipped({"c:/a": b"x"}), "leads out of the folder"),
        (zipped({"a\\..\\..\\b": b"x"}), "leads out of the folder"),
        (zipped({"/".join("a" * 30): b"x"}), "folders deep"),
        (zipped({"a": b"0" * 9_000_000}), "more than 200 times its size"),
        (zipped({"a": b"x"}, attributes=0o120777 << 16), "is a link"),
        (b"PK\x03\x04nonsense", "no ZIP that can be read"),
    ],
)
def test_a_hostile_zip_is_refused_with_a_sentence(content: bytes, said: str) -> None:
    with pytest.raises(InvalidContent, match=said):
        read_bytes("a.zip", content)


def test_bounds_hold_for_folders_and_zips(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sources, "FILES_MOST", 2)
    monkeypatch.setattr(sources, "FILE_BYTES_MOST", 10)
    monkeypatch.setattr(sources, "BYTES_MOST", 15)
    many = {"a": b"", "b": b"", "c": b""}
    for files, said in (
        (many, "more than 2 files"),
        ({"a": b"x" * 11}, "larger"),
        ({"a": b"x" * 8, "b": b"x" * 8}, "whole"),
    ):
        folder = tmp_path / said.replace(" ", "_")
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_bytes(content)
        with pytest.raises(InvalidContent, match=said):
            read_path(folder)
        with pytest.raises(DaemonError):
            read_bytes("a.zip", zipped(files))


def test_a_zip_whose_list_is_not_true_is_refused() -> None:
    content = bytearray(zipped({"a": b"x" * 1000}))
    at = content.rindex(b"PK\x01\x02") + 24  # the size unpacked, in the list at the end
    content[at : at + 4] = (10).to_bytes(4, "little")
    with pytest.raises(InvalidContent, match=r"than the ZIP says|cannot be unpacked"):
        read_bytes("a.zip", bytes(content))


def test_a_link_in_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.md").write_text("y")
    (folder / "link.md").symlink_to(tmp_path / "secret")
    assert read_path(folder).files == {"a.md": b"y"}
