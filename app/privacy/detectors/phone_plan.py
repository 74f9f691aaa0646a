"""Telephone numbering plans (phonenumbers). Does any country's plan have this number?

The library is loaded at the first question. Of its data only what a number may look like at all is used
(length and first digits), read by patterns of our own: its parser takes fifty times as long.
"""

from __future__ import annotations

import re
from functools import cache, lru_cache

# Countries whose people write their numbers at home with a 0 before them, and those who do not.
_WITH_ZERO = (
    *("DE", "GB", "FR", "NL", "BE", "AT", "CH", "SE", "FI", "IE", "AU", "NZ", "ZA", "JP", "KR", "CN", "TW"),
    *("TH", "MY", "PH", "ID", "VN", "IL", "TR", "EG", "IN", "PK", "UA", "RO", "BG", "HR", "SI", "SK", "AR"),
    *("NG", "KE"),
)  # fmt: skip
_WITHOUT_ZERO = (
    *("US", "ES", "PT", "PL", "DK", "NO", "CZ", "GR", "IT", "BR", "MX", "LU", "EE", "LV", "LT", "MT", "IS"),
    *("CY", "HU", "SG", "HK", "CL", "CO", "PE", "RU", "AE", "SA", "BE", "CH", "FR", "NL"),
)  # fmt: skip
_Plan = tuple[str, frozenset[int]]


@cache
def _plan(region: str) -> _Plan:
    """What the national numbers of a region look like, as a pattern, and how long they are."""
    from phonenumbers import PhoneMetadata

    if region.isdigit():
        found = PhoneMetadata.metadata_for_nongeo_region(int(region))
    else:
        found = PhoneMetadata.metadata_for_region(region)
    general = found.general_desc if found else None
    if general is None or general.national_number_pattern is None:
        return "(?!)", frozenset()
    return str(general.national_number_pattern), frozenset(general.possible_length)


@cache
def _main_region(country_code: int) -> str | None:
    from phonenumbers import COUNTRY_CODE_TO_REGION_CODE

    regions: tuple[str, ...] = COUNTRY_CODE_TO_REGION_CODE.get(country_code, ())
    if not regions:
        return None
    return str(country_code) if regions[0] == "001" else regions[0]


@cache
def _of_length(regions: tuple[str, ...], length: int) -> re.Pattern[str]:
    """What the numbers of this length look like in any of the regions."""
    patterns = {plan[0] for plan in map(_plan, regions) if length in plan[1]}
    return re.compile("|".join(sorted(patterns)) or "(?!)")


@lru_cache(4096)
def fits(national: str, regions: tuple[str, ...]) -> bool:
    """Whether it looks like a number of any of the regions; remembered."""
    return _of_length(regions, len(national)).fullmatch(national) is not None


def is_international(digits: str) -> bool:
    """Whether the digits, without + or 00, are a country code and a number of that country."""
    for size in (1, 2, 3):
        region = _main_region(int(digits[:size]))
        if region:
            national = digits[size:]
            return fits(national, (region,)) or (national[0] == "0" and fits(national[1:], (region,)))
    return False


def has_country(digits: str) -> bool:
    """Whether the digits begin with the code of a country."""
    return any(_main_region(int(digits[:size])) for size in (1, 2, 3))


def is_national(digits: str) -> bool:
    """Whether the digits are a number as some country's people write it at home."""
    if digits.startswith("0"):
        return fits(digits[1:], _WITH_ZERO) or fits(digits, ("IT",))
    return fits(digits, _WITHOUT_ZERO)


def is_north_american(digits: str) -> bool:
    """Whether the ten digits are a number of North America: its area exists, no 0 or 1 where none is."""
    return digits[3] in "23456789" and fits(digits, ("US",))
