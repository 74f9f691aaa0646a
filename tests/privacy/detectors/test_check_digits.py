"""Do our check digits agree with another implementation of them (python-stdnum)?"""

from __future__ import annotations

import importlib
import string
from datetime import date, timedelta
from random import Random

import pytest

from app.privacy.detectors.check_digits import card, isbn, mod_97
from app.privacy.detectors.national_checks import CHECKS

# Our name, theirs, and a form: D a day as YYMMDD, R one as DDMMYY, # any digit, ? any letter.
FORMS = (
    *(("at", "at.vnr", "1###R"), ("au", "au.tfn", "#########"), ("br", "br.cpf", "###########")),
    *(("ca", "ca.sin", "#########"), ("ch", "ch.ssn", "756##########"), ("cn", "cn.ric", "11010119D####")),
    *(("cz", "cz.rc", "D####"), ("de", "de.idnr", "###########"), ("es", "es.dni", "########?")),
    *(("es", "es.nie", "X#######?"), ("fi", "fi.hetu", "R###?"), ("fr", "fr.nir", "1851175########")),
    *(("gb_nhs", "gb.nhs", "##########"), ("ie", "ie.pps", "#######?"), ("nl", "nl.bsn", "1########")),
    *(("in_aadhaar", "in_.aadhaar", "2###########"), ("it", "it.codicefiscale", "*SSM*A85T10A###?")),
    *(("mx", "mx.curp", "BOXWDHNE*XN##"), ("pl", "pl.pesel", "D#####"), ("pt", "pt.nif", "2########")),
    *(("ro", "ro.cnp", "1D01####"), ("se", "se.personnummer", "D####"), ("tr", "tr.tckimlik", "###########")),
    *(("za", "za.idnr", "D#######"),),
)  # fmt: skip
EXACT = ("at", "br", "ca", "ch", "de", "es", "gb_nhs", "in_aadhaar", "it", "nl", "pl", "tr", "au")


def written(random: Random, form: str) -> str:
    day = date(1950, 1, 1) + timedelta(days=random.randrange(15000))
    made = {"D": day.strftime("%y%m%d"), "R": day.strftime("%d%m%y")}
    any_of = {"#": string.digits, "?": string.ascii_uppercase}
    return "".join(random.choice(any_of[char]) if char in any_of else made.get(char, char) for char in form)


@pytest.mark.parametrize(("ours", "theirs", "form"), FORMS)
def test_another_implementation_takes_the_same_numbers(ours: str, theirs: str, form: str) -> None:
    module = importlib.import_module(f"stdnum.{theirs}")
    random = Random(f"{theirs}{form}")
    numbers = [number.replace("*", "R") for number in (written(random, form) for _ in range(4000))]
    mine = {number for number in numbers if CHECKS[ours](number)}
    others = {number for number in numbers if module.is_valid(_as_theirs(ours, number))}
    assert others
    assert others <= mine
    assert len(mine) <= (len(others) if ours in EXACT else 3 * len(others))


def _as_theirs(ours: str, number: str) -> str:
    if ours == "fi":
        return f"{number[:6]}-{number[6:]}"
    return f"{number[:6]}-{number[6:]}" if ours == "se" else number


def test_letters_of_singapore_are_those_of_published_examples() -> None:
    assert CHECKS["sg"]("S1234567D")
    assert CHECKS["sg"]("F1234567N")
    assert not CHECKS["sg"]("S1234567E")


def test_cards_have_an_issuer_a_length_and_a_check_digit() -> None:
    assert card("4111111111111111")
    assert card("378282246310005")
    assert not card("4111111111111112")
    assert not card("9111111111111111")
    assert not card("3782822463100050")


def test_ibans_and_isbns() -> None:
    assert mod_97("DE89370400440532013000") == 1
    assert isbn("9780306406157")
    assert isbn("080442957X")
    assert not isbn("9780306406158")
