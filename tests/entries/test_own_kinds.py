"""May a person make kinds of their own, bounded, and does what was there first keep its name and its rows?"""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from sqlalchemy import select

from app.entries import endpoints as endpoint_rows
from app.entries import never_words, own_kinds, own_schemas, read, write
from app.entries.draft import draft_of
from app.entries.searched_texts import NotSearchedYet, SearchedTexts
from app.errors import Conflict, InvalidContent, NotFound
from app.privacy.viewer import STRANGER
from app.tables import audit_logs, data_entries, endpoints
from tests.entries.conftest import ANN, BEN, World

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["dish"],
    "properties": {
        "dish": {"type": "string", "minLength": 1},
        "steps": {"type": "array", "items": {"$ref": "#/$defs/step"}},
        "serves": {"type": "integer", "minimum": 1},
    },
    "additionalProperties": False,
    "$defs": {"step": {"type": "string", "pattern": "^[A-Z]"}},
}
EXAMPLE = {"dish": "Soup", "steps": ["Cut", "Boil"]}
KIND = {"schema": SCHEMA, "example": EXAMPLE}
LARGE = "((a{1,99}){1,99}){1,99}"
REPEATED = {"type": "object", "properties": {"a": {"type": "string", "pattern": "^(a+)+$"}}}


def make(world: World, user_id: int = 2, name: str = "recipes", **more: Any) -> dict[str, Any]:
    return own_kinds.create_kind(world.conn, user_id, name, {**KIND, **more})


def faults_of(caught: pytest.ExceptionInfo[InvalidContent]) -> list[tuple[str, str]]:
    errors: Any = caught.value.details["errors"]
    return [(each["pointer"], each["detail"]) for each in errors]


# -- making and changing


def test_a_kind_is_made_written_to_and_read(world: World) -> None:
    made = make(world, title="What we cook")
    assert (made["name"], made["title"], made["version"], made["is_own"]) == (
        "recipes",
        "What we cook",
        1,
        True,
    )
    assert (made["schema"], made["example"], made["is_public"]) == (SCHEMA, EXAMPLE, False)
    written = write.create(world.conn, BEN, "recipes", EXAMPLE)
    assert written.visibility == "private", "its kind is not public"
    assert [each["data"] for each in world.page(BEN, "recipes").items] == [EXAMPLE]
    assert world.item(BEN, "recipes", written.id)["data"] == EXAMPLE
    assert [
        row.action
        for row in world.conn.execute(select(audit_logs).where(audit_logs.c.table_name == "endpoints"))
    ] == ["CREATE"]


def test_what_does_not_fit_is_named_by_its_place_and_not_repeated(world: World) -> None:
    make(world)
    sent = {"dish": "", "steps": ["Cut", "canary"], "serves": 0, "canary": 1}
    with pytest.raises(InvalidContent) as caught:
        write.create(world.conn, BEN, "recipes", sent)
    assert faults_of(caught) == [
        ("", "has a member that the schema does not name"),
        ("/dish", "must not be empty"),
        ("/serves", "must be at least 1"),
        ("/steps/1", "must match the pattern ^[A-Z]"),
    ]
    assert "canary" not in caught.value.message + json.dumps(caught.value.details)
    entry_id = write.create(world.conn, BEN, "recipes", {**EXAMPLE, "meta": {"visibility": "private"}}).id
    for change in (write.replace, write.merge):
        with pytest.raises(InvalidContent):
            change(world.conn, BEN, "recipes", entry_id, {"serves": "two"})
    assert write.merge(world.conn, BEN, "recipes", entry_id, {"serves": 2}).item["data"]["serves"] == 2


def test_another_schema_is_another_version_and_what_is_stored_stays(world: World) -> None:
    make(world)
    entry_id = write.create(world.conn, BEN, "recipes", EXAMPLE).id
    narrower = {**SCHEMA, "required": ["dish", "serves"]}
    with pytest.raises(InvalidContent) as caught:
        own_kinds.change_kind(world.conn, 2, "recipes", {"schema": narrower})
    assert faults_of(caught) == [("/example", "serves is missing")]
    changed = own_kinds.change_kind(
        world.conn, 2, "recipes", {"schema": narrower, "example": {"dish": "Soup", "serves": 2}}
    )
    assert changed["version"] == 2
    assert own_kinds.change_kind(world.conn, 2, "recipes", {"title": "Meals"})["version"] == 2
    versions = own_kinds.versions_of(world.conn, 2, "recipes")
    assert [(each["version"], each["schema"]) for each in versions] == [(1, SCHEMA), (2, narrower)]
    assert world.item(BEN, "recipes", entry_id)["data"] == EXAMPLE
    with pytest.raises(InvalidContent):
        write.create(world.conn, BEN, "recipes", EXAMPLE)


def test_a_kind_goes_when_no_entry_is_of_it(world: World) -> None:
    make(world)
    entry_id = write.create(world.conn, BEN, "recipes", EXAMPLE).id
    write.delete(world.conn, BEN, "recipes", entry_id)
    with pytest.raises(Conflict):
        own_kinds.remove_kind(world.conn, 2, "recipes")
    make(world, name="empty_one")
    own_kinds.remove_kind(world.conn, 2, "empty_one")
    with pytest.raises(NotFound):
        own_kinds.get_kind(world.conn, 2, "empty_one")


