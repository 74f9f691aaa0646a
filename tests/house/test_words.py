"""Search terms: is what a stranger looks for found by the field's word, in a file's name or first line?"""

from __future__ import annotations

from functools import cache

import pytest

from tests.house.sources import ROOT, docstring_of, python_files

TERMS = (
    *(
        "process lock",
        "readiness",
        "maintenance",
        "lost volume",
        "background job",
        "session",
        "response cache",
    ),
    *("audit", "foreign key", "drift", "rehearsal", "repair", "rollback", "restore", "manifest", "retention"),
    *(
        "fingerprint",
        "migration",
        "preflight",
        "verification",
        "history",
        "journal",
        "progress",
        "authentication",
    ),
    *(
        "password",
        "api key",
        "rate limit",
        "privacy level",
        "policy",
        "redaction",
        "visibility",
        "pagination",
    ),
    *("validation", "export", "cors", "openapi", "request id", "etag", "health", "signal", "integrity check"),
    *("permission", "disk space", "connection pool", "ddl", "online copy", "proxy", "doctor"),
)
# What these were called before, in house.md's glossary; no file is called so any more.
PICTURES = (
    "fence",
    "gate",
    "gatekeeper",
    "guard",
    "house",
    "mend",
    "since",
    "scratch",
    "workbench",
    "rounds",
    "kept",
)


@cache
def places() -> tuple[tuple[str, str], ...]:
    """Return the name of each file of the product and its first line, in lower case."""
    found = []
    for path in python_files("app"):
        head = docstring_of(path).strip().partition("\n")[0]
        found.append((path.relative_to(ROOT).as_posix().replace("_", " ").lower(), head.lower()))
    return tuple(found)


@pytest.mark.parametrize("term", TERMS)
def test_a_term_of_the_field_leads_to_a_file(term: str) -> None:
    assert any(term in name or term in head for name, head in places())


@pytest.mark.parametrize("picture", PICTURES)
def test_no_file_has_the_name_of_a_picture(picture: str) -> None:
    assert not [path for path in python_files("app") if path.stem == picture]


def test_a_first_line_begins_with_what_it_is_about() -> None:
    """A term, and only then a question: so that a list of first lines can be searched."""
    questions = (
        "what",
        "which",
        "how",
        "who",
        "where",
        "when",
        "why",
        "is ",
        "are ",
        "may ",
        "does ",
        "can ",
    )
    odd = [name for name, head in places() if head.startswith(questions) and head.endswith("?")]
    assert odd == []
