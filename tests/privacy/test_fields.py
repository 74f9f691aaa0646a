"""Does every row of sensitive names hide its example, and leave alone what only looks like it?"""

from __future__ import annotations

import pytest

from app.privacy.fields import FIELDS, Sensitive, is_sensitive
from app.privacy.levels import LEVELS
from app.privacy.words import words_of

ALWAYS = frozenset({"always"})


@pytest.mark.parametrize("row", FIELDS, ids=lambda row: f"{row.group}-{row.word}")
def test_each_row_has_a_name_that_vanishes_and_one_that_stays(row: Sensitive) -> None:
    alone = frozenset({row.group})
    assert is_sensitive(row.vanishes, alone)
    assert not is_sensitive(row.stays, alone)


def test_no_row_is_there_twice() -> None:
    assert len({(row.group, row.word) for row in FIELDS}) == len(FIELDS)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "author",
            "author_of",
            "opinion",
            "capacity",
            "syntax",
            "statement",
            "chapter",
            "spinning",
            "excellence",
        ),
        *(
            "payload",
            "protein",
            "private_repos",
            "isbn",
            "title",
            "status",
            "content",
            "meta",
            "tags",
            "network",
        ),
        *(
            "description",
            "responsibilities",
            "achievements",
            "phonetics",
            "tokenizer",
            "authority",
            "capital",
        ),
        *("opinions", "syntaxHighlighting", "mobileapps2", "international", "healthy_recipes", "zipper"),
    ],
)
def test_names_that_the_old_server_took_away_stay(name: str) -> None:
    assert not is_sensitive(name, ALWAYS)


@pytest.mark.parametrize(
    "name",
    [
        *(
            "phone",
            "Phone",
            "PHONE",
            "homePhone",
            "home_phone",
            "phone-home",
            "phone2",
            "phones",
            "phonenumber",
        ),
        *(
            "homephone",
            "mobile phone",
            "cell.phone",
            "apiKey",
            "APIKey",
            "API_KEY",
            "apikey",
            "api-keys",
            "api key",
        ),
        *(
            "myPassword",
            "pass_word",
            "userPassword2",
            "S.S.N.",
            "ssn_alt",
            "zipcode",
            "zip_code",
            "postalCode",
        ),
        *(
            "salary_history",
            "Salaries",
            "wages",
            "bankAccount",
            "tax_id",
            "taxId",
            "emergencyContact",
            "allergies",
        ),
        *(
            "pass\u00adword",
            "ｐａｓｓｗｏｒｄ",
            "pàssword",
            "to\u200bken",
            "private_email",
            "personalEMail",
            "secret_notes",
        ),
    ],
)
def test_names_in_every_spelling_vanish(name: str) -> None:
    assert is_sensitive(name, ALWAYS)


def test_words_of_names() -> None:
    assert words_of("homePhone_2") == ("home", "phone", "2")
    assert words_of("HTTPServerName") == ("http", "server", "name")
    assert words_of("kebab-case name") == ("kebab", "case", "name")
    assert words_of("Straße") == ("strasse",)
    assert words_of("") == ()


def test_every_group_is_known_to_a_level_or_a_setting() -> None:
    by_level = {group for level in LEVELS.values() for group in level.without}
    by_setting = {"contact", "location", "company", "education", "projects"}
    assert {"always", *by_level, *by_setting} == {row.group for row in FIELDS}