@pytest.mark.parametrize("name", ["privacy", "search", "me", "keys", "Recipes", "a-b", "1a", "", "x" * 51])
def test_names_that_are_taken_by_daemon_or_are_none(world: World, name: str) -> None:
    with pytest.raises(InvalidContent) as caught:
        make(world, name=name)
    assert faults_of(caught)[0][0] == "/name"


@pytest.mark.parametrize("name", ["ideas", "mission", "cooking"])
def test_a_name_that_means_a_kind_already(world: World, name: str) -> None:
    world.endpoint("cooking")
    world.change_endpoint("ideas", is_active=0)
    with pytest.raises(Conflict):
        make(world, name=name)


# -- whose they are


def test_two_people_have_kinds_of_one_name_and_neither_knows_of_the_other_s(world: World) -> None:
    make(world, 1, title="Ann's")
    make(world, 2)
    mine = write.create(world.conn, BEN, "recipes", EXAMPLE).id
    ann = write.create(world.conn, ANN, "recipes", {"dish": "Tea"}).id
    assert [each["id"] for each in world.page(BEN, "recipes").items] == [mine]
    assert [each["id"] for each in world.page(ANN, "recipes").items] == [ann]
    with pytest.raises(NotFound) as hidden:
        world.item(BEN, "recipes", ann)
    with pytest.raises(NotFound) as absent:
        world.item(BEN, "recipes", 99)
    assert hidden.value.message == absent.value.message
    for name in ("recipes", "nothing"):
        with pytest.raises(NotFound) as refused:
            world.page(STRANGER, name)
        assert refused.value.message == f"There is no kind '{name}'."
    assert world.item(ANN, "recipes", mine)["owner"] == "ben", "an admin sees it"


def test_a_public_kind_is_known_by_its_name_alone(world: World) -> None:
    make(world, is_public=True, title="Canary", description="canary", default_visibility="public")
    shown = write.create(world.conn, BEN, "recipes", EXAMPLE).id
    page = world.page(STRANGER, "recipes", "ben")
    assert [(each["id"], each["data"]) for each in page.items] == [(shown, EXAMPLE)]
    assert world.item(STRANGER, "recipes", shown)["data"] == EXAMPLE
    with pytest.raises(NotFound):  # without a name it would be the default person's
        world.page(STRANGER, "recipes")
    own_kinds.change_kind(world.conn, 2, "recipes", {"is_public": False})
    for ask in (
        lambda: world.page(STRANGER, "recipes", "ben"),
        lambda: world.item(STRANGER, "recipes", shown),
    ):
        with pytest.raises(NotFound):
            ask()


def test_no_one_else_finds_a_kind_by_a_word_of_the_never_list(world: World) -> None:
    make(world, name="wren_recipes", is_public=True, default_visibility="public")
    shown = write.create(world.conn, BEN, "wren_recipes", EXAMPLE).id
    assert world.page(STRANGER, "wren_recipes", "ben").items
    word_id = never_words.add_word(world.conn, 2, "Wren")["id"]
    for ask in (
        lambda: world.page(STRANGER, "wren_recipes", "ben"),
        lambda: world.item(STRANGER, "wren_recipes", shown),
        lambda: read.kind(world.conn, STRANGER, "wren_recipes"),
    ):
        with pytest.raises(NotFound):
            ask()
    assert world.page(BEN, "wren_recipes").items
    with pytest.raises(InvalidContent):
        make(world, name="of_wren")
    never_words.remove_word(world.conn, 2, word_id)
    assert world.page(STRANGER, "wren_recipes", "ben").items


def test_a_hidden_kind_of_the_installation_is_no_reason_to_refuse_a_name(world: World) -> None:
    world.endpoint("plans", is_public=0, created_by_id=1)
    assert make(world, name="plans")["is_own"]


# -- what was there first


def test_a_custom_kind_keeps_its_name_schema_and_rows_when_one_of_that_name_is_shipped(world: World) -> None:
    world.change_endpoint(
        "mission", is_shipped=None, schema='{"motto": {"type": "string"}}', description="ours"
    )
    old = world.entry("mission", {"motto": "onwards", "content": "c"}, owner=1)
    endpoint = endpoint_rows.find_named(world.conn, "mission")
    assert endpoint is not None
    assert (endpoint.is_built_in, endpoint.description) == (False, "ours")
    assert world.item(STRANGER, "mission", old)["data"] == {"motto": "onwards", "content": "c"}
    assert write.create(world.conn, ANN, "mission", {"motto": "no content"}).id
    assert endpoint_rows.add_missing_endpoints(world.conn) == ()


def test_an_own_kind_keeps_its_name_when_one_of_that_name_is_shipped(world: World) -> None:
    make(world)
    mine = write.create(world.conn, BEN, "recipes", EXAMPLE).id
    world.endpoint("recipes", is_shipped=1)
    assert [each["id"] for each in world.page(BEN, "recipes").items] == [mine]
    assert world.item(BEN, "recipes", mine)["data"] == EXAMPLE
    assert world.page(STRANGER, "recipes").items == ()


