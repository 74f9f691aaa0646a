"""JSON Resume, Markdown and daemon.md: is every oddity of real files read, kept, or refused by name?"""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.errors import InvalidContent
from app.formats.dates import date_of, range_of
from app.formats.items import Choices, Found, ReadSource, Source
from app.formats.recognise import read_source

TODAY = "2026-06-01"
KINDS = frozenset(
    {"resume", "ideas", "about", "projects", "favorite_books", "daily_routine", "contacts", "mission"}
)


def read(files: dict[str, bytes | str], choices: Choices | None = None) -> ReadSource:
    raw = {path: each.encode() if isinstance(each, str) else each for path, each in files.items()}
    return read_source(Source("source", raw), choices or Choices(), KINDS, TODAY)


def resume(value: Any, path: str = "resume.json") -> Found:
    found = read({path: json.dumps(value)})
    assert found.format == "JSON Resume"
    (only,) = found.items
    return only


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2014", "2014"),
        ("2014-05", "2014-05"),
        ("2014-05-03", "2014-05-03"),
        ("2020/10/25", "2020-10-25"),
        ("2014-05-03T10:00:00Z", "2014-05-03"),
        ("May 2014", "2014-05"),
        ("15 Jan 2024", "2024-01-15"),
        ("Jan 15, 2024", "2024-01-15"),
        ("6/19/15, 10:16 AM", "2015-06-19"),
        ("Mayor 2014", None),
        ("2014-13", None),
        ("soon", None),
        ("", None),
    ],
)
def test_a_date_is_as_exact_as_it_is_written(text: str, date: str | None) -> None:
    assert date_of(text) == date


def test_a_range_in_one_field_has_two_ends() -> None:
    assert range_of("Dec 2019 - Present") == ("Dec 2019", "Present")
    assert range_of("2014-2016") == ("2014", "2016")
    assert range_of("2014-05") is None
    assert range_of("well - known") is None


def test_words_of_both_versions_become_those_of_now() -> None:
    found = resume(
        {
            "basics": {
                "firstName": "Ann",
                "lastName": "Bee",
                "website": "https://a.example",
                "picture": "p.png",
            },
            "work": [
                {"company": "C", "website": "https://c.example", "period": "Dec 2019 - Present"},
                {"name": "D", "company": "kept", "startDate": "May 2014", "endDate": "Present"},
                {"name": "E", "span": {"from": "2001", "to": "2003-02"}},
            ],
        }
    ).content
    assert found["basics"] == {
        "firstName": "Ann",
        "lastName": "Bee",
        "name": "Ann Bee",
        "url": "https://a.example",
        "image": "p.png",
    }
    first, second, third = found["work"]
    assert (first["name"], first["url"], first["startDate"]) == ("C", "https://c.example", "2019-12")
    assert "endDate" not in first
    assert (second["name"], second["company"], second["startDate"]) == ("D", "kept", "2014-05")
    assert "endDate" not in second
    assert (third["startDate"], third["endDate"]) == ("2001", "2003-02")


def test_what_is_unknown_stays_and_what_is_others_is_named() -> None:
    found = resume(
        {
            "basics": {"name": "A", "image": "data:image/png;base64,AAAA"},
            "hots": [{"a": None}],
            "references": [{"name": "B", "reference": "good"}],
            "skills": {"web": ["html"]},
            "meta": {"theme": "x", "visibility": "public"},
        }
    )
    assert found.content["hots"] == [{"a": None}]
    assert found.content["skills"] == {"web": ["html"]}
    assert found.content["meta"] == {"theme": "x"}
    assert "references" not in found.content
    assert "image" not in found.content["basics"]
    assert [each.place for each in found.left_out] == [
        "resume.json: basics.image",
        "resume.json: references",
    ]


def test_one_resume_in_several_languages_is_several_entries() -> None:
    basics = json.dumps({"basics": {"name": "A"}})
    found = read({"resume.json": basics, "resume.fa.json": basics, "resume.zh-Hant.json": basics})
    assert {each.source_id for each in found.items} == {"resume:", "resume:fa", "resume:zh-Hant"}


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"titleNameMap": {}, "educationList": []}, "template of a resume builder"),
        ({"name": "x", "attributes": [{"trait_type": "birthday", "value": 1}]}, "token's metadata"),
        ({"basics": {"karma": 3}, "work": []}, "gitconnected"),
    ],
)
def test_what_looks_alike_is_refused_by_name(value: Any, said: str) -> None:
    with pytest.raises(InvalidContent, match=said):
        resume(value)


def test_front_matter_is_kept_as_it_is_written() -> None:
    matter = "title: 1984\ndate: 2023\nyes: no\nsize: 2x18\nzip: 01234\nlink: '[[A note]]'\n"
    text = f"---\n{matter}---\n\nBody\n---\nmore\n"
    (found,) = read({"post.md": text}).items
    assert found.content["content"] == "Body\n---\nmore\n"
    meta = found.content["meta"]
    assert (meta["title"], meta["date"]) == ("1984", "2023")
    assert meta["front_matter"] == {
        "title": "1984",
        "date": "2023",
        "yes": "no",
        "size": "2x18",
        "zip": "01234",
        "link": "[[A note]]",
    }


