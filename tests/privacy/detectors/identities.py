"""Made-up identities (mail, phone, card, IBAN, SSN, IP, national ids). What must be found in the set?

Nothing here asks the detectors: check digits of countries come from python-stdnum, numbering plans from
phonenumbers, so that one mistake in both places cannot hide itself.
"""

from __future__ import annotations

import ipaddress
import string
from collections.abc import Callable
from datetime import date, timedelta
from random import Random

import phonenumbers
from stdnum import luhn, verhoeff
from stdnum.es import dni
from stdnum.iso7064 import mod_11_10, mod_97_10

REGIONS = (
    *(
        "US",
        "CA",
        "GB",
        "DE",
        "FR",
        "ES",
        "IT",
        "NL",
        "PT",
        "PL",
        "AT",
        "CH",
        "BE",
        "SE",
        "NO",
        "DK",
        "FI",
        "IE",
        "CZ",
    ),
    *(
        "SK",
        "HU",
        "RO",
        "BG",
        "GR",
        "HR",
        "SI",
        "LT",
        "LV",
        "EE",
        "LU",
        "AU",
        "NZ",
        "JP",
        "KR",
        "CN",
        "IN",
        "BR",
        "MX",
    ),
    *("AR", "CL", "CO", "ZA", "NG", "KE", "EG", "TR", "IL", "UA"),
)
_FIRST = (
    "ann",
    "björn",
    "carla",
    "d.meyer",
    "eva_k",
    "finn-ole",
    "g.rossi",
    "hana",
    "i.o'hara",
    "jan+news",
    "k99",
)
_DOMAINS = (
    "home.example",
    "mail.work.example",
    "müller.example",
    "uni-x.example.org",
    "a-b.example.co.uk",
    "post.example",
)
_GAPS = (" ", "-", ".", "\u00a0", "", "\n", "\u2011", "\u2009")


def digits(random: Random, count: int) -> str:
    """Return random digits, the first of them not 0."""
    return random.choice("123456789") + "".join(random.choice(string.digits) for _ in range(count - 1))


def mail(random: Random) -> str:
    """Return a mail address."""
    name = random.choice(_FIRST) + random.choice(("", str(random.randrange(100))))
    found = f"{name}@{random.choice(_DOMAINS)}"
    return random.choice((found, found, found.upper(), found.title()))


def phone(random: Random, region: str, *, international: bool) -> str:
    """Return a number of a region as its people, or people abroad, write it."""
    kind = random.choice((phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE))
    example = phonenumbers.example_number_for_type(region, kind) or phonenumbers.example_number(region)
    assert example is not None
    for _ in range(50):
        national = str(example.national_number)
        tail = "".join(random.choice(string.digits) for _ in range(min(5, len(national) - 4)))
        number = phonenumbers.PhoneNumber(
            country_code=example.country_code,
            national_number=int(national[: len(national) - len(tail)] + tail),
            italian_leading_zero=example.italian_leading_zero,
        )
        if phonenumbers.is_valid_number(number):
            break
    formats = phonenumbers.PhoneNumberFormat
    style = formats.INTERNATIONAL if international else formats.NATIONAL
    written = phonenumbers.format_number(number, style)
    if international and random.random() < 0.25:
        written = phonenumbers.format_number(number, formats.E164)
    if international and random.random() < 0.25:
        written = "00" + written.removeprefix("+")
    gap = random.choice((None, None, None, ".", "\u00a0", "-", "\u2009"))
    written = written.replace(" ", gap) if gap else written
    return full_width(written) if random.random() < 0.05 else written


def full_width(text: str) -> str:
    """Return the text with full-width digits."""
    return text.translate({ord(digit): 0xFF10 + int(digit) for digit in string.digits})


_BRANDS = (
    *(
        ("4", 16),
        ("51", 16),
        ("2221", 16),
        ("2720", 16),
        ("34", 15),
        ("37", 15),
        ("36", 14),
        ("6011", 16),
        ("65", 16),
    ),
    *(("3530", 16), ("6759", 16), ("62", 16), ("4", 19), ("4", 13), ("5019", 16), ("2202", 16)),
)


