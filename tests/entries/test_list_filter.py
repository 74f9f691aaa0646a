"""List filter: is it asked of what a reader is shown, and of nothing else?"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.entries import filtered as filtered_page
from app.entries import list_filter as lists
from app.entries.entry import LIMIT_MOST
from app.entries.list_filter import list_filter
from app.entries.partial_dates import span_of
from app.entries.parts import by_cursor
from app.entries.text_match import read_query, words_of
from app.errors import UsageError
from app.privacy.viewer import STRANGER, Viewer
from tests.entries.conftest import ANN, BEN, World


def note(title: str, **meta: Any) -> dict[str, Any]:
    return {"content": f"# {title}", "meta": {"title": title, **meta}}


def titles(world: World, viewer: Viewer, words: dict[str, str], **more: Any) -> list[str]:
    page = world.page(viewer, "ideas", **_question(words), **more)
    return [one["data"]["meta"]["title"] for one in page.items]


def _question(words: dict[str, str], limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    chosen = list_filter(**words)
    part = by_cursor(limit, cursor)
    if chosen is not None:
        part = replace(part, order=chosen.order)
    return {"filter": chosen, "part": part}


@pytest.fixture
def ideas(world: World) -> World:
    world.entry("ideas", note("Bees", tags=["Garden", "wax"], date="2024", status="done"))
    world.entry("ideas", note("apples", tags=["garden"], date="2025-03", status="open"))
    world.entry("ideas", note("Zürich", date="2025-03-04T10:00:00+02:00"))
    world.entry("ideas", note("hidden", tags=["garden", "secret"], date="2030"), visibility="private")
    return world


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ({"tag": "GARDEN"}, ["Bees", "apples"]),
        ({"tag": "gard"}, []),
        ({"status": "open"}, ["apples"]),
        ({"since": "2025"}, ["apples", "Zürich"]),
        ({"until": "2024"}, ["Bees"]),
        ({"since": "2024-06", "until": "2024-07"}, ["Bees"]),
        ({"since": "2025-03-04T08:00:00Z", "until": "2025-03-04T08:00:00Z"}, ["apples", "Zürich"]),
        ({"since": "2025-03-04T08:00:01Z", "until": "2025-03-05"}, ["apples"]),
        ({"q": "zur"}, ["Zürich"]),
        ({"q": "bee -apples"}, ["Bees"]),
        ({"q": "ees"}, []),
        ({"tag": "garden", "q": "apples"}, ["apples"]),
        ({"sort": "title"}, ["apples", "Bees", "Zürich"]),
        ({"sort": "-title"}, ["Zürich", "Bees", "apples"]),
        ({"sort": "-date"}, ["Zürich", "apples", "Bees"]),
        ({"sort": "-created"}, ["Zürich", "apples", "Bees"]),
        ({"sort": "created"}, ["Bees", "apples", "Zürich"]),
    ],
)
def test_a_stranger_gets_what_is_asked_for_of_what_they_are_shown(
    ideas: World, words: dict[str, str], found: list[str]
) -> None:
    assert titles(ideas, STRANGER, words) == found


def test_an_owner_finds_what_is_private_too(ideas: World) -> None:
    assert titles(ideas, ANN, {"tag": "secret"}) == ["hidden"]
    assert titles(ideas, ANN, {"sort": "-date"}) == ["hidden", "Zürich", "apples", "Bees"]
    assert titles(ideas, ANN, {"tag": "secret"}, level="professional") == []


def test_what_a_level_hides_of_an_entry_is_not_filtered_by(world: World) -> None:
    content = {"content": "x", "meta": {"title": "t", "tags": ["seen"], "phone": "030 1234567"}}
    world.entry("ideas", content)
    for words in ({"q": "1234567"}, {"q": "030"}, {"q": "phone"}):
        assert titles(world, STRANGER, words) == []
        assert titles(world, ANN, words) == (["t"] if words["q"] != "phone" else [])
    world.rule(field_name="tags")
    assert titles(world, STRANGER, {"tag": "seen"}) == []
    assert titles(world, ANN, {"tag": "seen"}) == ["t"]


HIDDEN = {"content": "hidden words", "meta": {"title": "hidden", "tags": ["t", "secret"], "date": "1999"}}


@pytest.mark.parametrize(
    "words",
    [
        {"tag": "t"},
        {"tag": "secret"},
        {"q": "hidden"},
        {"status": "x"},
        {"since": "1999"},
        {"until": "1999"},
        *({"sort": sort} for sort in lists.SORTS),
        {"fields": "meta.title", "sort": "-date"},
    ],
)
def test_a_stranger_is_answered_the_same_bytes_whatever_is_hidden(
    world: World, words: dict[str, str]
) -> None:
    for title in "cab":
        world.entry("ideas", note(title, tags=["t"], date="2024"), created_at="2024-01-01 00:00:00")
    before = _walk(world, words)
    world.entry("ideas", HIDDEN, visibility="private")
    world.entry("ideas", HIDDEN, visibility="unlisted", position=0)
    world.entry("ideas", HIDDEN, is_active=0)
    world.entry("ideas", {**HIDDEN, "visibility": "private"})
    assert _walk(world, words) == before


def _walk(world: World, words: dict[str, str], limit: int = 2) -> list[list[dict[str, Any]]]:
    """All pages of a stranger's list, without cursors."""
    found, cursor = [], None
    for _ in range(20):
        page = world.page(STRANGER, "ideas", **_question(words, limit, cursor))
        found.append(list(page.items))
        cursor = page.next
        if cursor is None:
            return found
    raise AssertionError("the list does not end")


