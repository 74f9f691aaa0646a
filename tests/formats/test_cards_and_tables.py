"""vCard and CSV: is every oddity of real files read, kept, or refused by name?"""

from __future__ import annotations

import base64

import pytest

from app.errors import DaemonError, InvalidContent, UsageError
from app.formats.items import Choices, Found, ReadSource, Source
from app.formats.recognise import read_source

TODAY = "2026-06-01"
KINDS = frozenset({"contacts", "favorite_books", "resume", "ideas"})


def read(files: dict[str, str | bytes], choices: Choices | None = None) -> ReadSource:
    raw = {path: each.encode() if isinstance(each, str) else each for path, each in files.items()}
    return read_source(Source("source", raw), choices or Choices(), KINDS, TODAY)


def card(text: str | bytes) -> Found:
    found = read({"a.vcf": text})
    assert found.format == "vCard"
    (only,) = found.items
    assert only.kind == "contacts"
    assert only.is_hidden
    return only


def lines(*within: str) -> str:
    return "\r\n".join(["BEGIN:VCARD", *within, "END:VCARD", ""])


def test_a_card_of_2_1_with_bare_types_and_quoted_text() -> None:
    text = (
        b"BEGIN:VCARD\r\nVERSION:2.1\r\n"
        b"N;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg;;;\r\n"
        b"FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=\r\n=B6rg M=C3=BC=\r\nller\r\n"
        b"TEL;CELL;PREF:+49 170 1\r\nTEL;HOME;VOICE:1-800-FLOWERS\r\n"
        b"PHOTO;ENCODING=BASE64;JPEG:/9j/4AAQ\r\n AAAA\r\n\r\nBDAY:19800322\r\nEND:VCARD\r\n"
    )
    found = card(text)
    assert found.content["name"] == "Jörg Müller"
    assert found.content["phones"] == [
        {"value": "+49 170 1", "types": ["cell"], "preferred": True},
        {"value": "1-800-FLOWERS", "types": ["home"]},
    ]
    assert found.content["birthday"] == "1980-03-22"
    assert [each.place for each in found.left_out] == ["a.vcf, card 1: PHOTO"]


def test_a_card_of_3_0_with_groups_folds_and_escapes() -> None:
    found = card(
        lines(
            "VERSION:3.0",
            "N:Bee;Ann;Q.;Dr.;PhD",
            "ORG:One\\, Two;Unit",
            "item1.TEL;TYPE=CELL,VOICE:tel:+1-415-555-0134",
            "item1.X-ABLabel:_$!<Mobile>!$_",
            "ADR;TYPE=home:;;1 Road\\; Back;Town;R;123;Land",
            "NOTE:two\\nlines and",
            "\tmore",
            "X-SOCIAL:me",
            "BDAY:--0203",
        )
    )
    content = found.content
    assert content["name"] == "Dr. Ann Q. Bee PhD"
    assert content["organization"] == "One, Two, Unit"
    assert content["phones"] == [{"value": "+1-415-555-0134", "types": ["cell"], "label": "Mobile"}]
    address = {"street": "1 Road; Back", "city": "Town", "region": "R"}
    address |= {"postal_code": "123", "country": "Land"}
    assert content["addresses"] == [{**address, "types": ["home"]}]
    assert content["note"] == "two\nlines andmore"
    assert content["vcard"] == {"X-SOCIAL": ["me"]}
    assert content["birthday"] == "--02-03"


def test_a_card_of_4_0_in_small_letters_and_with_bare_line_ends() -> None:
    found = card("begin:vcard\nfn:Ann\nversion:4.0\nuid:urn:uuid:1\ntel;value=uri;pref=1:tel:+1\nEND:vcard\n")
    assert found.source_id == "vcard:urn:uuid:1"
    assert found.content["phones"] == [{"value": "+1", "preferred": True}]


def test_cards_of_one_file_stay_apart_also_without_an_end_and_twice() -> None:
    one = "BEGIN:VCARD\nVERSION:3.0\nFN:A\n"
    found = read({"a.vcf": one + lines("FN:B") + lines("FN:B")})
    assert [each.content["name"] for each in found.items] == ["A", "B", "B"]
    assert len({each.source_id for each in found.items}) == 3


def test_a_long_photo_stays_in_the_source() -> None:
    photo = base64.b64encode(b"\xff\xd8" * 30_000).decode()
    folded = "\r\n ".join(photo[at : at + 74] for at in range(0, len(photo), 74))
    found = card(lines("FN:A", f"PHOTO;ENCODING=b;TYPE=JPEG:{folded}", "TEL:1"))
    assert found.content == {"name": "A", "phones": [{"value": "1"}]}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"no card", "holds no card"),
        (b"BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE;CHARSET=UTF-8:=C3\nEND:VCARD", "is not UTF-8"),
        (b"BEGIN:VCARD\nFN:\xe9\nEND:VCARD", "byte 15 .line 2. is 0xE9"),
        (b"BEGIN:VCARD\nEND:VCARD\n" * 5_001, "more than 5000 cards"),
    ],
)
def test_broken_and_hostile_cards_are_refused_with_a_sentence(text: bytes, said: str) -> None:
    with pytest.raises(InvalidContent, match=said):
        read({"a.vcf": text})


GOODREADS = (
    "Book Id,Title,Author,Author l-f,Additional Authors,ISBN,ISBN13,My Rating,Average Rating,Publisher,"
    "Binding,"
    "Number of Pages,Year Published,Original Publication Year,Date Read,Date Added,Bookshelves,"
    "Bookshelves with positions,Exclusive Shelf,My Review,Spoiler,Private Notes,Read Count,Owned Copies\n"
)


