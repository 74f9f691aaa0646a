"""Where exactly does something stand, in any text, and which of two findings counts?"""

from __future__ import annotations

import hashlib
import subprocess
import sys
from ipaddress import IPv6Address
from pathlib import Path
from random import Random

import phonenumbers
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.privacy import detectors
from app.privacy.detectors.finding import DETECTORS_VERSION, Finding
from app.privacy.detectors.internet import is_ipv6
from app.privacy.detectors.search import find
from tests.privacy.detectors.identities import REGIONS

FOLDER = Path(detectors.__file__).parent
# The version of the set, and what its files came to when it was given. Where what is found changes, raise
# DETECTORS_VERSION (stored findings name it); in any case write down the new digest.
VERSION, DIGEST = 2, "d77fec192b1527c0"


def parts(text: str) -> list[tuple[str, str]]:
    return [(one.detector, text[one.start : one.end]) for one in find(text)]


def test_places_are_code_points_of_the_text_as_it_was_given() -> None:
    assert find("🙂 ann@home.example") == [Finding("mail", 2, 18)]
    assert parts("🙂 ann@ho\u00adme.exam\u200bple!") == [("mail", "ann@ho\u00adme.exam\u200bple")]
    number = "４１１１\u2009１１１１\u2009１１１１\u2009１１１１"
    assert parts(number) == [("card", number)]


LABELS = [
    "Phone",
    "Telefon",
    "Rufnummer",
    "Téléphone",
    "Teléfono",
    "Móvil",
    "Cellulare",
    "Telefono",
    "Telefoon",
    "Mobiel",
    "Telefone",
    "Telemóvel",
    "Numer telefonu",
    "Komórka",
]


@pytest.mark.parametrize("label", LABELS)
@pytest.mark.parametrize("between", [": ", " ", ":\n", ":\r\n  ", "\u00a0", " - "])
@pytest.mark.parametrize(
    "number", ["612 345 678", "030.1234567", "0171\u00a01234567", "(030)\n123 456", "０３０ １２３４５６"]
)
def test_a_label_in_eight_languages_announces_a_number_on_its_line_and_the_next(
    label: str, between: str, number: str
) -> None:
    assert parts(f"{label}{between}{number}") == [("phone", number)]


def test_numbers_of_48_countries_are_found_after_a_label_whole_with_any_separator() -> None:
    random = Random(6)
    forms = phonenumbers.PhoneNumberFormat
    for region in REGIONS:
        number = phonenumbers.example_number(region)
        assert number is not None
        whole = phonenumbers.format_number(number, forms.INTERNATIONAL)
        for written in (whole, whole.replace("+", "00"), phonenumbers.format_number(number, forms.E164)):
            separator = random.choice((" ", ".", "\u00a0", "-", "\u2009"))
            written = written.replace(" ", separator)
            for text in (f"{random.choice(LABELS)}:\n{written}", f"({random.choice(LABELS)}: {written})"):
                assert ("phone", written) in parts(text), (region, text)


@pytest.mark.parametrize("link", ["tel:{}", '<a href="tel:{}">', "sms:{}", "https://wa.me/{}", "callto:{}"])
def test_a_link_that_calls_is_a_number_with_and_without_a_plus(link: str) -> None:
    assert parts(link.format("+4930123456"))[0][0] == "phone"
    assert parts(link.format("4930123456")) == [("phone", "4930123456")]


def test_addresses_of_version_6_are_those_of_another_implementation() -> None:
    random = Random(5)
    pieces = ("1", "ab", "0", "ffff", "12345", ":", ":", ":", "::", "1.2.3.4", "256.1.1.1")
    for _ in range(3000):
        address = "".join(random.choice(pieces) for _ in range(random.randint(1, 16)))
        try:
            right = IPv6Address(address) is not None and any(char.isdigit() for char in address)
        except ValueError:
            right = False
        assert is_ipv6(address) == right, address


@pytest.mark.parametrize(
    "text",
    [
        "ISBN 0-306-40615-2",
        "ORCID 0000-0002-1825-0097",
        "arXiv:2301.12345",
        "CVE-2024-12345",
        "RFC 8259",
        "port 54321",
        "version 10.15.7.1",
        "commit 1234567890",
        "revenue 612 345 678",
        "2015-2019 2020-2023",
        "Umsatz: 1 234 567 890 EUR",
        "v2.10.14",
        "RFC 2119 8174",
    ],
)
def test_numbers_that_name_or_count_something_public_are_left(text: str) -> None:
    assert parts(text) == []


def test_what_lies_within_a_surer_finding_is_not_found_again() -> None:
    assert parts("token=sk_live_4111111111111111") == [("secret", "sk_live_4111111111111111")]
    assert parts("DE89 3704 0044 0532 0130 00") == [("iban", "DE89 3704 0044 0532 0130 00")]


def test_a_bare_date_address_or_place_is_nobodys() -> None:
    assert parts("12 March 1984") == parts("12 Harbour Street") == parts("52.5200, 13.4050") == []


@given(
    st.text(alphabet=st.sampled_from("aB1 0.-+@:/=\n(４\u00a0\u200bé🙂4p"), max_size=120)
    | st.text(max_size=120)
)
def test_any_text_is_searched_without_an_error_and_findings_lie_within_it(text: str) -> None:
    for one in find(text):
        assert 0 <= one.start < one.end <= len(text)


def test_the_version_of_the_set_rises_with_what_it_finds() -> None:
    files = sorted(path for path in FOLDER.iterdir() if path.suffix in (".py", ".toml"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    assert (DETECTORS_VERSION, digest) == (VERSION, DIGEST)


def test_the_numbering_plans_are_loaded_at_the_first_number_only() -> None:
    code = (
        "import sys; from app.privacy.detectors.search import find; find('in 12 words'); "
        "assert 'phonenumbers' not in sys.modules; find('+49 30 1234567'); "
        "assert 'phonenumbers' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60, cwd=FOLDER.parent.parent.parent)
