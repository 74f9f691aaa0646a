"""JSON Resume, written: does what is made of any entry keep to the official schema?

`json_resume_schema.json` is schema.json of @jsonresume/schema 1.3.1 (MIT, its licence beside it), as it came.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from app.formats.json_resume_writing import resume_of
from tests.entries.test_json_resume import RESUME
from tests.web.test_entry_forms import RESUME as OWN_WORDS

SCHEMA = json.loads((Path(__file__).parent / "json_resume_schema.json").read_text("utf-8"))
ODD: tuple[Any, ...] = (
    *({}, None, "x", [1], 7),
    {
        "basics": {
            "name": 7,
            "email": "not an address",
            "url": "example.org",
            "location": "Berlin",
            "phone": 49,
            "profiles": ["x", {"url": "no uri", "network": 3}],
        }
    },
    {"basics": {"image": "me.jpg", "url": ["https://a.example"], "location": {"city": ["a"]}}},
    {
        "work": [
            {
                "name": None,
                "startDate": "Spring 2020",
                "endDate": "Present",
                "highlights": "one",
                "url": "a b",
            },
            *("x", {"startDate": 2020, "summary": ["a", "b"], "location": {"city": "x"}}),
        ],
        "skills": ["Python", {"name": 3, "keywords": "a,b"}, {"keywords": [1, None, "b"], "level": 5}],
        "education": {"institution": "one", "score": 1.3, "courses": [{"a": 1}]},
    },
    {
        "experience": [{"company": "C", "start_date": "2020-13", "description": ["a"], "website": 5}],
        "skills": {"technical": "Rust", "soft": [3]},
        "languages": ["English", {"language": None, "fluency": True}],
        "meta": {"version": 3, "lastModified": ["yesterday"], "canonical": "no"},
    },
    {
        "awards": [{"title": ["x"], "date": "2020-02-31"}],
        "certificates": [{"name": "a", "url": "http://[::1"}],
        "publications": [{"releaseDate": "2020-2"}],
        "references": ["x"],
        "projects": [{"roles": "Lead", "keywords": {"a": 1}, "url": 5, "entity": 3, "type": ["x", 1]}],
        "interests": [["x"]],
        "volunteer": [{"organization": {"x": 1}}],
    },
)


def faults(value: object) -> list[str]:
    checker = jsonschema.Draft7Validator.FORMAT_CHECKER
    found = jsonschema.Draft7Validator(SCHEMA, format_checker=checker).iter_errors(value)
    return [f"{'/'.join(map(str, each.path))}: {each.message}" for each in found]


@pytest.mark.parametrize("data", [RESUME, OWN_WORDS, *ODD])
def test_it_keeps_to_the_official_schema(data: Any) -> None:
    made = resume_of(data)
    assert faults(made) == []
    assert all("://" in each for each in addresses(made)), "no package here checks that format"


def addresses(value: object) -> list[str]:
    if isinstance(value, list):
        return [found for each in value for found in addresses(each)]
    if not isinstance(value, dict):
        return []
    own = [value[key] for key in ("url", "canonical") if key in value]
    return own + [found for each in value.values() for found in addresses(each)]


def test_the_check_finds_what_does_not_fit() -> None:
    assert faults({"basics": {"name": 7}})
    assert faults({"work": [{"startDate": "Spring"}]})
    assert faults({"basics": {"email": "none"}})


def test_what_fits_is_told_as_it_is() -> None:
    made = resume_of(RESUME)
    assert made["basics"] == RESUME["basics"]
    assert made["awards"] == RESUME["awards"]
    assert resume_of({"basics": {"phone": 49, "url": "example.org"}})["basics"] == {
        "phone": "49",
        "url": "https://example.org",
    }
