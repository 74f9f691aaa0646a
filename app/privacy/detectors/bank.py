"""IBAN (mod 97). Which words are the number of a bank account?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache

from app.privacy.detectors.catalogue import data
from app.privacy.detectors.check_digits import mod_97
from app.privacy.detectors.finding import Finding

_CHECK_DIGITS = re.compile(r"[0-9]{2}(?<=[A-Za-z]{2}[0-9]{2})")
_SEPARATORS = " .\n\r\t-"
_WITHOUT_SEPARATORS = str.maketrans("", "", _SEPARATORS)


def ibans_in(text: str) -> Iterator[Finding]:
    """Yield the IBANs of a folded text, in order."""
    lengths: dict[str, int] = data("iban")["lengths"]
    for match in _CHECK_DIGITS.finditer(text):
        start = match.start() - 2
        length = lengths.get(text[start : start + 2].upper())
        if length is None or (start and (text[start - 1].isalnum() or text[start - 1] == "_")):
            continue
        whole = _of_length(length).match(text, start)
        if whole and mod_97(whole[0].translate(_WITHOUT_SEPARATORS).upper()) == 1:
            yield Finding("iban", *whole.span())


@cache
def _of_length(length: int) -> re.Pattern[str]:
    body = rf"(?:[{_SEPARATORS}]{{0,3}}+[A-Za-z0-9]){{{length - 4}}}(?![A-Za-z0-9])"
    return re.compile(rf"[A-Za-z]{{2}}[0-9]{{2}}{body}")
