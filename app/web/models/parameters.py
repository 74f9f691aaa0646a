"""Models: the forms of parameters, each with what is described of it. Rooms check what they mean."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query

from app.entries.cursors import CURSOR_FORM
from app.entries.entry import LIMIT_MOST
from app.entries.everyones_rules import CURSOR_FORM as RULE_FORM
from app.entries.list_filter import LONGEST_WORD, LOOKED_AT_MOST, SORTS
from app.entries.partial_dates import LONGEST
from app.entries.parts import REACH_OF_PAGES, SIZE_MOST
from app.entries.search_question import SORTS as SEARCH_SORTS
from app.entries.slugs import CHARACTERS_MOST, FORM
from app.entries.text_match import LONGEST_QUERY
from app.privacy.levels import NAMES
from app.web.models.base import form

LARGEST_ID = 2**63 - 1


def _whole_number(most: int) -> Any:
    return {"minimum": 1, "maximum": most}


# -- in the path

Name = Annotated[str, Path(json_schema_extra={"minLength": 1})]
Id = Annotated[str, Path(), form(type="integer", **_whole_number(LARGEST_ID))]

_SLUG = {"type": "string", "maxLength": CHARACTERS_MOST}
IdOrSlug = Annotated[
    str,
    Path(description="The id of the entry; or its slug, where it is one's own or the default person's."),
    form(**_SLUG, pattern=f"^([1-9][0-9]{{0,17}}|{FORM})$"),
]

# -- in the query: there is no null there; what is not asked for is left out

Text = Annotated[str | None, form(type="string", minLength=1)]
Timestamp = Annotated[str | None, form(type="string", format="date-time")]
_Level = Annotated[str | None, form(type="string", enum=list(NAMES))]
_NEXT = "The `next` of the page before."

Level = Annotated[_Level, Query(description="The view of a stranger at this privacy level.")]
OlderLevel = Annotated[
    _Level, Query(deprecated=True, description="The view of a stranger at this privacy level.")
]
Slug = Annotated[
    str | None,
    form(**_SLUG, pattern=f"^({FORM})?$"),
    Query(description="A name for the address, beside the id; empty: none."),
]
BulkMode = Annotated[
    str,
    form(type="string", enum=["upsert", "create"]),
    Query(description="create: an item whose entry is there already is a fault, and replaces nothing."),
]
Limit = Annotated[
    int,
    Query(
        description=f"How many items at most, 1 to {LIMIT_MOST}.", json_schema_extra=_whole_number(LIMIT_MOST)
    ),
]
Cursor = Annotated[str | None, form(type="string", pattern=CURSOR_FORM), Query(description=_NEXT)]
IdCursor = Annotated[str | None, form(type="string", pattern="^[1-9][0-9]{0,17}$"), Query(description=_NEXT)]
RuleCursor = Annotated[str | None, form(type="string", pattern=RULE_FORM), Query(description=_NEXT)]
_Word = Annotated[str | None, form(type="string", minLength=1, maxLength=LONGEST_WORD)]
_DAY = (
    "((0[13578]|1[02])(-(0[1-9]|[12][0-9]|3[01]))?|(0[469]|11)(-(0[1-9]|[12][0-9]|30))?"
    "|02(-(0[1-9]|1[0-9]|2[0-8]))?)"
)
_TIME = (
    r"T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{3}|\.[0-9]{6})?)?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])?"
)
_YEAR = "(0[1-9]|[1-8][0-9]|9[0-8])[0-9]{2}"  # a few more are heard, and leap days
_DATE = f"^{_YEAR}(-{_DAY})?$|^{_YEAR}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8]){_TIME}$"
_Date = Annotated[str | None, form(type="string", pattern=_DATE, maxLength=LONGEST)]
Tag = Annotated[_Word, Query(description="Entries with this tag, in `meta.tags` or `tags`; without case.")]
Status = Annotated[_Word, Query(description="Entries with this `status`, in `meta` or at the top.")]
Since = Annotated[
    _Date, Query(description="Of this year, month, day or time, or later: `meta.date`, or else creation.")
]
Until = Annotated[_Date, Query(description="Of this year, month, day or time, or earlier.")]
Words = Annotated[
    _Word,
    Query(description='Entries with these words or their beginnings; "words in a row" and -without too.'),
]
Sort = Annotated[
    str | None,
    form(type="string", enum=list(SORTS)),
    Query(description=f"Anything but created (or -created): of a list of up to {LOOKED_AT_MOST} entries."),
]
SearchWords = Annotated[
    str,
    Query(
        description='Words, "words in a row", beginnings* and -without; anything else is text.',
        json_schema_extra={"minLength": 1, "maxLength": LONGEST_QUERY},
    ),
]
KindName = Annotated[_Word, Query(description="Entries of the kind of this name.")]
UserName = Annotated[Text, Query(description="Entries of this person.")]
SearchSort = Annotated[
    str | None,
    form(type="string", enum=list(SEARCH_SORTS)),
    Query(description="rank: what has the words in its title first; date: the newest first."),
]
Fields = Annotated[
    str | None,
    form(type="string", minLength=1),
    Query(description="Of `data` only these members: `meta.title,content`."),
]
PageNumber = Annotated[
    int,
    Query(
        deprecated=True,
        description=f"The older form: which page, from 1; up to entry {REACH_OF_PAGES:,}.",
        json_schema_extra=_whole_number(REACH_OF_PAGES),
    ),
]
Size = Annotated[
    int,
    Query(
        deprecated=True,
        description=f"The older form: how many items a page has, 1 to {SIZE_MOST}.",
        json_schema_extra=_whole_number(SIZE_MOST),
    ),
]
ActiveOnly = Annotated[
    bool,
    Query(
        deprecated=True,
        description="The older server's: taken, and without effect. What is deleted no one is shown.",
    ),
]
