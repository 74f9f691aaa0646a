"""Masks (redaction). Which parts of a longer text may not be shown?

Rows. Each names a kind of number or address, finds it, and gives a text in which something must vanish
and one that must stay as it is; a test runs both. Masks change the view only, never what is stored.
Every pattern here looks at each letter a bounded number of times (repeats that are possessive or few, and
starts that a look-behind pins down): a long word costs no more than a short one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from app.privacy.identifiers import Identifiers

REDACTED = "***REDACTED***"


@dataclass(frozen=True, order=True)
class Span:
    """A part of a text that may not be shown, and what stands there instead."""

    start: int
    end: int
    instead: str = REDACTED


@dataclass(frozen=True)
class Mask:
    """One kind of text that may not be shown.

    Hidden is the pattern's group ``part`` (or all that it found); ``holds`` looks closer at what was found;
    ``needs`` is in every text in which there is something to find, and one character of ``needs_one_of``.
    What guesses by the form alone ``spares`` public names (identifiers.py). Of a run in ``groups`` that does
    not hold, the shorter ones are tried, and those that begin later: a card may have a date beside it.
    """

    name: str
    pattern: re.Pattern[str]
    vanishes: str
    stays: str
    holds: Callable[[re.Match[str]], bool] = lambda match: True
    needs: str = ""
    needs_one_of: str = ""
    spares: bool = False
    groups: bool = False

    def parts(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield what is found in a text, in order."""
        if self.needs not in text:
            return
        if self.needs_one_of and not any(sign in text for sign in self.needs_one_of):
            return
        if not self.groups:
            part: str | int = "part" if "part" in self.pattern.groupindex else 0
            yield from (match.span(part) for match in self.pattern.finditer(text) if self.holds(match))
            return
        at = 0
        while match := self.pattern.search(text, at):
            found = next((shorter for shorter in self._shorter(match) if self.holds(shorter)), None)
            at = found.end() if found else match.start() + 1
            if found:
                yield found.span()

    def _shorter(self, match: re.Match[str]) -> Iterator[re.Match[str]]:
        """The match, and those that begin with it and end before a character that parts groups."""
        yield match
        text = match.string
        for end in range(match.end() - 1, match.start(), -1):
            if not text[end].isalnum() and (shorter := self.pattern.fullmatch(text, match.start(), end)):
                yield shorter


# 20180902232301: archives write a moment so, and no card of 14 digits begins with 20.
_MOMENT = re.compile(r"20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])[0-5]\d[0-5]\d")

_YEARS = re.compile(r"(?:19|20)\d\d(?:[ -](?:19|20)\d\d)+")


def _is_card(match: re.Match[str]) -> bool:
    digits = [int(char) for char in match[0] if char.isdigit()]
    if not 13 <= len(digits) <= 19 or _MOMENT.fullmatch(match[0]):
        return False
    if _YEARS.fullmatch(match[0]):
        return False
    if re.fullmatch(r"\d{4}([ -])\d{4}\1\d{4}\1\d{4}", match[0]):
        return True
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return (sum(doubled) + sum(digits[-1::-2])) % 10 == 0


def _is_iban(match: re.Match[str]) -> bool:
    compact = match[0].replace(" ", "")
    turned = compact[4:] + compact[:4]
    return len(compact) <= 34 and int("".join(str(int(char, 36)) for char in turned)) % 97 == 1


def _is_key(match: re.Match[str]) -> bool:
    return any(char.isdigit() for char in match[0]) and any(char.isalpha() for char in match[0])


def _is_phone(match: re.Match[str]) -> bool:
    return 7 <= sum(char.isdigit() for char in match[0]) <= 15


def _is_at_home(match: re.Match[str]) -> bool:
    return bool(re.search("personal|private|home", match[0], re.IGNORECASE))


_DIGITS = "0123456789"
_GAP = r"[ \u00a0.\u2010-\u2015-]"
_MAIL = r"(?<![\w.+%@-])[\w.+%-]{1,64}+@(?:[\w-]{1,63}+\.){1,8}[^\W\d_]{2,24}+"
_SECRET_WORD = (
    r"(?:pass(?:word|wd|phrase)|pwd|api[ _-]?key|access[ _-]?key|secret[ _-]?key|client[ _-]?secret|secret"
    r"|auth[ _-]?token|access[ _-]?token)"
)