def book(book_id: str, title: str, shelf: str, rating: str = "0", review: str = "") -> str:
    cells = [
        book_id,
        f'"{title}"',
        "A",
        '"A, A"',
        "",
        '"=""1250313198"""',
        '"=""9781250313195"""',
        rating,
        "4.1",
    ]
    cells += [
        "P",
        "Paperback",
        "300",
        "2019",
        "2019",
        "2020/10/25",
        "2020/10/20",
        f'"{shelf}, sf"',
        "",
        shelf,
    ]
    return ",".join([*cells, f'"{review}"', "", "my note", "1", "0"]) + "\n"


def test_books_of_goodreads() -> None:
    text = (
        GOODREADS
        + book("1", "One (Series, #1)", "read", "5", 'a ""fine""<br/>\nbook')
        + book("2", "Two", "to-read")
    )
    found = read({"export.csv": text})
    assert found.format == "Goodreads CSV"
    first, two = found.items
    assert first.content == {
        "title": "One (Series, #1)",
        "author": "A",
        "publisher": "P",
        "year": "2019",
        "review": 'a "fine"<br/>\nbook',
        "isbn": "9781250313195",
        "rating": 5,
        "date_read": "2020-10-25",
        "genres": ["sf"],
        "goodreads": first.content["goodreads"],
    }
    assert first.content["goodreads"]["Private Notes"] == "my note"
    assert "rating" not in two.content
    assert (first.is_hidden, two.is_hidden) == (False, True)
    assert (first.source_id, two.source_id) == ("goodreads:1", "goodreads:2")
    assert first.place == "export.csv, line 3"


def test_an_export_without_its_header_is_refused() -> None:
    with pytest.raises(InvalidContent, match="without its first line"):
        read({"export.csv": book("1", "One", "read") + book("2", "Two", "read")})


def test_columns_in_another_order_are_found_by_their_names() -> None:
    text = "Author,Title,My Rating,Date Read,Exclusive Shelf,Publisher,New Column\nA,T,3,,read,P,x\n"
    (found,) = read({"a.csv": text}).items
    assert (found.content["title"], found.content["rating"]) == ("T", 3)
    assert found.content["goodreads"]["New Column"] == "x"


def test_any_table_with_a_mapping() -> None:
    text = 'Titel;Text ;Tags;Nr;Other\nEins;Wort;a, b;1;o\n;;;;\nZwei;"mehr\nZeilen";;2;\n'
    with pytest.raises(UsageError, match="Its columns are: Titel, Text, Tags, Nr, Other") as refused:
        read({"a.csv": text})
    assert "--column" in str(refused.value.hint)
    columns = {"Titel": "title", "Text": "content", "Tags": "meta.tags", "Nr": "id"}
    one, two = read({"a.csv": text}, Choices(kind="ideas", columns=columns)).items
    assert one.content == {
        "title": "Eins",
        "content": "Wort",
        "meta": {"tags": ["a", "b"]},
        "csv": {"Other": "o"},
    }
    assert (one.source_id, two.source_id) == ("csv:1", "csv:2")
    assert two.content == {"title": "Zwei", "content": "mehr\nZeilen"}
    with pytest.raises(UsageError, match="no column 'None'"):
        read({"a.csv": text}, Choices(kind="ideas", columns={"None": "title"}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is empty"),
        ("a,a\n1,2\n", "two columns called a"),
        ("a,b\n1,2,3\n", "3 values for 2 columns"),
        ('a,b\n"1,2\n', "no CSV"),
        ("a,b\n1," + "x" * 1_000_001 + "\n", "no CSV"),
    ],
)
def test_broken_and_hostile_tables_are_refused_with_a_sentence(text: str, said: str) -> None:
    with pytest.raises(DaemonError, match=said):
        read({"a.csv": text}, Choices(kind="ideas", columns={"a": "title"}))


def test_an_archive_of_linkedin_is_one_resume_and_nothing_of_others() -> None:
    found = read(
        {
            "Basic/Profile.csv": "First Name,Last Name,Address,Birth Date,Headline,Summary,Zip Code\n"
            "Ann,Bee,1 Road,Mar 3,H,S,123\n",
            "Basic/Positions.csv": 'Notes:\n"a preamble, quoted"\n\n'
            "Company Name,Title,Description,Location,Started On,Finished On\n"
            "C,T,D,L,Jun 2018,\nD,U,,,Jan 2015,May 2018\n",
            "Basic/Skills.csv": "Name\nPython \n",
            "Basic/Connections.csv": "Notes:\nFirst Name,Email Address\nOther,o@x.example\n",
            "messages.csv": "FROM,CONTENT\nx,y\n",
            "Jobs: Saved.csv": "x\n",
        }
    )
    assert found.format == "LinkedIn archive"
    (resume,) = found.items
    assert resume.content["basics"] == {
        "name": "Ann Bee",
        "label": "H",
        "summary": "S",
        "linkedin": {"Address": "1 Road", "Birth Date": "Mar 3", "Zip Code": "123"},
    }
    assert resume.content["work"] == [
        {"name": "C", "position": "T", "summary": "D", "location": "L", "startDate": "2018-06"},
        {"name": "D", "position": "U", "startDate": "2015-01", "endDate": "2018-05"},
    ]
    assert resume.content["skills"] == [{"name": "Python"}]
    assert {each.place for each in found.left_out} == {
        "Basic/Connections.csv",
        "messages.csv",
        "Jobs: Saved.csv",
    }
