"""Models: entries and their kinds. What the content of a kind must hold says the schema of the kind."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, RootModel

from app.entries.bulk_items import ITEMS_MOST
from app.entries.own_kinds import DESCRIPTION_CHARACTERS_MOST, NAME_FORM, TITLE_CHARACTERS_MOST
from app.entries.slugs import CHARACTERS_MOST as SLUG_MOST
from app.entries.slugs import FORM
from app.entries.visibility import WORDS
from app.web.models.base import Answer, Body, MayBeMissing, PageOf, Stored, Whole, form, sent
from app.web.models.parameters import LARGEST_ID

Visibility = Literal["public", "unlisted", "private"]


class FindingRelease(Answer):
    entry_id: int
    detector: str
    value_hash: str


class Finding(Answer):
    pointer: str = Field(description="JSON Pointer of the text, the number, or the member with the name.")
    in_name: bool = Field(description="Whether it is in the name of the member.")
    kind: str = Field(description="What was found: mail, phone, card, secret and so on.")
    start: int = Field(description="In code points.")
    end: int
    value_hash: str = Field(description="Names the value that was found, and can be told from nothing else.")
    levels: dict[str, Literal["shown", "hidden", "left out"]] = Field(
        description="What strangers are shown of it at each level; left out: with its whole field."
    )
    released: int | None = Field(description="The release because of which it is shown.")
    release: FindingRelease | None = Field(description="What to POST to /api/v1/privacy/releases.")
    hint: str


class Warning(Answer):
    pointer: str = Field(description="JSON Pointer of the member; of several elements that of the first.")
    detail: str


class Entry(Answer):
    id: int
    content: Any = None
    meta: Any = None
    data: Any = Field(description="The whole entry, as far as the caller may see it.")
    created_at: Stored | None
    updated_at: Stored | None
    visibility: MayBeMissing[Visibility] = Field(None, description="For its owner and admins.")
    owner: str | None = Field(None, description="For its owner and admins.")
    slug: MayBeMissing[str] = Field(None, description="For its owner and admins, if it has one.")
    findings: MayBeMissing[list[Finding]] = Field(
        None, description="For its owner: what was found in its texts, and who is shown it."
    )
    warnings: MayBeMissing[list[Warning]] = Field(
        None, description="For its owner: members that no stranger sees at any level."
    )
    stored_text: MayBeMissing[str] = Field(
        None, description="For its owner and admins, where what an older server stored is not JSON."
    )


class Page(PageOf[Entry]):
    pass


class Kind(Answer):
    name: str
    title: str | None
    description: str | None
    json_schema: Any = Field(alias="schema", description="The JSON Schema of what can be written.")
    is_public: bool
    is_active: bool
    is_builtin: bool
    is_own: bool = Field(description="Whether it is a person's own; of someone else's only the name is told.")
    created_at: Stored | None
    example: MayBeMissing[Any] = Field(None, description="What can be written, if there is an example.")
    version: MayBeMissing[int] = Field(None, description="For its owner: how often its schema was another.")
    default_visibility: MayBeMissing[Visibility] = Field(
        None, description="For its owner: of an entry that says none."
    )


class KindPage(PageOf[Kind]):
    pass


class KindVersion(Answer):
    version: int
    json_schema: Any = Field(alias="schema")
    example: Any
    created_at: Stored | None


class KindVersionPage(PageOf[KindVersion]):
    pass


class ChangedKind(Body):
    """Each member takes the place of what was."""

    title: Annotated[str | None, form(type=["string", "null"], maxLength=TITLE_CHARACTERS_MOST)] = None
    description: Annotated[
        str | None, form(type=["string", "null"], maxLength=DESCRIPTION_CHARACTERS_MOST)
    ] = None
    json_schema: dict[str, Any] = Field(
        {}, alias="schema", description="A JSON Schema (2020-12) of an object."
    )
    example: dict[str, Any] = Field({}, description="What fits the schema.")
    default_visibility: Annotated[str, form(enum=list(WORDS))] = Field(
        "private", description="Of an entry that says none."
    )
    is_public: bool = Field(False, description="Whether others may know of it.")
    is_active: bool = Field(True, description="Whether it is in use.")

    def said(self) -> dict[str, Any]:
        """Return the members that were sent, as the room calls them."""
        return {"schema" if name == "json_schema" else name: value for name, value in sent(self).items()}


class NewKind(ChangedKind):
    """A kind of one's own."""

    name: Annotated[str, form(type="string", pattern=f"^{NAME_FORM}$")]
    json_schema: dict[str, Any] = Field(alias="schema", description="A JSON Schema (2020-12) of an object.")
    example: dict[str, Any] = Field(description="What fits the schema.")

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "recipes",
                    "schema": {
                        "type": "object",
                        "required": ["dish"],
                        "properties": {"dish": {"type": "string", "minLength": 1}},
                    },
                    "example": {"dish": "Soup"},
                }
            ]
        }
    )


class Content(RootModel[dict[str, Any]]):
    """What it must hold is in the schema of its kind: GET /api/v1/endpoints/{name}."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"content": "# An idea", "meta": {"title": "An idea"}}]}
    )


class BulkItem(Body):
    """An entry to be: a new one, or with the id or the slug of one that it replaces."""

    content: dict[str, Any] = Field(description="What it must hold is in the schema of its kind.")
    id: MayBeMissing[Annotated[Whole, form(type="integer", minimum=1, maximum=LARGEST_ID)]] = Field(
        None, description="Of an entry that is there."
    )
    slug: MayBeMissing[Annotated[str, form(type="string", pattern=f"^({FORM})?$", maxLength=SLUG_MOST)]] = (
        Field(None, description="One's own entry of this slug is replaced; else the new one has it.")
    )


class BulkItems(RootModel[list[BulkItem]]):
    model_config = ConfigDict(
        json_schema_extra={
            "maxItems": ITEMS_MOST,
            "examples": [[{"content": {"content": "# An idea"}, "slug": "an-idea"}]],
        }
    )


class BulkDone(Answer):
    index: int = Field(description="Which item, from 0.")
    status: Literal[200, 201] = Field(description="201: a new entry; 200: one was replaced.")
    id: int
    slug: str | None = Field(description="As it was sent.")


class BulkReport(Answer):
    items: list[BulkDone]
    created_count: int
    replaced_count: int
