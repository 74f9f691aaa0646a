"""IBAN (mod 97). Which words are the number of a bank account?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache, lru_cache

from app.privacy.detectors.catalogue import data
from app.privacy.detectors.check_digits import mod_97
from app.privacy.detectors.finding import Finding

_CHECK_DIGITS = re.compile(r"[0-9]{2}(?<=[A-Za-z]{2}[0-9]{2})")
# Of another length than the country's; the check digits are right then by chance in one of 97.
_IN_ONE_PIECE = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{14,30}+(?![A-Za-z0-9])")
_SEPARATORS = " .\n\r\t/_·-"
_WITHOUT_SEPARATORS = str.maketrans("", "", _SEPARATORS)


def ibans_in(text: str) -> Iterator[Finding]:
    """Yield the IBANs of a folded text, in order."""
    lengths: dict[str, int] = data("iban")["lengths"]
    for match in _CHECK_DIGITS.finditer(text):
        start = match.start() - 2
        length = lengths.get(text[start : start + 2].upper())
        if length is None or (start and (text[start - 1].isalnum() or text[start - 1] == "_")):
            continue
        if _is_uuid(text, start):
            continue
        whole = _of_length(length).match(text, start) or _IN_ONE_PIECE.match(text, start)
        if whole and _is_right(whole[0]):
            yield Finding("iban", *whole.span())


@lru_cache(1024)
def _is_right(written: str) -> bool:
    """Whether the check digits are right; remembered."""
    return mod_97(written.translate(_WITHOUT_SEPARATORS).upper()) == 1


def _is_uuid(text: str, start: int) -> bool:
    """Whether the letters are small, and the first hyphen is where a UUID has it."""
    return text[start].islower() and text[start + 8 : start + 9] == "-"


@cache
def _of_length(length: int) -> re.Pattern[str]:
    body = rf"(?:[{_SEPARATORS}]{{0,3}}+[A-Za-z0-9]){{{length - 4}}}(?![A-Za-z0-9])"
    return re.compile(rf"[A-Za-z]{{2}}[0-9]{{2}}{body}")