def card(random: Random) -> str:
    """Return a card number in its usual groups."""
    begin, length = random.choice(_BRANDS)
    body = begin + "".join(random.choice(string.digits) for _ in range(length - len(begin) - 1))
    number = body + luhn.calc_check_digit(body)
    sizes = {15: (4, 6, 5), 14: (4, 6, 4), 16: (4, 4, 4, 4), 19: (4, 4, 4, 4, 3), 13: (13,)}[length]
    gap = random.choice(_GAPS)
    number = gap.join(number[sum(sizes[:at]) : sum(sizes[: at + 1])] for at in range(len(sizes)))
    return full_width(number) if random.random() < 0.05 else number


_IBANS = {
    "DE": "n18",
    "GB": "a4n14",
    "NL": "a4n10",
    "FR": "n10c11n2",
    "ES": "n20",
    "IT": "a1n10c12",
    "PT": "n21",
    "PL": "n24",
    "AT": "n16",
    "CH": "n5c12",
    "BE": "n12",
    "SE": "n20",
    "NO": "n11",
    "DK": "n14",
    "IE": "a4n14",
    "BR": "n23a1c1",
    "TR": "n22",
    "GR": "n7c16",
    "CZ": "n20",
    "FI": "n14",
    "LU": "n3c13",
    "MT": "a4n5c18",
}


def iban(random: Random) -> str:
    """Return an IBAN of one of 22 countries, with one of many separators or none."""
    country = random.choice(sorted(_IBANS))
    body = ""
    for kind, rest in ((part[0], part[1:]) for part in _parts(_IBANS[country])):
        letters = {
            "n": string.digits,
            "a": string.ascii_uppercase,
            "c": string.digits + string.ascii_uppercase,
        }[kind]
        body += "".join(random.choice(letters) for _ in range(int(rest)))
    number = country + mod_97_10.calc_check_digits(body + country) + body
    gap = random.choice(_GAPS)
    written = gap.join(number[at : at + 4] for at in range(0, len(number), 4))
    return written.lower() if random.random() < 0.1 else written


def _parts(pattern: str) -> list[str]:
    parts: list[str] = []
    for char in pattern:
        if char.isalpha():
            parts.append(char)
        else:
            parts[-1] += char
    return parts


def ssn(random: Random) -> str:
    """Return a social security number of the United States, in groups."""
    area = random.choice([number for number in range(1, 900) if number != 666])
    gap = random.choice(("-", "-", "-", " ", ".", "\u2011", "\u00a0"))
    return f"{area:03}{gap}{random.randrange(1, 100):02}{gap}{random.randrange(1, 10000):04}"


def ip(random: Random) -> str:
    """Return an IP address of either version."""
    if random.random() < 0.5:
        return ".".join(str(random.randrange(1, 255)) for _ in range(4))
    address = ipaddress.IPv6Address(
        random.getrandbits(128) if random.random() < 0.5 else (0x20010DB8 << 96) + random.getrandbits(40)
    )
    return random.choice((address.compressed, address.exploded, address.compressed.upper()))


def mac(random: Random) -> str:
    """Return a MAC address."""
    pairs = [f"{random.randrange(256):02x}" for _ in range(6)]
    pairs[0] = "0a"
    return random.choice(
        (
            ":".join(pairs),
            "-".join(pairs),
            ":".join(pairs).upper(),
            ".".join("".join(pairs)[at : at + 4] for at in (0, 4, 8)),
        )
    )


def _day(random: Random) -> date:
    return date(1945, 1, 1) + timedelta(days=random.randrange(20000))


def birth_date(random: Random) -> str:
    """Return a day as it is written in one of a few countries."""
    day = _day(random)
    months = ("January", "März", "mars", "maggio", "octubre", "december", "junho", "kwietnia")
    return random.choice(
        (
            day.isoformat(),
            day.strftime("%d/%m/%Y"),
            day.strftime("%d.%m.%Y"),
            f"{day.day} {random.choice(months)} {day.year}",
        )
    )


def coordinates(random: Random) -> str:
    """Return a pair of degrees."""
    north, east = random.uniform(-60, 70), random.uniform(-170, 170)
    return random.choice(
        (f"{north:.4f}, {east:.4f}", f"{north:.6f},{east:.6f}", f"{abs(north):.4f}° N, {abs(east):.4f}° W")
    )


