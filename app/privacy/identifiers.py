"""Public identifiers. Which long numbers and runs of letters in a text are the public names of something?

A commit, a post, a paper, a researcher, a ticket: what only looks like a card number or a secret, and whose
link is dead when it is masked. Rows, as the masks are: each finds one form, and gives a text in which
something is spared and one in which nothing is; a test runs both. Only masks that guess by form and the
rules that Daemon ships ask here; what names itself a secret (a password, a token, a prefix) and what an
owner's own rule hides is never spared.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from app.privacy.cities import CITIES
from app.privacy.detectors.phone_plan import is_north_american

_URL_MOST = 2000


@dataclass(frozen=True)
class Identifier:
    """One form of public name: spared is the pattern's group ``part``, where ``holds`` agrees.

    ``needs`` is in every text in which there is something to find.
    """

    name: str
    pattern: re.Pattern[str]
    spared: str
    not_spared: str
    holds: Callable[[re.Match[str]], bool] = lambda match: True
    needs: str = ""


def is_isbn(text: str) -> bool:
    """Whether a text is an ISBN of 10 or 13 digits with the right check digit, hyphens and spaces aside."""
    digits = re.sub(r"[\s-]", "", text)
    if re.fullmatch(r"\d{9}[\dXx]", digits, re.ASCII):
        values = [10 if char in "Xx" else int(char) for char in digits]
        return sum(weight * value for weight, value in zip(range(10, 0, -1), values, strict=True)) % 11 == 0
    if re.fullmatch(r"97[89]\d{10}", digits, re.ASCII):
        return sum(int(char) * (3 if at % 2 else 1) for at, char in enumerate(digits)) % 10 == 0
    return False


def _is_orcid(match: re.Match[str]) -> bool:
    """Whether the last character is the check digit of ISO 7064 MOD 11-2."""
    digits = match["part"].replace("-", "")
    total = 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    return "0123456789X"[(12 - total % 11) % 11] == digits[-1]


# A telephone number, a social security number or a card number, written in their groups.
_IN_GROUPS = re.compile(r"(?<![\w-])(?:\d{3}[-.]\d{2,3}[-.]\d{4}|\d{4}(?:[-.]\d{4}){3})(?![\w-])")
# Words before a number or a hyphen after which it is no ticket: a place, a person's number.
_NO_TICKET = re.compile(
    r"(?i)zip|plz|cap|cep|usa|deu|ger|fra|ita|esp|aut|che|ssn|sin|tel|fax|pin|mob|mobile|cell|phone|call|dob"
    r"|box|apt|unit|suite|room|code|iban|acct|account|card|tax|ein"
)
_HEX = r"(?P<part>[0-9a-f]{40}|[0-9a-f]{64})(?![0-9A-Za-z])"

IN_TEXT: tuple[Identifier, ...] = (
    Identifier(
        "orcid",
        re.compile(
            r"(?<![\w-])(?P<part>(?:0000-000[1-3]|0009-00[01]\d)-\d{4}-\d{3}[\dX])(?![\w-])", re.ASCII
        ),
        "ORCID 0000-0002-1825-0097",
        "0000-0002-1825-0098 and 4111-1111-1111-1111",
        _is_orcid,
        needs="000",
    ),
    Identifier(
        "doi",
        re.compile(r"(?<![\w.])(?P<part>10\.\d{4,9}/[\w./():<>-]{1,200}+)", re.ASCII),
        "10.48550/arXiv.2301.12345",
        "10.1000/415-555-0134 and 10.1000/",
        lambda match: not _IN_GROUPS.search(match["part"].partition("/")[2]),
        needs="10.",
    ),
    Identifier(
        "arxiv",
        re.compile(
            r"(?<!\w)(?i:arxiv)(?:\.org/(?:abs|pdf|html)/|:\s?)(?P<part>\d{4}\.\d{4,5}(?:v\d{1,2})?)(?!\w)"
        ),
        "arXiv:2301.12345v2",
        "in arXiv 12345",
        needs=".",
    ),
    Identifier(
        "isbn",
        re.compile(r"(?<!\w)ISBN(?:-1[03])?:?\s?(?P<part>\d[\d -]{8,15}[\dX])(?![\w-])", re.ASCII),
        "ISBN 978-94-6300-123-6",
        "ISBN 4155550134",
        lambda match: is_isbn(match["part"]),
        needs="ISBN",
    ),
    Identifier(
        "commit",
        re.compile(rf"(?<!\w)(?i:commits?|revision|rev|changeset)[\s:=`'\"(\[@]{{1,4}}{_HEX}"),
        "since commit `b6f7f7a623c5cca51b0c5fa8bc16aa758e0ee4ab`",
        "a key b6f7f7a623c5cca51b0c5fa8bc16aa758e0ee4ab, commit 0123456789abcdef0123456789abcdef",
    ),
    Identifier(
        "commit",
        re.compile(rf"(?<![\w./-])[\w.-]{{1,100}}+/[\w.-]{{1,100}}+@{_HEX}"),
        "uses: actions/checkout@b6f7f7a623c5cca51b0c5fa8bc16aa758e0ee4ab",
        "ann@b6f7f7a623c5cca51b0c5fa8bc16aa758e0ee4ab",
        needs="@",
    ),
    Identifier(
        "object",
        re.compile(rf"(?<![\w./-])(?:swh:1:(?:cnt|dir|rev|rel|snp):|[\w./-]{{1,200}}+@sha256:){_HEX}"),
        "swh:1:rev:b6f7f7a623c5cca51b0c5fa8bc16aa758e0ee4ab",
        "sha256:b6f7f7a623c5cca51b0c5fa8bc16aa758e0ee4ab",
        needs=":",
    ),
    Identifier(
        "fingerprint",
        re.compile(
            r"(?<!\w)(?i:openpgp4fpr|(?:(?:pgp|gpg)(?: key)? )?fingerprint)[\s:=`]{1,4}"
            r"(?P<part>(?:0x)?[0-9A-Fa-f]{40})(?!\w)"
        ),
        "PGP fingerprint: 1AD7DA9BB71B713E53230B803E5483C94E3AE4A5",
        "PGP passphrase 1AD7DA9BB71B713E53230B803E5483C94E3AE4A5",
    ),
    Identifier(
        "ticket",
        re.compile(r"(?<![\w-])(?P<part>CVE-\d{4}-\d{4,7})(?![\w-])", re.ASCII),
        "CVE-2024-12345",
        "CV-2024-12345",
        needs="CVE-",
    ),
    Identifier(
        "ticket",
        re.compile(r"(?<![\w-])(?P<part>(?P<queue>[A-Z][A-Z0-9]{2,9})-\d{1,7})(?![\w-])", re.ASCII),
        "fixed by HADOOP-12345",
        "OR-97201, USA-97201, BERLIN-10115, CALL-5550134, ABC-078051120",
        lambda match: not (_NO_TICKET.fullmatch(match["queue"]) or match["queue"].casefold() in CITIES),
        needs="-",
    ),
    Identifier(
        "ticket",
        re.compile(r"(?<![\w&/?=#])(?:(?P<word>[^\W\d_]{1,12}+)[ .:]{0,2})?#(?P<part>\d{3,7})(?![\w-])"),
        "see #12345",
        "ZIP #97201, PO Box #12345, #078051120",
        lambda match: not (match["word"] and _NO_TICKET.fullmatch(match["word"])),
        needs="#",
    ),
    Identifier(
        "ticket",
        re.compile(
            r"(?<!\w)(?i:issue|bug|ticket|incident|pull request|merge request|pmid)s?(?i: no\.?| number| id)?"
            r"[ :#]{1,3}(?P<part>\d{3,9})(?![\w-])"
        ),
        "ticket number 123456789",
        "Portland, OR 97201; San Juan, PR 00901; the ticket 415-555-0134",
    ),
)

_POST = (
    r"(?:status(?:es)?|posts?|videos?|notes?|notice|permalink|photos?|reels?|comments?|messages?|stor(?:y|ies)"
    r"|@[\w.-]{1,60}(?:@[\w.-]{1,60})?)"
)
_NUMBERED = (
    r"(?:issues?|pull|merge_requests|discussions|tickets?|bugs?|runs|jobs?|questions|status|comments|posts"
    r"|[aq])"
)
_HOST = r"\Ahttps?://(?:[\w-]{1,63}\.){0,4}"

# Searched for within one link: an address that begins with http:// or https:// and has no space.
IN_LINKS: tuple[Identifier, ...] = (
    Identifier(
        "commit",
        re.compile(
            r"/(?:commits?|tree|blob|raw|blame|compare|rev|revision|changeset|files)/"
            r"(?P<part>[0-9a-f]{40,64}(?:\.\.\.?[0-9a-f]{40,64})?)(?![0-9A-Za-z])"
        ),
        "https://code.example/o/r/-/commit/b6f7f7a623c5cca51b0c5fa8bc16aa758e0ee4ab",
        "https://code.example/key/b6f7f7a623c5cca51b0c5fa8bc16aa758e0ee4ab",
    ),
    Identifier(
        "commit",
        re.compile(
            rf"(?:/(?:commit|tree|log|plain|diff|patch)/[^?#]{{0,500}}\?(?:[\w-]{{1,20}}=[\w./-]{{0,200}}&){{0,4}}id="
            rf"|[?;&]a=(?:commit|tree|blob|commitdiff)[;&](?:[a-z]{{1,3}}=[\w./-]{{0,200}}[;&]){{0,4}}hb?=){_HEX}"
        ),
        "https://git.example/r.git/commit/?id=b6f7f7a623c5cca51b0c5fa8bc16aa758e0ee4ab",
        "https://git.example/r.git/?id=b6f7f7a623c5cca51b0c5fa8bc16aa758e0ee4ab",
    ),
    Identifier(
        "commit",
        re.compile(
            rf"(?:\Ahttps?://raw\.githubusercontent\.com/[\w.-]{{1,100}}/[\w.-]{{1,100}}/"
            rf"|/gh/[\w.-]{{1,100}}/[\w.-]{{1,100}}@){_HEX}"
        ),
        "https://raw.githubusercontent.com/o/r/b6f7f7a623c5cca51b0c5fa8bc16aa758e0ee4ab/README.md",
        "https://raw.example/o/r/b6f7f7a623c5cca51b0c5fa8bc16aa758e0ee4ab/README.md",
    ),
    Identifier(
        "gist",
        re.compile(r"\Ahttps?://gist\.[\w.-]{1,100}/(?P<part>[\w.-]{1,100}(?:/[0-9a-f]{20,40}){0,2})(?![\w])"),
        "https://gist.github.com/ann/db96b6836f279811205bddbf8be67bec",
        "https://paste.example/ann/db96b6836f279811205bddbf8be67bec",
    ),
    Identifier(
        "anchor",
        re.compile(
            r"#(?P<part>diff-[0-9a-f]{32,64}|(?:issuecomment|discussioncomment|discussion_r|pullrequestreview"
            r"|note|comment|r)[-_]?\d{3,12})(?![\w])"
        ),
        "https://github.com/o/r/issues/12#issuecomment-386259984",
        "https://github.com/o/r/issues/12#token-386259984",
    ),
    Identifier(
        "fingerprint",
        re.compile(
            r"(?:/hkp/|/by-fingerprint/|/pks/lookup\?(?:\w{1,20}=\w{0,40}&){0,4}search=)"
            r"(?P<part>(?:0x)?[0-9A-Fa-f]{40})(?![0-9A-Za-z])"
        ),
        "https://keys.example/pks/lookup?op=get&search=0x1AD7DA9BB71B713E53230B803E5483C94E3AE4A5",
        "https://keys.example/?search=0x1AD7DA9BB71B713E53230B803E5483C94E3AE4A5",
    ),
    Identifier(
        "post",
        re.compile(rf"/{_POST}/(?P<part>\d{{17,19}})(?![\w])"),
        "https://social.example/ann/status/386259984817717248",
        "https://pay.example/status/4111111111111111",
    ),
    Identifier(
        "post",
        re.compile(r"/(?:channels|groups)/(?P<part>\d{17,19}(?:/(?:permalink/|posts/)?\d{17,19}){0,2})(?![\w])"),
        "https://chat.example/channels/386259984817717248/386259984817717248",
        "https://chat.example/cards/386259984817717248",
    ),
    Identifier(
        "post",
        re.compile(r"(?:\burn:li:|[_-])(?:activity|share|ugcPost)[:-](?P<part>\d{19})(?!\d)"),
        "https://work.example/posts/ann_bees-activity-6386259984817717248-abcd",
        "https://work.example/posts/ann_bees-6386259984817717248",
    ),
    Identifier(
        "number",
        re.compile(rf"/{_NUMBERED}/(?P<part>\d{{3,12}})(?![\w-])"),
        "https://github.com/o/r/issues/12345",
        "https://maps.example/97201 https://code.example/o/r/issues/4155550134",
        lambda match: not (len(match["part"]) == 10 and is_north_american(match["part"])),
    ),
    Identifier(
        "number",
        re.compile(
            r"(?:/(?:show_bug\.cgi|viewtopic\.php|item)\?(?:id|t)=|\Ahttps?://(?:www\.|player\.)?vimeo\.com/(?:video/)?)"
            r"(?P<part>\d{3,12})(?![\w-])"
        ),
        "https://bugs.example/show_bug.cgi?id=123456789",
        "https://bugs.example/?id=123456789",
    ),
    Identifier(
        "number",
        re.compile(r"\Ahttps?://(?:www\.)?wikidata\.org/(?:wiki|entity)/(?P<part>Q\d{1,9})(?!\w)"),
        "https://www.wikidata.org/wiki/Q12345678",
        "https://dmv.example/wiki/Q12345678",
    ),
    Identifier(
        "number",
        re.compile(r"/(?:dp|isbn|gp/product)/(?P<part>\d{9}[\dX]|97[89]\d{10})(?![\w-])", re.ASCII),
        "https://shop.example/dp/0441478123",
        "https://shop.example/dp/4155550134",
        lambda match: is_isbn(match["part"]),
    ),
    Identifier(
        "playlist",
        re.compile(r"[?&;]list=(?P<part>(?:PL|UU|OL|FL|RD|LL)[\w-]{10,48})(?![\w-])"),
        "https://video.example/playlist?list=PLtLXFsdHI8JTwScHvB924dY3PNwNJjjuW",
        "https://video.example/playlist?token=PLtLXFsdHI8JTwScHvB924dY3PNwNJjjuW",
    ),
    Identifier(
        "document",
        re.compile(
            r"(?:/(?:document|spreadsheets|presentation|forms|file|drawings)/(?:u/\d/)?d/(?:e/)?"
            r"|/folders/|/(?:open|uc)\?(?:export=\w{1,20}&)?id=)(?P<part>(?:1|0[A-Z]|2PACX-)[\w-]{22,100})(?![\w-])"
        ),
        "https://docs.example/document/d/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms/edit",
        "https://docs.example/d/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms/edit",
    ),
    Identifier(
        "document",
        re.compile(
            r"/(?:ccc|pub|lv|viewform|embeddedform)\?(?:(?!key=)\w{1,20}=[\w%.-]{0,40}&){0,4}"
            r"(?P<part>key=0A[\w-]{34,44}|formkey=d[\w-]{30,44})(?![\w-])"
        ),
        "https://sheets.example/ccc?key=0AmTaIPHPnkSedGFhbHo1d1FIR2oxNWJLaDZLeXhEVEE",
        "https://sheets.example/ccc?key=9f86d081884c7d659a2feaa0c55ad015a3bf4f1b",
    ),
    Identifier(
        "document",
        re.compile(
            rf"{_HOST}notion\.(?:so|site)/(?:[\w-]{{1,60}}/)?(?:[\w-]{{0,200}}-)?(?P<part>[0-9a-f]{{32}})(?![0-9A-Za-z])"
        ),
        "https://ann.notion.site/Reading-list-db96b6836f279811205bddbf8be67bec",
        "https://ann.example/Reading-list-db96b6836f279811205bddbf8be67bec",
    ),
    Identifier(
        "image",
        re.compile(
            r"/(?:[\w.%~@-]{0,100}[^A-Za-z0-9/])?(?P<part>[A-Za-z0-9]{32,200}+)[\w.,@-]{0,60}"
            r"\.(?:jpe?g|png|gif|webp|avif|svg)(?![\w/-])"
        ),
        "https://films.example/M/MV5BMTkzNzE4NjQ2NV5BMl5BanBnXkFtZTcwOTQ4MDE5@._V1_SX300.jpg",
        "https://films.example/MV5BMTkzNzE4NjQ2NV5BMl5BanBnXkFtZTcwOTQ4MDE5/film.jpg",
    ),
)  # fmt: skip

_LINK = re.compile(rf"(?i)https?://[^\s<>\"'`\\^{{}}|]{{1,{_URL_MOST}}}+")


class Identifiers:
    """The public names in one text; they are looked for when someone first asks."""

    def __init__(self, text: str) -> None:
        self._text = text

    def holds(self, start: int, end: int) -> bool:
        """Whether all of this part of the text belongs to one public name."""
        starts, ends = self._widest
        at = bisect_right(starts, start) - 1
        return at >= 0 and end <= ends[at]

    @cached_property
    def _widest(self) -> tuple[list[int], list[int]]:
        """Where the names begin, and where they end, both rising: none is within another."""
        starts: list[int] = []
        ends: list[int] = []
        found = {*_parts(IN_TEXT, self._text, 0), *_in_links(self._text)}
        for start, end in sorted(found, key=lambda part: (part[0], -part[1])):
            if not ends or end > ends[-1]:
                starts.append(start)
                ends.append(end)
        return starts, ends


def _in_links(text: str) -> Iterator[tuple[int, int]]:
    if "://" in text:
        for link in _LINK.finditer(text):
            yield from _parts(IN_LINKS, link[0], link.start())


def _parts(rows: tuple[Identifier, ...], text: str, at: int) -> Iterator[tuple[int, int]]:
    for row in rows:
        if row.needs in text:
            for match in row.pattern.finditer(text):
                if row.holds(match):
                    yield at + match.start("part"), at + match.end("part")
