"""Does ``daemon import`` take what other programs wrote: shown first, all or nothing, once, and undone?"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Typed

PASSWORD = "correct horse battery staple"
RESUME = {
    "basics": {
        "name": "Ann Bee",
        "label": "Engineer",
        "email": "ann@home.example",
        "phone": "+1 415 555 0134",
    },
    "work": [{"company": "Copperline", "position": "Principal", "startDate": "May 2014"}],
    "references": [{"name": "B", "reference": "good"}],
}


@pytest.fixture
def ann(typed: Typed) -> Typed:
    """An installation whose only account is ann."""
    typed("init")
    typed("user", "create", "ann", "--admin", "--password-stdin", stdin=PASSWORD)
    return typed


def rows(tmp_path: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(tmp_path / "data/daemon.db")) as connection:
        return connection.execute(query).fetchall()


def resume_file(tmp_path: Path, **more: Any) -> Path:
    path = tmp_path / "resume.json"
    path.write_text(json.dumps(RESUME | more))
    return path


def test_a_plan_says_what_strangers_will_see_and_writes_nothing(ann: Typed, tmp_path: Path) -> None:
    path, before = resume_file(tmp_path), (tmp_path / "data/daemon.db").read_bytes()
    said = ann("import", str(path), "--dry-run")
    assert said.status == 0
    assert "resume.json -> resume, public" in said.out
    assert "business_card: basics.name" in said.out
    assert "references: what others say is theirs" in said.out
    assert "Nothing was written" in said.out
    (item,) = ann("import", str(path), "--dry-run", "--json").json["items"]
    assert item["action"] == "add"
    assert "+1 415 555 0134" not in json.dumps(item["strangers_see"])
    assert (tmp_path / "data/daemon.db").read_bytes() == before


def test_what_the_plan_shows_is_what_strangers_see_afterwards(ann: Typed, tmp_path: Path) -> None:
    path = resume_file(tmp_path)
    (planned,) = ann("import", str(path), "--dry-run", "--json").json["items"]
    (done,) = ann("import", str(path), "--json").json["items"]
    seen = ann(
        "privacy", "preview", "ann", "resume", "--entry", str(done["id"]), "--as", "stranger", "--json"
    ).json
    by_level = {each["level"]: each["answer"] and each["answer"]["data"] for each in seen["previews"]}
    assert {level: view for level, view in planned["strangers_see"].items() if level in by_level} == by_level


def test_twice_is_once_and_undone_is_undone(ann: Typed, tmp_path: Path) -> None:
    path = resume_file(tmp_path)
    first = ann("import", str(path), "--json").json
    assert first["id"] is not None
    again = ann("import", str(path), "--json").json
    assert (again["id"], [each["action"] for each in again["items"]]) == (None, ["here"])
    assert rows(tmp_path, "SELECT count(*) FROM data_entries") == [(1,)]
    assert rows(tmp_path, "SELECT path, content FROM import_files") == [("resume.json", path.read_bytes())]
    assert "1 entries  JSON Resume  resume.json" in ann("import", "--list").out
    undone = ann("import", "--undo", str(first["id"]))
    assert undone.out == "Undone: 1 entries deleted.\n"
    assert rows(tmp_path, "SELECT count(*) FROM data_entries WHERE is_active = 1") == [(0,)]
    assert ann("import", "--undo", str(first["id"]), status=None).status != 0
    assert "(undone)" in ann("import", "--list").out
    assert ann("import", str(path), "--json").json["items"][0]["action"] == "add"


def test_an_entry_that_is_erased_leaves_no_name_of_a_file(ann: Typed, tmp_path: Path) -> None:
    path = tmp_path / "quillwort.md"
    path.write_text("text")
    (item,) = ann("import", str(path), "--json").json["items"]
    ann("entry", "erase", str(item["id"]), "--yes")
    assert rows(tmp_path, "SELECT label, mapping, source_sha256 FROM imports") == [
        (None, '{"erased": 1}', "")
    ]
    assert b"quillwort" not in (tmp_path / "data/daemon.db").read_bytes()
    assert "0 entries  Markdown  None  (1 erased)" in ann("import", "--list").out
    undone = ann("import", "--undo", str(ann("import", "--list", "--json").json["imports"][0]["id"]))
    assert undone.out == "Undone: 0 entries deleted. 1 of it had been erased before.\n"


def test_what_was_changed_since_is_not_taken_away(ann: Typed, tmp_path: Path) -> None:
    first = ann("import", str(resume_file(tmp_path)), "--json").json
    with closing(sqlite3.connect(tmp_path / "data/daemon.db")) as connection, connection:
        connection.execute("UPDATE data_entries SET updated_at = '2026-01-01 00:00:00'")
    said = ann("import", "--undo", str(first["id"]), status=None)
    assert said.status != 0
    assert "1 of its 1 entries were changed since" in said.err
    assert rows(tmp_path, "SELECT count(*) FROM data_entries WHERE is_active = 1") == [(1,)]


def test_what_changed_at_its_source_stays_as_it_is_here(ann: Typed, tmp_path: Path) -> None:
    ann("import", str(resume_file(tmp_path)))
    said = ann("import", str(resume_file(tmp_path, awards=[{"title": "A"}])), "--json").json
    assert [each["action"] for each in said["items"]] == ["changed"]
    assert "awards" not in rows(tmp_path, "SELECT data FROM data_entries")[0][0]


def test_all_or_nothing_and_never_more_public_than_the_kind(ann: Typed, tmp_path: Path) -> None:
    blog = tmp_path / "blog"
    (blog / "_drafts").mkdir(parents=True)
    (blog / "2020-01-02-open.md").write_text("---\ntitle: Open\n---\ntext\n")
    (blog / "_drafts/later.md").write_text("text\n")
    (blog / "empty.md").write_text("")
    refused = ann("import", str(blog), status=None)
    assert refused.status != 0
    assert "empty.md: " in refused.err
    assert "--without-unfit" in refused.err
    assert rows(tmp_path, "SELECT count(*) FROM data_entries") == [(0,)]
    said = ann("import", str(blog), "--without-unfit", "--json").json
    told = {each["place"]: (each["action"], each["visibility"], each["slug"]) for each in said["items"]}
    assert told == {
        "2020-01-02-open.md": ("add", "public", "open"),
        "_drafts/later.md": ("add", "private", "later"),
        "empty.md": ("unfit", "public", None),
    }
    cards = tmp_path / "phone.vcf"
    cards.write_text("BEGIN:VCARD\nFN:C\nTEL:1\nX-VISIBILITY:public\nEND:VCARD\n")
    assert ann("import", str(cards), "--json").json["items"][0]["visibility"] == "private"
    assert dict(rows(tmp_path, "SELECT visibility, count(*) FROM data_entries GROUP BY 1")) == {
        "private": 2,
        "public": 1,
    }


def test_with_several_accounts_the_hint_repeats_what_was_typed(ann: Typed, tmp_path: Path) -> None:
    ann("user", "create", "ben", "--password-stdin", stdin=PASSWORD)
    path = resume_file(tmp_path).rename(tmp_path / "my resume.json")
    for words in (("--dry-run",), ("--kind", "ideas", "--without-unfit"), ()):
        said = ann("import", path.name, *words, status=2).err
        assert " ".join(["daemon import 'my resume.json'", *words, "--into NAME"]) in said
        assert "ann, ben" in said
    typed = "daemon import 'my resume.json' --dry-run --json --into NAME"
    assert ann("import", path.name, "--json", "--dry-run", status=2).json["error"]["hint"] == typed
    assert "daemon import --undo 7 --into NAME" in ann("import", "--undo", "7", status=2).err
    assert "Nothing was written" in ann("import", path.name, "--dry-run", "--into", "ben").out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("import",), "What is to be imported?"),
        (("import", "nowhere"), "nothing at nowhere"),
        (("import", "a.csv"), "Its columns are: a, b"),
        (("import", "a.csv", "--kind", "ideas", "--column", "title"), "is no NAME=FIELD"),
        (("import", "a.csv", "--into", "zora"), "no account 'zora'"),
        (("import", "--undo", "1"), "no such import"),
    ],
)
def test_what_cannot_be_imported_is_said_in_a_sentence(
    ann: Typed, tmp_path: Path, words: tuple[str, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.csv").write_text("a,b\n1,2\n")
    monkeypatch.chdir(tmp_path)
    answer = ann(*words, status=None)
    assert answer.status != 0
    assert said in answer.err
    assert "Traceback" not in answer.err


def test_a_table_with_a_mapping(ann: Typed, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Titel,Text\nEins,Wort\nZwei,Wort\n")
    words = ("--kind", "ideas", "--column", "Titel=title", "--column", "Text=content")
    said = ann("import", str(path), *words, "--json").json
    assert [each["action"] for each in said["items"]] == ["add", "add"]