@pytest.mark.parametrize(
    ("matter", "tags"),
    [
        ("tags: [a, b]", ["a", "b"]),
        ("tags: a, b c", ["a", "b c"]),
        ("tags: a b", ["a", "b"]),
        ("tags:", None),
        ("tags: [2020, null, '#x']", ["2020", "x"]),
        ("taxonomies:\n  tags: [a]\n  categories: [b]", ["a", "b"]),
    ],
)
def test_tags_in_every_form(matter: str, tags: list[str] | None) -> None:
    (found,) = read({"post.md": f"---\n{matter}\n---\nx"}).items
    assert found.content["meta"].get("tags") == tags


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("post.md", "---\ndraft: true\n---\nx"),
        ("post.md", "---\ndraft: yes\n---\nx"),
        ("post.md", "+++\ndraft = true\n+++\nx"),
        ("post.md", '{"draft": true}\nx'),
        ("post.md", "---\npublished: false\n---\nx"),
        ("post.md", "---\npublish: no\n---\nx"),
        ("post.md", "---\nprivate: true\n---\nx"),
        ("post.md", "---\narchived: true\n---\nx"),
        ("post.md", "---\nstatus: Draft\n---\nx"),
        ("post.md", "---\nvisibility: unlisted\n---\nx"),
        ("post.md", "---\ndate: 2026-06-02\n---\nx"),
        ("2027-01-01-later.md", "x"),
        ("_drafts/post.md", "x"),
    ],
)
def test_what_was_not_to_be_seen_is_hidden(path: str, text: str) -> None:
    (found,) = read({path: text, "b.md": "open"}).items[:1]
    assert found.is_hidden, found


@pytest.mark.parametrize(
    ("text", "body", "title"),
    [
        ("# Words\n\ntext", "# Words\n\ntext", "Words"),
        ("---\n\nA rule above, none below\n", "---\n\nA rule above, none below\n", "2010-09-13-a-b"),
        ("---\nnot a key, but words\n---\nx", "---\nnot a key, but words\n---\nx", "2010-09-13-a-b"),
        ("---\n---\nx", "x", "a-b"),
        ("{{< shortcode >}}\n{% raw %}", "{{< shortcode >}}\n{% raw %}", "a-b"),
    ],
)
def test_what_is_no_front_matter_is_text(text: str, body: str, title: str) -> None:
    (found,) = read({"2010-09-13-a-b.md": text}).items
    assert found.content["content"] == body
    assert found.content["meta"]["title"] in (title, "a-b")
    assert found.content["meta"]["date"] == "2010-09-13"
    assert found.slug == "a-b"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("---\ntitle: x\nbody", "never ends"),
        ("---\na: [1\n---\n", "line 3|no YAML"),
        ("+++\na = \n+++\n", "no TOML"),
        (
            "---\na: &a [x, x]\n" + "b: [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\n" * 2 + "---\n",
            "aliases",
        ),
        ("---\na: 1\na: 2\n---\n", "twice in the front matter: a"),
        ("---\n" + "a: " + "[" * 40 + "]" * 40 + "\n---\n", "unfolds to too much"),
    ],
)
def test_broken_and_hostile_front_matter_is_refused_with_a_sentence(text: str, said: str) -> None:
    with pytest.raises(InvalidContent, match=said):
        read({"post.md": text})


def test_a_tag_of_yaml_makes_no_object() -> None:
    (found,) = read({"post.md": "---\na: !!python/object/apply:os.system ['x']\n---\n"}).items
    assert found.content["meta"]["front_matter"] == {"a": ["x"]}


def test_folders_of_obsidian_and_of_themes_are_left_out() -> None:
    found = read(
        {"Templates/t.md": "x", ".obsidian/a.json": "{}", "Daily/1.md": "x", "n.md": "y", "a.base": "z"}
    )
    assert [each.place for each in found.items] == ["n.md"]
    assert {each.place for each in found.left_out} == {
        "Templates/t.md",
        ".obsidian/a.json",
        "Daily/1.md",
        "a.base",
    }


DAEMON_MD = """# Someone

---

[ABOUT]

I am.

[MISSION]
To be.

[CURRENT_LOCATION]
Somewhere

[FAVORITE_BOOKS]

- "One" by A. Author
- *Two* by B

[PREDICTIONS]
(To be added...)

[UNKNOWN THING]
P1: kept

[ABOUT]
again
---
"""


def test_sections_of_a_daemon_md_go_to_their_kinds() -> None:
    found = read({"daemon.md": DAEMON_MD})
    assert found.format == "daemon.md"
    told = [
        (each.kind, each.content.get("content") or each.content["title"], each.is_hidden)
        for each in found.items
    ]
    assert told == [
        ("about", "I am.", False),
        ("mission", "To be.", False),
        ("ideas", "Somewhere", True),
        ("favorite_books", "One", False),
        ("favorite_books", "Two", False),
        ("ideas", "P1: kept", False),
        ("about", "again", False),
    ]
    assert len({each.source_id for each in found.items}) == 7
    assert [each.place for each in found.left_out] == [
        "daemon.md, above the first section",
        "daemon.md, section PREDICTIONS",
    ]


def test_folders_of_the_earlier_server() -> None:
    found = read(
        {
            "data/ideas/one.json": '[{"content": "a", "meta": {"visibility": "private"}}, {"content": "b"}]',
            "data/projects_example.json": '[{"name": "p", "achievements": "one"}]',
            "data/private/ann/ideas/two.json": '{"content": "c"}',
            "data/ideas/README.md": "about",
            "data/resume/resume.json": '{"name": "A", "title": "B"}',
        }
    )
    assert found.format == "folders of the earlier server"
    told = [(each.kind, each.is_hidden) for each in found.items]
    assert told == [
        ("ideas", True),
        ("ideas", False),
        ("projects", False),
        ("ideas", True),
        ("resume", False),
    ]
    assert [each.place for each in found.left_out] == ["data/ideas/README.md"]


@pytest.mark.parametrize("path", ["a.pdf", "a.docx", "a.json.bak", "a.xyz"])
def test_what_is_no_format_of_ours_is_named(path: str) -> None:
    with pytest.raises(InvalidContent, match=r"not read here|no format") as refused:
        read({path: "x"})
    assert "vCard" in str(refused.value.hint)
