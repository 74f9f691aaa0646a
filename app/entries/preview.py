"""Preview. What is each audience answered of one's own entries? By the very code that answers them.

| audience | who that is |
|---|---|
| `stranger` | anyone without an account, at each level |
| `assistant` | who says that it is an assistant, or asks for `ai_safe` |
| `person` | someone else who has logged in, or their key |
| `key` | a key of one's own |
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from app.accounts.people import Person
from app.entries import read
from app.entries.parts import Part, by_cursor
from app.entries.people import NOBODYS_ID
from app.entries.question import Question
from app.errors import NotFound, UsageError
from app.privacy.levels import MOST_OPEN, NAMES, known
from app.privacy.viewer import STRANGER, Viewer

AUDIENCES = ("stranger", "assistant", "person", "key")
ASSISTANTS_LEVEL = "ai_safe"
Preview = dict[str, Any]
"""What one audience is answered: `as`, `level` (asked for, None for none), `status`, `answer` (the entry or
the page, None where there is none) and `detail` (the sentence of the refusal, or None)."""


@dataclass(frozen=True)
class Wanted:
    """Of which kind, and as whom: None is every audience, and every level that strangers may ask for."""

    kind: str
    entry_id: int | None = None
    audience: str | None = None
    level: str | None = None
    part: Part = field(default_factory=by_cursor)


def previews(
    connection: Connection, person: Person, wanted: Wanted, ceiling: str = MOST_OPEN
) -> list[Preview]:
    """Return what audiences are answered who ask for a person's list of a kind, or for one entry.

    ``ceiling`` is the installation's PRIVACY_LEVEL. Raises UsageError, UnknownLevel.
    """
    if wanted.audience is not None and wanted.audience not in AUDIENCES:
        raise UsageError(
            f"There is no audience {wanted.audience[:40]!r}.", hint=f"There are {', '.join(AUDIENCES)}."
        )
    return [
        _answered(connection, audience, question)
        for audience, question in _questions(person, wanted, ceiling)
        if wanted.audience in (None, audience)
    ]


def _questions(person: Person, wanted: Wanted, ceiling: str) -> Iterator[tuple[str, Question]]:
    owner = None if wanted.entry_id is not None else person.username
    asked = Question(wanted.kind, owner=owner, ceiling=ceiling, part=wanted.part, entry_id=wanted.entry_id)
    for level in NAMES if wanted.level is None else (known(wanted.level),):
        yield "stranger", replace(asked, viewer=STRANGER, level=level)
    assistant = replace(STRANGER, is_assistant=True)
    yield "assistant", replace(asked, viewer=assistant, level=wanted.level or ASSISTANTS_LEVEL)
    yield "person", replace(asked, viewer=Viewer("person", NOBODYS_ID, ""), level=wanted.level)
    yield "key", replace(asked, viewer=Viewer("person", person.id, person.username), level=wanted.level)


def _answered(connection: Connection, audience: str, question: Question) -> Preview:
    found: Preview = {"as": audience, "level": question.level, "status": 200, "answer": None, "detail": None}
    try:
        if question.entry_id is not None:
            return found | {"answer": read.item(connection, question).view}
        return found | {"answer": read.page(connection, question).as_json()}
    except NotFound as error:
        return found | {"status": error.status, "detail": error.message}
