"""Regular expressions of rules (RE2). Does the search find all that Python's would, and in bounded time?"""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import threading
import time
import warnings
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.privacy import patterns
from app.privacy.masks import Span
from app.privacy.pattern_syntax import Unbounded, read
from app.privacy.patterns import Pattern, pattern
from app.privacy.rules import Rule, parts_hidden_by
from app.privacy.shipped import SHIPPED

DEFAULT_RULES = [
    r"\b\d{3}[-.]?\d{3}[-.]?\d{4}\b",
    r"\(\d{3}\)\s*\d{3}[-.]?\d{4}",
    r"\b\d{3}-\d{2}-\d{4}\b",
    r"\b\d{9}\b",
    r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Z|a-z]{2,}\b",
    r"\$[0-9,]+(\.[0-9]{2})?",
    r"\b[0-9,]+\s*(dollars?|USD|\$)",
    r"\b\$?\d+(\.\d{2})?\s*per\s+(hour|hr)",
    r"\d+\s+[A-Za-z0-9\s,.-]+\s+(Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Lane|Ln)",
    r"\b\d{5}(-\d{4})?\b",
    r"\b\d{4}[-\s]?\d{4}[-\s]?\d{4}[-\s]?\d{4}\b",
    r"\b[A-Z]\d{7,8}\b",
    r"\b\d{1,2}/\d{1,2}/\d{4}\b",
    r"\b(January|February|March|April|May|June|July|August|September|October|November|December)"
    r"\s+\d{1,2},?\s+\d{4}\b",
]
TEXT = (
    "Call 415-555-0134 or (415) 555-0134, SSN 078-05-1120, 123456789; card 4111 1111 1111 1111 x@y.zz"
    " $12,000.00 1200 dollars $15 per hour 12 Orchard St, 97201-1234 A1234567 1/2/1990 March 14, 2024"
)


def covered(parts: list[tuple[int, int]]) -> set[int]:
    return {at for start, end in parts for at in range(start, end)}


def covered_by_python(text: str, sought: str) -> set[int]:
    return covered([found.span() for found in re.finditer(sought, text)])


@pytest.mark.parametrize("sought", DEFAULT_RULES)
def test_default_rules_find_what_python_finds(sought: str) -> None:
    expected = covered_by_python(TEXT, sought)
    assert expected
    assert expected <= covered(Pattern(sought).parts(TEXT))


_ATOMS = st.sampled_from(
    [
        *(
            "a",
            "b",
            ".",
            "[ab]",
            "[^a]",
            "[a-c-]",
            "[]a]",
            "[^]é]",
            "-",
            "é",
            "字",
            "ß",
            "K",
            "[à-ÿ]",
            "[A-Z]",
        ),
        *(
            r"\w",
            r"\W",
            r"\d",
            r"\D",
            r"\s",
            r"\S",
            r"[\w.-]",
            r"[^\w]",
            r"[^\s\d]",
            r"[\W_]",
            r"\.",
            r"\x61",
        ),
        *(r"\b", r"\B", "^", "$"),
    ]
)
_LETTERS = "aab1- \n_éßſKk字田²٣\u0301\u00a0\u2028𐐀A"


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    repeats = st.sampled_from(["*", "+", "?", "{2}", "{1,3}", "*?", "{,2}", "{1,}", "+?", "{02}"])
    return st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, repeats).map(lambda pair: f"({pair[0]}){pair[1]}"),
    )


def every_match_by_python(sought: str, text: str) -> set[int]:
    """What any match covers that begins and ends anywhere: its end is held by looking behind from there."""
    found: set[int] = set()
    for end in range(1, len(text) + 1):
        ending = re.compile(rf"(?m:{sought})(?<=\A(?s:.{{{end}}}))")
        for start in range(end):
            if ending.match(text, start):
                found |= set(range(start, end))
    return found


