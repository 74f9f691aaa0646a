"""Is a word that must not leave found in every disguise, and nowhere else?"""

from __future__ import annotations

import hmac
import random
import unicodedata
from collections.abc import Callable
from pathlib import Path
from time import process_time

import pytest

from app.privacy import never_list
from app.privacy.never_list import HashedWord, NeverList, fold, hash_word, is_hidden

SECRET = b"a secret of the installation"
WORDS = (
    *("Márta", "Anna Maria", "Copperline", "Łukasz", "Zoë", "Harbour Street 12", "Project Falcon", "Renée"),
    *("Jean-Luc", "O'Connor", "Björn", "Straße 9", "Ελένη", "Мария", "김민수", "Ng", "415 555 0134"),
)
Rng = random.Random


def list_of(*words: str, level: str | None = None) -> NeverList:
    return NeverList(SECRET, [HashedWord(hash_word(SECRET, word), len(fold(word)), level) for word in words])


def hidden_in(text: str, *words: str) -> list[str]:
    return [text[one.start : one.end] for one in list_of(*words).find(text)]


def _between(rng: Rng, word: str, put: Callable[[Rng], str]) -> str:
    """Put something at one place within a word, or at every place."""
    places = range(1, len(word))
    chosen = set(places) if rng.random() < 0.3 else set(rng.sample(places, 1))
    return "".join((put(rng) if at in chosen else "") + char for at, char in enumerate(word))


def _entity(rng: Rng, char: str) -> str:
    form = rng.choice(("&#{};", "&#x{:x};", "&#X{:X};", "&#0{};"))
    return form.format(ord(char))


def _entities(rng: Rng, word: str) -> str:
    return "".join(_entity(rng, char) if rng.random() < 0.5 else char for char in word)


DISGUISES: dict[str, Callable[[Rng, str], str]] = {
    "case": lambda rng, word: "".join(rng.choice((char.upper(), char.lower())) for char in word),
    "no accents": lambda _, word: "".join(
        char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char)
    ),
    "accents apart": lambda _, word: unicodedata.normalize("NFD", word),
    "more accents": lambda rng, word: _between(rng, word, lambda rng: rng.choice("\u0301\u0308\u0323")),
    "full width": lambda _, word: "".join(
        chr(ord(char) + 0xFEE0) if "!" <= char <= "~" else char for char in word
    ),
    "letter by letter": lambda rng, word: rng.choice((" ", "  ", "\u00a0", "\n")).join(word),
    "spaces": lambda rng, word: word.replace(" ", rng.choice(("  ", "\u00a0", "\n", "\u2009", ""))),
    "hyphens": lambda rng, word: _between(rng, word, lambda rng: rng.choice("-\u2010\u2011\u2013\u00ad")),
    "zero width": lambda rng, word: _between(
        rng, word, lambda rng: rng.choice("\u200b\u200c\u200d\u2060\ufeff")
    ),
    "marks": lambda rng, word: _between(rng, word, lambda rng: rng.choice(("*", "**", "_", "~~", "`", "\\"))),
    "bold part": lambda rng, word: f"**{word[:1]}**{word[1:]}",
    "link": lambda rng, word: f"[{word[:1]}](https://x.example/a_(b) 'c'){word[1:]}",
    "reference": lambda rng, word: f"[{word[:1]}][the link]{word[1:]}",
    "entities": _entities,
    "tags": lambda rng, word: _between(
        rng, word, lambda rng: rng.choice(("<b>", "</i>", '<span class="a b">', "<br/>", "<!-- x - y -->"))
    ),
    "tags and entities": lambda rng, word: f"<b>{_entity(rng, word[0])}</b>{word[1:]}",
    "attribute": lambda rng, word: f'<img alt="{_entities(rng, word)}">',
    "link's target": lambda rng, word: f"[here](https://x.example/{word.replace(' ', '-')}/b)",
    "as it is": lambda _, word: word,
}
AROUND = ("{}", "with {}, at home", "({})", "«{}»:", "{}'s day", "x@{}.example", "see\n{}\nthere", "_{}_")


@pytest.mark.parametrize("name", DISGUISES)
def test_a_word_is_found_in_every_disguise(name: str) -> None:
    rng, words = random.Random(name), list_of(*WORDS)
    for _ in range(400):
        word = rng.choice(WORDS)
        disguised = DISGUISES[name](rng, word)
        before, _, after = rng.choice(AROUND).partition("{}")
        text = before + disguised + after
        found = words.find(text)
        assert found, (word, text)
        shown = "".join(
            char for at, char in enumerate(text) if not any(one.start <= at < one.end for one in found)
        )
        assert not words.find(shown), (word, text, shown)