@pytest.mark.parametrize("sort", lists.SORTS)
@pytest.mark.parametrize("viewer", [STRANGER, ANN])
def test_pages_have_every_entry_once_in_every_order(ideas: World, sort: str, viewer: Viewer) -> None:
    whole = titles(ideas, viewer, {"sort": sort})
    found: list[str] = []
    cursor = None
    while True:
        page = ideas.page(viewer, "ideas", **_question({"sort": sort}, 1, cursor))
        found += [one["data"]["meta"]["title"] for one in page.items]
        cursor = page.next
        if cursor is None:
            break
    assert found == whole
    assert len(set(found)) == len(found)


def test_a_cursor_of_one_order_is_none_of_another(ideas: World) -> None:
    cursor = ideas.page(STRANGER, "ideas", **_question({"sort": "title"}, 1)).next
    for other in ({"sort": "-title"}, {"sort": "-created"}, {"tag": "garden"}, {}):
        with pytest.raises(UsageError, match="cursor"):
            ideas.page(STRANGER, "ideas", **_question(other, 1, cursor))


def test_so_many_entries_are_looked_at_for_an_answer_and_no_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filtered_page, "LOOKED_AT_MOST", 10)
    for at in range(35):
        world.entry("ideas", note(f"n{at}", tags=["one"] if at in (3, 27) else []))
    for viewer in (STRANGER, ANN):
        pages, cursor = [], None
        for _ in range(4):
            page = world.page(viewer, "ideas", **_question({"tag": "one"}, 5, cursor))
            pages.append([one["data"]["meta"]["title"] for one in page.items])
            cursor = page.next
        assert pages == [["n3"], [], ["n27"], []]
        assert cursor is None
        with pytest.raises(UsageError, match="more than"):
            world.page(viewer, "ideas", **_question({"sort": "title"}))
        newest = world.page(viewer, "ideas", **_question({"sort": "-created"}, 2))
        assert [one["data"]["meta"]["title"] for one in newest.items] == ["n34", "n33"]


def test_fields_choose_of_what_is_shown(ideas: World) -> None:
    (one,) = ideas.page(
        STRANGER, "ideas", **_question({"fields": "meta.title,meta.tags", "tag": "wax"})
    ).items
    assert one["data"] == {"meta": {"title": "Bees", "tags": ["Garden", "wax"]}}
    assert one["meta"] == one["data"]["meta"]
    assert set(one) == {"id", "meta", "data", "created_at", "updated_at"}
    (own,) = ideas.page(ANN, "ideas", **_question({"fields": "content", "tag": "secret"})).items
    assert own["data"] == {"content": "# hidden"}
    assert own["visibility"] == "private"
    for hidden in ("phone", "meta.phone", "experience.company", "visibility", "x.y.z"):
        page = ideas.page(STRANGER, "ideas", **_question({"fields": hidden}))
        assert all(not one["data"] or one["data"] == {"meta": {}} for one in page.items)


