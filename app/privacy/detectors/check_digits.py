"""Check digits (Luhn, mod 97, Verhoeff, ISO 7064). Can this number be one, or is it only as long as one?

Every check takes digits (and capital letters) without separators, and is asked by its name from a data file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import mul

_DOUBLED = bytes.maketrans(b"0123456789", bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))
_PLAIN = bytes.maketrans(b"0123456789", bytes(range(10)))

_LETTERS = {65 + at: str(10 + at) for at in range(26)}

Check = Callable[[str], bool]


def luhn(digits: str) -> bool:
    """Whether the last digit is the check digit of cards (ISO/IEC 7812)."""
    raw = digits.encode()
    return (sum(raw[-1::-2].translate(_PLAIN)) + sum(raw[-2::-2].translate(_DOUBLED))) % 10 == 0


def weighted(digits: str, weights: Sequence[int]) -> int:
    """The sum of digits, each times its weight, as far as there are weights."""
    return sum(map(mul, weights, map(int, digits)))


def mod_97(text: str) -> int:
    """What an IBAN leaves when it is divided by 97 (ISO 7064): 1 where it is right."""
    return int((text[4:] + text[:4]).translate(_LETTERS)) % 97


def mod_11_10(digits: str) -> bool:
    """Whether the last digit is the check digit of ISO 7064 MOD 11,10."""
    product = 10
    for digit in digits[:-1]:
        total = (int(digit) + product) % 10 or 10
        product = total * 2 % 11
    return (product + int(digits[-1])) % 10 == 1


_TIMES = (
    *("0123456789", "1234067895", "2340178956", "3401289567", "4012395678"),
    *("5987604321", "6598710432", "7659821043", "8765932104", "9876543210"),
)
_PERMUTED = (
    *("0123456789", "1576283094", "5803796142", "8916043527"),
    *("9453126870", "4286573901", "2793806415", "7046913258"),
)


# What a digit comes to, by its place (of 8); and the next check digit, by the last one and that.
_AT_PLACE = tuple(tuple(map(int, row)) for row in _PERMUTED)
_NEXT = tuple(tuple(map(int, row)) for row in _TIMES)


def verhoeff(digits: str) -> bool:
    """Whether the last digit is the check digit of Verhoeff."""
    check = 0
    place = 0
    for digit in digits[::-1].encode():
        check = _NEXT[check][_AT_PLACE[place][digit - 48]]
        place = (place + 1) & 7
    return check == 0


def isbn(digits: str) -> bool:
    """Whether these are the characters of an ISBN of 10 or 13 digits."""
    if len(digits) == 13:
        return digits.startswith(("978", "979")) and is_ean(digits)
    values = [10 if char in "Xx" else int(char) for char in digits]
    return len(values) == 10 and sum(value * (10 - at) for at, value in enumerate(values)) % 11 == 0


def is_ean(digits: str) -> bool:
    """Whether the last of 13 digits is the check digit of articles (EAN)."""
    return len(digits) == 13 and weighted(digits, (1, 3) * 7) % 10 == 0


# Lengths of the numbers of one issuer, by what they begin with; the longest beginning counts.
_ISSUERS: dict[str, tuple[int, ...]] = {
    "4": (13, 16, 19),
    **{str(begin): (16,) for begin in range(51, 56)},
    **{str(begin): (16,) for begin in range(2221, 2721)},
    **{str(begin): (16, 17, 18, 19) for begin in range(2200, 2206)},
    **dict.fromkeys(("34", "37"), (15,)),
    **dict.fromkeys((*(str(begin) for begin in range(300, 306)), "3095", "38", "39"), (14, 16)),
    "36": (14, 16),
    **dict.fromkeys(("1800", "2131"), (15,)),
    "35": (16, 17, 18, 19),
    **dict.fromkeys(("6011", "65", "62", "81", "82"), (16, 17, 18, 19)),
    **dict.fromkeys((str(begin) for begin in range(644, 650)), (16, 17, 18, 19)),
    **dict.fromkeys(("50", "56", "57", "58"), (12, 13, 14, 15, 16, 17, 18, 19)),
    **dict.fromkeys(("60", "63", "67"), (12, 13, 14, 15, 16, 17, 18, 19)),
    "1": (15,),
}  # fmt: skip


_LENGTHS: dict[str, tuple[int, ...]] = {}


def card(digits: str) -> bool:
    """Whether an issuer of cards uses this beginning with this length, and the check digit is right."""
    begin = digits[:4]
    lengths = _LENGTHS.get(begin)
    if lengths is None:
        found = (_ISSUERS[begin[:size]] for size in (4, 3, 2, 1) if begin[:size] in _ISSUERS)
        lengths = _LENGTHS[begin] = next(found, ())
    if len(digits) not in lengths or not luhn(digits) or len(set(digits)) == 1:
        return False
    return digits[0] == "4" or not is_ean(digits)  # 13 digits are seldom a card, but for Visa


def ssn(digits: str) -> bool:
    """Whether the number lies where SSNs of the United States lie, or taxpayer numbers (ITIN)."""
    area, group, serial = int(digits[:3]), int(digits[3:5]), int(digits[5:])
    if area >= 900:
        return 50 <= group <= 65 or 70 <= group <= 88 or 90 <= group <= 92 or 94 <= group <= 99
    return area not in (0, 666) and group != 0 and serial != 0