@pytest.mark.parametrize(
    ("text", "words", "hidden"),
    [
        ("in a house, just in time, and/or the A team", ("Ina", "Justin", "Andor", "Thea"), []),
        ("Martian marble, Mark and Marshall", ("Mar", "Mars"), []),
        ("caf&eacute; M&uuml;llers", ("Cafe", "Mullers"), ["caf&eacute;", "M&uuml;llers"]),
        ("il y a, N. G.", ("Ya", "Ng"), ["N. G"]),
        ("the one and The-One", ("The One",), ["the one", "The-One"]),
        ("Jus tin and I-na", ("Justin", "Ina"), ["Jus tin", "I-na"]),
        (
            "marie2015@x.example, AnnaMaria, #sonMarie",
            ("Marie", "Anna Maria"),
            ["marie", "AnnaMaria", "Marie"],
        ),
        ("우리 김민수는", ("민수",), ["민수"]),
        ("M ** ar and Ma. Ria", ("Mar", "Maria"), ["M ** ar", "Ma. Ria"]),
        ("M%C3%A1rta", ("Márta",), ["M%C3%A1rta"]),
        ("Anna, Maria", ("Anna Maria",), ["Anna, Maria"]),
        ("Anna-Maria Bee", ("Anna", "Maria Bee"), ["Anna", "Maria Bee"]),
    ],
)
def test_a_word_is_whole_tokens(text: str, words: tuple[str, ...], hidden: list[str]) -> None:
    assert hidden_in(text, *words) == hidden


_NAMES = """
Ina Isa Asa Andor Thea Theo Justin Robin Martin Marin Colin Austin Ida Iman Ian Susan Hasan Bea Abe Ike Amy
Ana Noa Toby Omar Ali Ivan Ines Inga Orla Isla Adele Forrest Edwin Norman Todo Also Willow Copperline
Anna-Maria Jean-Luc Elm-Street Falcon-Nine Katharina Jonathan
"""


def test_of_a_thousand_harmless_texts_at_most_one_is_hit() -> None:
    lines = {
        line.strip()
        for path in sorted((Path(__file__).parents[2] / "docs").glob("*.md"))
        for line in path.read_text("utf-8").splitlines()
        if len(line) > 40
    }
    names = _NAMES.split()
    words = list_of(*(name.replace("-", " ") for name in names))
    tokens = {part for name in names for part in (name.casefold(), *name.casefold().split("-"))}
    harmless = [line for line in lines if tokens.isdisjoint(never_list._folded(line))]
    assert len(harmless) > 1_000
    hit = {line: words.find(line) for line in harmless if words.find(line)}
    assert len(hit) * 1_000 <= len(harmless), hit


def test_a_level_says_how_far_a_word_may_go() -> None:
    [found] = list_of("Copperline", level="professional").find("At Copperline")
    assert found == ("never_list:professional", 3, 13)
    assert [is_hidden(found.detector, level) for level in ("business_card", "professional")] == [False, False]
    assert [is_hidden(found.detector, level) for level in ("ai_safe", "public_full")] == [True, True]
    assert not is_hidden(found.detector, "ai_safe+professional")
    assert is_hidden("never_list", "business_card")
    assert is_hidden("never_list:gossip", "business_card")


def test_a_hash_is_keyed_and_says_nothing_of_the_word() -> None:
    hashed = hash_word(SECRET, "Anna Maria")
    digests = [hmac.digest(SECRET, text, "sha256").hex()[:32] for text in (b"annamaria", b"anna maria")]
    assert hashed == "".join(digests)
    assert hashed == hash_word(SECRET, " ANNA-María ")
    assert hashed != hash_word(b"another", "Anna Maria")
    long_key = b"k" * 100
    assert hash_word(long_key, "Ann")[:32] == hmac.digest(long_key, b"ann", "sha256").hex()[:32]


def test_an_empty_list_finds_nothing_and_an_empty_text_holds_nothing() -> None:
    assert NeverList(SECRET, []).find("Anna Maria") == []
    assert not NeverList(SECRET, [])
    assert list_of("Anna").find("") == []
    assert [fold(text) for text in ("", " - ", "\u200b*", "A-b C2")] == ["", "", "", "abc2"]


@pytest.mark.parametrize(
    "piece",
    ["<a ", "](", "&#7", "[a](b", "<!-- ", "a\u0301", "%41", "M**ar ", "x y ", "</b", "][[", "\u200b"],
)
def test_no_text_takes_more_than_its_length(piece: str) -> None:
    words = list_of(*WORDS)

    def seconds(count: int) -> float:
        began = process_time()
        words.find(piece * count)
        return process_time() - began

    words.find(piece * 10)
    assert seconds(20_000) < 20 * seconds(2_000) + 0.5