MASKS: dict[str, tuple[Mask, ...]] = {
    "social_security": (
        Mask(
            "social_security",
            re.compile(r"(?<![\w-])\d{3}([ \u00a0\u2010-\u2015-])\d{2}\1\d{4}(?![\w-])"),
            "SSN 078-05-1120.",
            "ISBN 979-10-90636-07-1, ORCID 0000-0002-1825-0097",
        ),
        Mask(
            "social_security",
            re.compile(r"(?i)(?<!\w)(?:ssn|social security(?: number| no)?)[\W_]{1,5}(?P<part>\d{9})(?!\d)"),
            "SSN: 078051120",
            "the 123456789 sheep",
        ),
    ),
    "card_number": (
        Mask(
            "card_number",
            re.compile(r"(?<![\w.-])[2-6]\d{3}(?:[ -]?\d){9,15}(?!\w)"),
            "card 4111 1111 1111 1111",
            "ISBN 9780441478125, 1732280000000 ms, ORCID 0000-0002-1825-0097",
            _is_card,
            spares=True,
            groups=True,
        ),
    ),
    "bank_account": (
        Mask(
            "bank_account",
            re.compile(
                r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![A-Za-z0-9])"
            ),
            "IBAN DE89 3704 0044 0532 0130 00",
            "AB12 CDEF GHIJ KLMN OPQR",
            _is_iban,
            groups=True,
        ),
    ),
    "secret": (
        Mask(
            "secret",
            re.compile(r"(?<![A-Za-z0-9])[A-Za-z0-9]{32,}+"),
            "key abcdefabcdefabcdefabcdefabcdefab12",
            "a" * 64,
            _is_key,
            needs_one_of=_DIGITS,
            spares=True,
        ),
        Mask(
            "secret",
            re.compile(
                r"(?<![A-Za-z0-9])(?:[spr]k_(?:live|test)_|sk-|gh[opsur]_|github_pat_|glpat-|xox[abeprs]-"
                r"|AKIA|AIza|ya29\.|npm_|pypi-|hf_|dmn_|daemon_)[A-Za-z0-9_-]{6,}+"
            ),
            "sk_live_abcdef",
            "daemon_run and sk-learn",
            lambda match: match[0].startswith(("sk_", "pk_", "rk_")) or _is_key(match),
            needs_one_of="_" + _DIGITS,
        ),
        Mask(
            "secret",
            re.compile(r"(?<![\w-])eyJ[\w-]{8,}+\.[\w-]{8,}+(?:\.[\w-]*+)?"),
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl",
            "eyJa is how it begins",
            needs="eyJ",
        ),
        Mask(
            "secret",
            re.compile(
                r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY[A-Z ]{0,10}-----[^-]*+(?:-----END[^-]{0,60}+-----)?"
            ),
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN CERTIFICATE-----",
        ),
        Mask(
            "secret",
            re.compile(
                rf"(?i)(?<![^\W_]){_SECRET_WORD}[\"']?\s{{0,3}}[:=]\s{{0,3}}[\"']?"
                rf"(?P<part>(?=[^\s\"']{{0,80}}[\d!$%^&*])[^\s\"']{{4,}}+)"
            ),
            "Password: hunter2!",
            "the secret: patience, and a token of thanks",
            needs_one_of=":=",
        ),
        Mask(
            "secret",
            re.compile(r"(?<=://)[^\s/:@]{1,100}+:[^\s/@]{1,200}+(?=@)"),
            "https://ann:letmein@example.org/",
            "https://example.org:8443/@ann",
            needs="://",
        ),
    ),
    "home_mail": (
        Mask(
            "home_mail",
            re.compile(_MAIL),
            "write to ann@home.example",
            "write to ann@work.example",
            _is_at_home,
            needs="@",
        ),
    ),
    "mail": (
        Mask("mail", re.compile(_MAIL), "mail ann@work.example", "@ann, https://x.example/@ann", needs="@"),
    ),
    "phone": (
        Mask(
            "phone",
            re.compile(rf"(?<![\w+])\+\d(?:{_GAP}?(?:\(\d{{1,4}}\){_GAP}?)?\d){{6,14}}(?!\w)"),
            "+1 (415) 555-0134",
            "1 + 1234567 = 1234568, +5 % in 2019-2024",
            _is_phone,
        ),
        Mask(
            "phone",
            re.compile(
                rf"(?<![\w.\u2010-\u2015-])(?:\(\d{{3}}\){_GAP}?|\d{{3}}{_GAP})\d{{3}}{_GAP}\d{{4}}(?![\w-])"
            ),
            "Call 415-555-0134 or (415) 555 0199",
            "ISBN 0-306-40615-2, 1234567890, 2015-2019, 192.168.100.200",
        ),
        Mask(
            "phone",
            re.compile(
                rf"(?i)(?<!\w)(?:phone|telephone|tel|mobile|cell|call me|call|fax|whatsapp|signal)"
                rf"(?: no| number)?[.:]?(?: at| on)?[ \u00a0]{{1,3}}"
                rf"(?P<part>\(?\d(?:[()]?{_GAP}?\d){{6,14}})(?!\w)"
            ),
            "Tel. 030 1234567",
            "phone 3 people, call 1234 times",
            _is_phone,
        ),
    ),
}  # fmt: skip

_OF_DIGITS = frozenset({"social_security", "card_number", "bank_account", "phone"})
_DIGIT = re.compile(r"\d")
_MAIL_ALONE = re.compile(rf"\s*{_MAIL}\s*")


def is_mail_address(text: str) -> bool:
    """Whether the whole text is one mail address."""
    return _MAIL_ALONE.fullmatch(text) is not None


def mask_parts(text: str, known: Identifiers) -> Iterator[tuple[str, int, int]]:
    """Yield (name of the mask, start, end) of what any mask finds in a text, one mask after the other.

    ``known`` are the public names in the text.
    """
    has_digit = _DIGIT.search(text) is not None
    for name, rows in MASKS.items():
        for mask in rows if has_digit or name not in _OF_DIGITS else ():
            for part in mask.parts(text):
                if not (mask.spares and known.holds(*part)):
                    yield name, *part


def hidden_name_of_mail(text: str) -> Span:
    """Return the part before the @ of a text that is one mail address: what a business card leaves out."""
    return Span(0, text.rindex("@"), "***")


def without(text: str, spans: list[Span]) -> str:
    """Return the text without the parts; parts that overlap vanish as one."""
    shown: list[str] = []
    at = 0
    for span in _joined(spans):
        shown += (text[at : span.start], span.instead)
        at = span.end
    return "".join(shown) + text[at:]


def _joined(spans: list[Span]) -> list[Span]:
    joined: list[Span] = []
    for span in sorted(spans):
        if joined and span.start < joined[-1].end:
            joined[-1] = Span(joined[-1].start, max(span.end, joined[-1].end))
        else:
            joined.append(span)
    return joined
