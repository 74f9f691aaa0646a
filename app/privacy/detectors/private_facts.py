"""Private facts (birth dates, coordinates, street addresses). Which of them does a word make private?

A date, a place or an address alone is nobody's: a film, a summit, an office. One of them is found only beside
a word that makes it a person's, in eight languages.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator
from functools import cache

from app.privacy.detectors.catalogue import data
from app.privacy.detectors.finding import Finding
from app.privacy.detectors.labels import bit, places_of, said_by, words_of

_BEFORE = 64
_AFTER = 40
_LONGEST_STREET = 90
_NUMBER_SIGNS = ("nº", "n.º", "n°", "n.", "nr")
_DEGREES = (
    r"[0-9]{1,3}(?:\.[0-9]{3,12}+[ ]?°?|°[ ]?[0-9]{1,2}['′][ ]?(?:[0-9]{1,2}(?:\.[0-9]{1,4})?(?:\"|″|''))?)"
)
_BETWEEN = r"[ ]?[NSOns]?[,;/ ][ ]{0,2}(?:(?:lon|lng|long|longitude)[:=. ]{1,2})?"
_PAIR = re.compile(
    rf"{_DEGREES}{_BETWEEN}-?{_DEGREES}[ ]?[EWOew]?(?!\w)"
    r"|[0-9]{1,3},[0-9]{3,12}+[ ]?;[ ]?-?[0-9]{1,3},[0-9]{3,12}+(?!\w)"
)
_NUMBER = re.compile("[0-9]+")
_HOUSE = re.compile(r"[0-9]{1,5}(?:[ ]?[a-zA-Z](?!\w))?(?:[-/][0-9]{1,4}[a-z]?)?(?![\w%])")


@cache
def _dates() -> re.Pattern[str]:
    month = data("birth_date")["months"]
    year = r"(?:19|20)[0-9]{2}(?![0-9])"
    return re.compile(
        rf"(?P<year>{year})[./-][0-9]{{1,2}}[./-][0-9]{{1,2}}(?![0-9])"
        rf"|[0-9]{{1,2}}(?P<by>[./-])[ ]?[0-9]{{1,2}}(?P=by)[ ]?(?:{year}|[0-9]{{2}}(?![0-9]))"
        rf"|[0-9]{{1,2}}(?:\.|st|nd|rd|th|er|º)?[ ](?:de[ ]|of[ ])?{month},?[ ](?:de[ ]|del[ ])?{year}"
        rf"|(?P<day>[0-9]{{1,2}})(?:st|nd|rd|th)?,?[ ]{year}",
        re.IGNORECASE,
    )


@cache
def _month_before() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){data('birth_date')['months']}[ ]\Z", re.IGNORECASE)


def private_facts_in(text: str) -> Iterator[Finding]:
    """Yield the private facts of a folded text that has digits, one kind after the other."""
    lowered = text.lower()
    if len(lowered) != len(text):
        lowered = text
    kinds = (("birth_date", _birth_dates), ("coordinates", _places), ("street_address", _addresses))
    said = said_by(words_of(lowered))
    possible = {name: [*find(text)] for name, find in kinds if said & bit(name, "cues")}
    if any(possible.values()):
        places = places_of(lowered, sum({bit(name, "cues") for name in possible}))
        for name, spans in possible.items():
            cues = [(start, end) for start, end, bits in places if bits & bit(name, "cues")]
            yield from (Finding(name, *span) for span in spans if _is_private(text, *span, cues))


def _is_private(text: str, start: int, end: int, cues: list[tuple[int, int]]) -> bool:
    """Whether a cue stands soon before in the paragraph, or soon after on the line."""
    at = bisect_left(cues, (start, 0))
    if at and cues[at - 1][0] >= start - _BEFORE and "\n\n" not in text[cues[at - 1][1] : start]:
        return True
    after = bisect_left(cues, (end, 0))
    return after < len(cues) and cues[after][1] <= end + _AFTER and "\n" not in text[end : cues[after][0]]


def _matches(text: str, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
    """Yield what a pattern finds that begins with digits: it is asked only where some begin."""
    done = 0
    for number in _NUMBER.finditer(text):
        if number.start() >= done and (match := pattern.match(text, number.start())):
            done = match.end()
            yield match


def _birth_dates(text: str) -> Iterator[tuple[int, int]]:
    for match in _matches(text, _dates()):
        start = match.start()
        if match["day"]:
            month = _month_before().search(text[max(0, start - 16) : start])
            if month is None:
                continue
            start -= len(month[0])
        if not text[start - 1 : start].isdigit():
            yield start, match.end()


def _places(text: str) -> Iterator[tuple[int, int]]:
    for match in _matches(text, _PAIR):
        yield match.start() - (text[match.start() - 1 : match.start()] == "-"), match.end()


def _addresses(text: str) -> Iterator[tuple[int, int]]:
    for house in _HOUSE.finditer(text):
        start = house.start()
        if start and (text[start - 1].isalnum() or text[start - 1] in ".,-/#" or text[start - 2].isdigit()):
            continue
        street = _street_after().match(text, start)
        if street:
            yield start, start + len(street[0].rstrip())
        else:
            before = _street_before(text, start)
            if before is not None:
                yield before, house.end()


@cache
def _street_after() -> re.Pattern[str]:
    """A house number, a street's name and its kind; or the kind and the name, as in French."""
    kinds = data("street_address")
    name = r"[A-ZÀ-ÖØ-ÞŁŚŻŹĆ0-9][\w'’.-]{0,30}+"
    gap = r"(?:,?[ ]|[ ]?\n[ ]{0,8})"
    return re.compile(
        rf"[0-9]{{1,5}}[A-Za-z]?{gap}(?:(?:{name}|of|the|and){gap}){{1,4}}?(?:{kinds['after_name']})(?!\w)"
        rf"|[0-9]{{1,4}}(?:[ ]?(?:bis|ter))?,?[ \n](?:{kinds['before_name']})[ \n]"
        r"(?:[\w'’-]{1,30}[ ]?){1,5}"
    )


def _street_before(text: str, house: int) -> int | None:
    """Where the street begins that a house number ends; None where there is none."""
    if house < 2 or text[house - 1] not in " \n":
        return None
    words_before = text[max(0, house - 40) : house].split()
    last = words_before[-1] if words_before else ""
    if not last or not (last[0].isupper() or last in _NUMBER_SIGNS):
        return None
    begin = max(0, house - _LONGEST_STREET)
    before = text[begin:house]
    kinds = data("street_address")
    words = list(re.finditer(r"\S+", before))[-6:]
    if last.lower().rstrip(",").endswith(tuple(kinds["endings"])):
        alone = last.lower() in kinds["endings"] and len(words) > 1 and words[-2][0][0].isupper()
        return begin + words[-2 if alone else -1].start()
    for word in reversed(words[:-1]):
        if word[0].lower() in kinds["beginnings"]:
            return begin + word.start()
    return None