def test_fields_go_through_lists(world: World) -> None:
    jobs = [{"company": "A", "position": "x"}, {"company": "B", "position": "y"}]
    world.entry("resume", {"name": "Ann", "title": "t", "experience": jobs})
    chosen = _question({"fields": "experience.position,name"})
    (one,) = world.page(STRANGER, "resume", **chosen).items
    assert one["data"] == {"name": "Ann", "experience": [{"position": "x"}, {"position": "y"}]}


@pytest.mark.parametrize(
    "words",
    [
        {"tag": " "},
        {"tag": "x" * 201},
        {"since": "tomorrow"},
        {"until": "2024-13"},
        {"sort": "phone"},
        {"fields": "a,,b"},
        {"fields": ",".join("abcdefghijklmnopqrstu")},
        {"q": "- !"},
        {"q": "-only"},
        {"q": "a b c d e f g h i j k l m"},
    ],
)
def test_what_cannot_be_asked_is_refused(words: dict[str, str]) -> None:
    with pytest.raises(UsageError):
        list_filter(**words)


@pytest.mark.parametrize(
    ("query", "text", "is_found"),
    [
        ("bee", "Beekeeping", True),
        ('"bee"', "Beekeeping", False),
        ('"queen bee"', "a Queen  bee.", True),
        ('"queen bee"', "queen of bees", False),
        ("queen-bee", "The queen bees", True),
        ("strasse", "Straße", True),
        ("éco", "eco", True),
        ("cafe", "Cafe\u0301 au lait", True),
        ("\u6771\u4eac", "\u8981\u662f\u6771\u4eac\u3067\u3059", True),
        ("\u4eac\u6771", "\u8981\u662f\u6771\u4eac\u3067\u3059", False),
        ("c -d", "c d", False),
        ("e-mail", "an email", False),
        ("a b", "b", False),
    ],
)
def test_words_are_found_without_case_and_accents(query: str, text: str, is_found: bool) -> None:
    assert read_query(query).matches([words_of(text)]) is is_found


def test_a_term_may_be_in_any_text_and_a_phrase_in_one() -> None:
    texts = [words_of("queen"), words_of("bee")]
    assert read_query("queen bee").matches(texts)
    assert not read_query('"queen bee"').matches(texts)
    assert not read_query("queen -bee").matches(texts)


@given(st.text(max_size=60))
def test_places_are_those_of_the_words_in_the_text(text: str) -> None:
    for word in words_of(text):
        assert 0 <= word.begin < word.end <= len(text)
        again = words_of(text[word.begin : word.end])
        assert [each.folded for each in again] == [word.folded]
        assert read_query(f'"{word.folded}"').places(words_of(text)) if word.folded else True


@pytest.mark.parametrize(
    ("text", "begin", "end"),
    [
        ("2024", "2024-01-01T00:00:00+00:00", "2025-01-01T00:00:00+00:00"),
        ("2024-12", "2024-12-01T00:00:00+00:00", "2025-01-01T00:00:00+00:00"),
        ("2024-02-29", "2024-02-29T00:00:00+00:00", "2024-03-01T00:00:00+00:00"),
        ("2024-02-29T10:00:00+02:00", "2024-02-29T08:00:00+00:00", "2024-02-29T08:00:00.000001+00:00"),
    ],
)
def test_a_date_is_as_long_as_it_is_precise(text: str, begin: str, end: str) -> None:
    span = span_of(text)
    assert span is not None
    assert (span.begin.isoformat(), span.end.isoformat()) == (begin, end)


@pytest.mark.parametrize("text", ["", "24", "2024-1", "2023-02-29", "20240229", "2024-W07", "x" * 50, "0000"])
def test_what_is_no_date_has_no_time(text: str) -> None:
    assert span_of(text) is None


def test_the_last_year_ends() -> None:
    assert span_of("9999") is not None
    assert span_of("9999-12-31") is None


@pytest.mark.parametrize("limit", [1, 2, LIMIT_MOST])
def test_limits_hold_with_a_filter(ideas: World, limit: int) -> None:
    page = ideas.page(STRANGER, "ideas", **_question({"sort": "date"}, limit))
    assert len(page.items) == min(limit, 3)
    assert (page.next is None) is (limit >= 3)


def test_another_persons_list_is_filtered_as_strangers_see_it(ideas: World) -> None:
    assert titles(ideas, BEN, {"tag": "secret"}, owner="ann") == []
    assert titles(ideas, BEN, {"tag": "wax"}, owner="ann") == ["Bees"]