def test_a_kind_of_a_reserved_name_is_reached_by_its_second_address(world: World) -> None:
    world.endpoint("search")
    kept = world.entry("search", {"content": "c"}, owner=1)
    for viewer in (STRANGER, ANN):
        assert [each["id"] for each in world.page(viewer, "~search").items] == [kept]
        assert world.item(viewer, "~search", kept)["data"] == {"content": "c"}
    assert write.create(world.conn, ANN, "~search", {"content": "d"}).id


# -- what a schema may be


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ([], "/schema"),
        ({"type": "array"}, "/schema/type"),
        ({"$schema": "http://json-schema.org/draft-07/schema#", "type": "object"}, "/schema/$schema"),
        ({"type": "object", "properties": {"a": {"type": "text"}}}, "/schema/properties/a/type"),
        ({"type": "object", "properties": {"a/b": {"minLength": -1}}}, "/schema/properties/a~1b/minLength"),
        ({"type": "object", "requierd": []}, "/schema/requierd"),
        ({"type": "object", "$ref": "https://example.org/schema.json"}, "/schema/$ref"),
        ({"type": "object", "$ref": "#"}, "/schema/$ref"),
        ({"type": "object", "$dynamicRef": "#a"}, "/schema/$dynamicRef"),
        ({"type": "object", "patternProperties": {"(a+)+$": {}}}, "/schema/patternProperties"),
        ({"type": "object", "unevaluatedProperties": False}, "/schema/unevaluatedProperties"),
        ({"type": "object", "properties": {"a": {"pattern": "(?=a)(a)\\1"}}}, "/schema/properties/a/pattern"),
        ({"type": "object", "properties": {"b": {"pattern": LARGE}}}, "/schema/properties/b/pattern"),
        ({"type": "object", "properties": {"a": {"format": "regex"}}}, "/schema/properties/a/format"),
        ({"type": "object", "$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}}, "/schema"),
        ({"type": "object", "$ref": "#/$defs/nothing"}, "/schema"),
        ({"type": "object", "description": "x" * 70_000}, "/schema"),
        ({"type": "object", "required": [str(number) for number in range(501)]}, "/schema/required"),
    ],
)  # fmt: skip
def test_a_schema_that_is_none_or_would_cost_too_much_is_refused(
    world: World, schema: object, pointer: str
) -> None:
    with pytest.raises(InvalidContent) as caught:
        make(world, schema=schema, example={})
    assert faults_of(caught)[0][0] == pointer


def test_references_that_multiply_are_refused_at_once(world: World) -> None:
    parts = {f"p{n}": {"anyOf": [{"$ref": f"#/$defs/p{n + 1}"}] * 9} for n in range(9)}
    began = time.process_time()
    with pytest.raises(InvalidContent):
        make(world, schema={"type": "object", "$ref": "#/$defs/p0", "$defs": {**parts, "p9": {}}}, example={})
    assert time.process_time() - began < 2


def test_no_pattern_and_no_list_keeps_anyone_busy(world: World) -> None:
    make(world, schema=REPEATED, example={"a": "a"})
    unique = {"type": "object", "properties": {"l": {"type": "array", "uniqueItems": True}}}
    make(world, name="lists", schema=unique, example={"l": []})
    began = time.process_time()
    with pytest.raises(InvalidContent):
        write.create(world.conn, BEN, "recipes", {"a": "a" * 5000 + "!"})
    write.create(world.conn, BEN, "lists", {"l": [{"n": number} for number in range(3000)]})
    with pytest.raises(InvalidContent):
        write.create(world.conn, BEN, "lists", {"l": [1, {"a": 1}, 1.0]})
    assert time.process_time() - began < 5


def test_what_takes_long_to_judge_is_judged_before_the_turn_to_write(world: World) -> None:
    wide = {"type": "object", "properties": {"l": {"items": {"anyOf": [{"const": n} for n in range(100)]}}}}
    make(world, name="lists", schema=wide, example={"l": []})
    texts, content = SearchedTexts(), {"l": [200] * 500}
    with pytest.raises(NotSearchedYet) as asked:
        write.create(world.conn, BEN, "lists", draft_of("lists", content), texts=texts)
    texts.search(asked.value)
    with pytest.raises(InvalidContent) as caught:
        write.create(world.conn, BEN, "lists", draft_of("lists", content), texts=texts)
    assert faults_of(caught)[0] == ("/l/0", "must fit one of several forms")
    assert own_schemas.content_faults(json.dumps(wide), {"l": [200] * 50_000}) == [
        {"pointer": "", "detail": "has too many values to be held to the schema of its kind"}
    ]


def test_ids_of_own_kinds_tell_nothing_of_others(random_ids: None, world: World) -> None:
    make(world, 1)
    make(world, 2)
    ids = world.conn.execute(select(endpoints.c.id).where(endpoints.c.user_id.is_not(None))).scalars()
    assert all(each > 2**52 for each in ids)
    assert world.count(data_entries) == 0