def street_address(random: Random) -> str:
    """Return a street and a house number as in one of eight countries."""
    number = random.randrange(1, 200)
    name = random.choice(("Linden", "Mill", "Harbour", "Augusta", "Roma", "Mayor"))
    return random.choice(
        (
            *(
                f"{number} {name} Street",
                f"{number} {name} Rd",
                f"{name}straße {number}",
                f"{name}weg {number}a",
            ),
            *(
                f"{number} rue {name}",
                f"{number}, avenue de {name}",
                f"Calle {name} {number}",
                f"Via {name} {number}",
            ),
            *(f"{name}straat {number}", f"Rua {name} {number}", f"ul. {name} {number}"),
        )
    )


def _right(random: Random, make: Callable[[Random], str], check: Callable[[str], bool]) -> str:
    return next(made for made in iter(lambda: make(random), "") if check(made))


def national_id(random: Random, country: str) -> str:
    """Return an identity number of one of the ten countries, as it is written there."""
    from stdnum.br import cpf
    from stdnum.de import idnr
    from stdnum.fr import nir
    from stdnum.gb import nhs
    from stdnum.it import codicefiscale
    from stdnum.nl import bsn
    from stdnum.pl import pesel
    from stdnum.pt import nif
    from stdnum.se import personnummer

    day = _day(random)
    match country:
        case "gb" if random.random() < 0.5:
            gap = random.choice((" ", ""))
            return gap.join(
                (
                    random.choice(("AB", "CE", "JR", "SK", "WM")),
                    *(digits(random, 2) for _ in range(3)),
                    random.choice("ABCD"),
                )
            )
        case "gb":
            number = _right(random, lambda r: digits(r, 10), nhs.is_valid)
            return random.choice((number, f"{number[:3]} {number[3:6]} {number[6:]}"))
        case "de":
            number = _right(random, _steuer_id, idnr.is_valid)
            return random.choice((number, f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:]}"))
        case "fr":
            body = (
                random.choice("12")
                + day.strftime("%y%m")
                + f"{random.randrange(1, 96):02}"
                + digits(random, 6)
            )
            body = body if body[5:7] != "20" else body[:5] + "75" + body[7:]
            number = body + nir.calc_check_digits(body)
            return random.choice(
                (
                    number,
                    " ".join(
                        (
                            number[0],
                            number[1:3],
                            number[3:5],
                            number[5:7],
                            number[7:10],
                            number[10:13],
                            number[13:],
                        )
                    ),
                )
            )
        case "es":
            body = random.choice((digits(random, 8), "X" + digits(random, 7)))
            letter = dni.calc_check_digit(body.replace("X", "0"))
            return random.choice((body + letter, f"{body}-{letter}"))
        case "it":
            body = (
                "RSSMRA"
                + day.strftime("%y")
                + "ABCDEHLMPRST"[day.month - 1]
                + f"{day.day + random.choice((0, 40)):02}"
                + "H"
                + digits(random, 3)
            )
            return body + codicefiscale.calc_check_digit(body)
        case "nl":
            return _right(random, lambda r: digits(r, 9), bsn.is_valid)
        case "pl":
            body = day.strftime("%y%m%d") + digits(random, 4)
            return body + pesel.calc_check_digit(body)
        case "pt":
            body = random.choice("12") + digits(random, 7)
            number = body + nif.calc_check_digit(body)
            return random.choice((number, f"{number[:3]} {number[3:6]} {number[6:]}"))
        case "br":
            number = _right(random, lambda r: digits(r, 11), cpf.is_valid)
            return random.choice((number, f"{number[:3]}.{number[3:6]}.{number[6:9]}-{number[9:]}"))
        case "se":
            body = day.strftime("%y%m%d") + digits(random, 3)
            number = body + luhn.calc_check_digit(body)
            written = random.choice((f"{number[:6]}-{number[6:]}", f"19{number[:6]}-{number[6:]}"))
            assert personnummer.is_valid(written)
            return written
    raise AssertionError(country)


def _steuer_id(random: Random) -> str:
    ten = random.sample(string.digits, 9)
    ten.insert(random.randrange(1, 10), random.choice(ten))
    body = "".join(ten)
    return body + mod_11_10.calc_check_digit(body)


def aadhaar(random: Random) -> str:
    """Return an Indian number with the check digit of Verhoeff."""
    body = random.choice("23456789") + digits(random, 10)
    return body + verhoeff.calc_check_digit(body)