@settings(max_examples=300, deadline=None)
@given(st.recursive(_ATOMS, _larger, max_leaves=8), st.text(_LETTERS, max_size=10))
def test_any_pattern_finds_every_match_and_nothing_else(sought: str, text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = every_match_by_python(sought, text)
    assert covered(Pattern(sought).parts(text)) == expected


@settings(max_examples=300, deadline=None)
@given(st.recursive(_ATOMS, _larger, max_leaves=5), st.text(_LETTERS, max_size=8))
def test_in_any_case_it_finds_what_python_finds(sought: str, text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        expected = covered_by_python(text, f"(?im){sought}")
    assert expected <= covered(Pattern(f"(?i){sought}").parts(text))


@pytest.mark.parametrize("atom", [r"\w", r"\W", r"\d", r"\s", r"[^\W\d]", "[A-Z]", "[^ß]", "ſ", "[à-ÿ]"])
@pytest.mark.parametrize("flags", ["", "(?i)"])
def test_an_atom_reads_each_character_that_python_reads(atom: str, flags: str) -> None:
    reads = read(flags + atom).atoms[0]
    by_python = re.compile(flags + atom)
    for number in (*range(0x3000), *range(0xA640, 0xAB70), *range(0xFB00, 0xFF60), *range(0x10400, 0x10450)):
        if by_python.match(chr(number)):
            assert reads.holds(chr(number)), hex(number)


@pytest.mark.parametrize(
    ("sought", "text", "hidden"),
    [
        (r"\bÉcole\b", "L'École d'été", "École"),
        (r"\d{2}\b", "nr ٤٢ vu", "٤٢"),
        (r"\bx", "éx x", "x"),
        ("(?i)straße", "STRASSE STRAßE", "STRAßE"),
        (r"\w+", "\ud800a\ud800", "a"),
        (r"\d{3}-\d{4}|\d{4}-\d{3}", "123-4567-890", "123-4567-890"),
    ],
)
def test_words_cases_and_edges_are_those_of_every_script(sought: str, text: str, hidden: str) -> None:
    assert "".join(text[at] for at in sorted(covered(Pattern(sought).parts(text)))) == hidden


def test_more_letters_than_codes_hide_the_whole_text() -> None:
    letters = "".join(chr(0x4E00 + at) for at in range(200))
    name = Pattern("|".join(letters))
    assert name.parts(letters[:150]) == [(at, at + 1) for at in range(150)]
    assert name.parts(letters[150:]) == [(at, at + 1) for at in range(50)]
    with pytest.raises(Unbounded):
        name.parts(letters)
    assert name.parts(letters[:150]) == [(at, at + 1) for at in range(150)]


def test_what_is_remembered_of_characters_is_bounded() -> None:
    one = Pattern("a")
    for start in (0x4E00, 0x20000, 0x30000):
        assert one.parts("a" + "".join(map(chr, range(start, start + 15_000)))) == [(0, 1)]
        assert len(one._codes) <= 20_000


def test_where_re2_is_not_installed_a_rule_hides_whole_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert patterns.missing() is None
    monkeypatch.setattr(patterns, "library", lambda: None)
    pattern.cache_clear()
    try:
        for sought in ("secret", next(iter(SHIPPED))):
            assert parts_hidden_by(Rule(pattern=sought), "any text") == [Span(0, 8)]
        assert "google-re2" in (patterns.missing() or "")
    finally:
        pattern.cache_clear()


def test_daemon_can_be_loaded_where_re2_is_not_installed(root: Path) -> None:
    code = (
        "import sys; sys.modules['re2'] = None; import app.main; from app.privacy import patterns;"
        " print(patterns.missing(), patterns.pattern('a'))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout.startswith("RE2 (the package google-re2) is not installed")
    assert done.stdout.endswith(" None\n")


@settings(max_examples=100, deadline=None)
@given(st.text("ab1 ", max_size=30))
def test_a_pattern_without_places_finds_nothing_else(text: str) -> None:
    for sought in ("ab", "a+b", "a(b|1)*", "[ab]{2,3}1"):
        longest = {
            at
            for start in range(len(text))
            for end in range(start + 1, len(text) + 1)
            if re.fullmatch(sought, text[start:end])
            for at in range(start, end)
        }
        assert covered(Pattern(sought).parts(text)) == longest


@pytest.mark.parametrize(
    "sought", ["(a+)+$", "(a|a)*b", "(.*)*x", "(a*)*(b|c)", r"(\w+\s?)*!", r"\d+\s+[\w\s]+\s+St"]
)
def test_patterns_that_stop_python_take_no_time(sought: str) -> None:
    text = ("a" * 50 + " 1 ") * 1000
    begun = time.process_time()
    with contextlib.suppress(Unbounded):
        Pattern(sought).parts(text)
    assert time.process_time() - begun < 5.0


@pytest.mark.parametrize(
    "odd",
    [
        "([",
        "(",
        "a)",
        "*a",
        "a**",
        "[z-a]",
        "(?=a)",
        "(?<!a)b",
        r"(a)\1",
        "a{5000}",
        "(?P<n>a",
        "\\",
        r"\p{L}",
        "(" * 60 + "a" + ")" * 60,
    ],
)
def test_what_cannot_be_read_is_refused(odd: str) -> None:
    with pytest.raises(Unbounded):
        Pattern(odd)
    assert pattern(odd) is None


def test_a_huge_pattern_is_refused() -> None:
    with pytest.raises(Unbounded):
        Pattern("((a{100}){100}){100}")


def test_flags_groups_and_escapes() -> None:
    assert Pattern("(?i)straße").parts("STRASSE Straße") == [(8, 14)]
    assert Pattern(r"(?P<year>\d{4})\x2d").parts("in 2024-") == [(3, 8)]
    assert Pattern("(?s)a.b").parts("a\nb") == [(0, 3)]
    assert Pattern("a.b").parts("a\nb") == []
    assert Pattern("a{x}").parts("a{x}") == [(0, 4)]
    assert Pattern("").parts("abc") == []
    assert Pattern("x*").parts("abxx") == [(2, 4)]


def test_the_answer_does_not_depend_on_what_was_searched_before() -> None:
    sought = "(a|b)*a(a|b){12}c"
    used = Pattern(sought)
    texts = ["ab" * 40 + "c", "".join("ab"[(at * at) % 3 % 2] for at in range(3000)), "abba" * 50, "b" * 99]
    for _ in range(2):
        for text in texts:
            assert _answer(used, text) == _answer(Pattern(sought), text)


def test_threads_may_share_a_pattern() -> None:
    shared = Pattern(r"\b[a-z]+\d{2,4}\b")
    text = " ".join(f"{chr(97 + at % 26)}{at}é" for at in range(500))
    expected = Pattern(r"\b[a-z]+\d{2,4}\b").parts(text)
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(_answer(shared, text))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [expected] * 8


def _answer(used: Pattern, text: str) -> object:
    try:
        return used.parts(text)
    except Unbounded as refusal:
        return str(refusal)
