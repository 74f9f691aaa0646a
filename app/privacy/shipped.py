"""Default rules. What do the patterns mean that every installation begins with?

Rows of data_privacy_rules are the owner's and are never rewritten, so a shipped pattern that hides too much
stays as it was written in 0.2.0. Anyone who left it as it is gets what it was meant to hide: a row here says,
byte by byte, which text it answers. All of them spare public names (identifiers.py); where the pattern itself
is wrong, ``instead`` is searched for. One changed letter makes a rule the owner's own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from app.privacy.pattern_syntax import Unbounded
from app.privacy.patterns import Pattern, missing, pattern

# -- a street address on one line: a number, a name of a few words, a kind of street that ends with the word.

_NUMBER = r"(?<!\d)\d++[A-Za-z]?"
_SPACE = r"[^\S\r\n]{1,8}"
_LINE_END = r"[^\S\r\n]{0,8}\r?\n[^\S\r\n]{0,8}"
_LETTERS = r"(?:[\w'’-]|[.,](?=\w)){0,40}+"
_NAMED = rf"[A-Z0-9À-ÖØ-Þ]{_LETTERS}"
_ARTICLE = r"(?:the|la|le|les|el|los|las|de|du|von|van)"
_SMALL = r"(?:of|the|and|de|la|le|du|da|del|di|von|van|der|den|upon|on|y)"
_KIND = (
    r"(?:Streets?|Str|Strasse|Straße|St|Avenues?|Avenida|Aven?|Roads?|Rds?|Drives?|Drv|Dr|Lanes?|Ln)"
    r"(?![a-zß-öø-ÿ])"
)
# Words that stand in sentences and in no street's name.
_PROSE = (
    r"(?:a|an|the|and|or|of|in|on|at|to|from|by|with|for|near|across|along|around|over|under|into|onto|off"
    r"|between|behind|via|per|as|is|are|was|were|be|been|has|have|had|do|does|did|we|i|you|he|she|it|they|who"
    r"|which|that|this|these|those|my|our|your|his|her|its|their|not|no|than|then|so|but|if|when|while|where"
    r"|since|until|after|before|years?|months?|weeks?|days?|hours?|minutes?|times?|km|miles?|people)"
)
# After a full stop no street goes on, unless it ends an abbreviation: "E.", "Mt.", "Capt."
_GAP = rf"(?:(?:(?<!\w{{5}})\.|,)?{_SPACE}|[ ][-–][ ])"
_WRAPPED_GAP = rf"(?:(?:(?<!\w{{5}})\.|,)?(?:{_SPACE}|{_LINE_END})|[ ][-–][ ])"


def _street(gap: str, *, most: int) -> str:
    first = rf"{_NUMBER},?{gap}(?:(?:on|in|at){gap})?(?:{_ARTICLE}{gap})?{_NAMED}"
    return rf"{first}(?:{gap}(?:{_NAMED}|{_SMALL}(?!\w))){{0,{most}}}{gap}{_KIND}"


_ADDRESS = "|".join(
    (
        # A text wrapped at 80 letters has wrapped addresses too; "at" tells it from two lines of a list.
        rf"(?<!\w)(?i:at|is|on|live|lives|living|address)[:,]?(?:{_SPACE}|{_LINE_END})"
        + _street(_WRAPPED_GAP, most=4),
        _street(_GAP, most=7),
        # Without such a word the number is no year, and does not begin its line.
        rf"(?<=[ \t:,(])(?!(?:19|20)\d\d(?!\d)){_street(_WRAPPED_GAP, most=3)}",
        rf"{_NUMBER}{_GAP}{_NAMED}(?:{_GAP}{_NAMED}){{0,2}}{_LINE_END}{_KIND}",
        rf"{_NUMBER}(?:{_GAP}{_ARTICLE})?(?:{_GAP}(?!{_PROSE}(?!\w))\w{_LETTERS}){{1,3}}{_GAP}{_KIND}",
    )
)


_NEAR_CHARACTERS = 60
_OF_MONEY = (
    r"(?i)\b(?:salar\w*|wages?|incomes?|earn\w*|pay|pays|paid|payroll|compensation|bonus\w*|remuneration"
    r"|stipend\w*|gehalt\w*|lohn\w*|salaire\w*|sueldo\w*|loon|pensj\w*|(?:per|an|a) (?:hour|hr|annum))\b"
)
_OF_PLACE = (
    r"(?i:\b(?:zip|postal|postcode|plz|address|street|live|lives|lived|living|home)\b)"
    r"|\b[A-Z]{2}[ ,]{0,3}\d{5}"
)
_OF_LICENCE = r"(?i:\b(?:licen[cs]e|driv\w+|permis|führerschein|patente|rijbewijs)\b)|\bDL\b"


@cache
def _compiled(expression: str) -> re.Pattern[str]:
    """Return it compiled, at first use: the one of addresses takes 20 ms, which a start can do without."""
    return re.compile(expression)


@dataclass(frozen=True)
class Shipped:
    """One rule that Daemon ships, as it is stored; what vanishes by its pattern, and what stays.

    Where no detector looks for what the rule is about, ``near`` finds a word that says that it is that.
    """

    field_name: str
    privacy_level: str
    stored: str
    vanishes: tuple[str, ...]
    stays: tuple[str, ...]
    instead: str | None = None
    near: str | None = None
    needs: str = r"\d"

    def parts(self, text: str) -> list[tuple[int, int]]:
        """Return (start, end) of what the pattern is meant to hide; raises Unbounded (pattern_syntax.py)."""
        if self.instead is not None:
            return [match.span() for match in _compiled(self.instead).finditer(text)]
        return _stored(self.stored).parts(text)

    def can_be_in(self, text: str) -> bool:
        """Whether a text has a character without which the pattern finds nothing; quicker than to search.

        Where patterns cannot be followed at all, whatever it is can be in any text.
        """
        if missing():
            return True
        if self.instead is not None and _compiled(_KIND).search(text) is None:
            return False
        return _compiled(self.needs).search(text) is not None

    def is_said(self, text: str, start: int, end: int) -> bool:
        """Whether the text around a part says that the part is what the rule is about."""
        around = text[max(0, start - _NEAR_CHARACTERS) : end + _NEAR_CHARACTERS]
        return self.near is not None and _compiled(self.near).search(around) is not None


SHIPPED: dict[str, Shipped] = {
    row.stored: row
    for row in (
        Shipped(
            "phone",
            "business_card",
            r"\b\d{3}[-.]?\d{3}[-.]?\d{4}\b",
            ("4155550134", "415.555.0134"),
            ("ISBN 0441478123", "https://github.com/o/r/issues/1#issuecomment-1386259984"),
        ),
        Shipped(
            "phone_alt",
            "business_card",
            r"\(\d{3}\)\s*\d{3}[-.]?\d{4}",
            ("(415) 555-0134",),
            ("(415)",),
        ),
        Shipped(
            "ssn",
            "ai_safe",
            r"\b\d{3}-\d{2}-\d{4}\b",
            ("078-05-1120", "the ticket 078-05-1120"),
            ("10.1007/978-94-6300-123-6",),
        ),
        Shipped(
            "ssn_alt",
            "ai_safe",
            r"\b\d{9}\b",
            ("078051120", "#078051120"),
            ("ticket 123456789", "https://social.example/ann/status/123456789"),
        ),
        Shipped(
            "email",
            "professional",
            r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Z|a-z]{2,}\b",
            ("ann@home.example.",),
            ("@ann",),
            needs="@",
        ),
        Shipped(
            "salary",
            "professional",
            r"\$[0-9,]+(\.[0-9]{2})?",
            ("$212,000",),
            ("US$",),
            near=_OF_MONEY,
            needs=r"\$",
        ),
        Shipped(
            "income",
            "professional",
            r"\b[0-9,]+\s*(dollars?|USD|\$)",
            ("90,000 USD",),
            ("the dollar",),
            near=_OF_MONEY,
            needs="[0-9,]",
        ),
        Shipped(
            "wage",
            "professional",
            r"\b\$?\d+(\.\d{2})?\s*per\s+(hour|hr)",
            ("40 per hour",),
            ("per hour",),
            near=_OF_MONEY,
        ),
        Shipped(
            "address",
            "professional",
            r"\d+\s+[A-Za-z0-9\s,.-]+\s+(Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Lane|Ln)",
            (
                *("12 Harbour Street", "1600 Pennsylvania Ave NW", "221 Baker St.", "12 old mill Road"),
                *("350 Fifth Avenue", "12 Bread and Butter Lane", "7 E. 42nd St", "100 N.W. 5th Ave"),
                *("number 12 on the Old Mill Road", "12 Harbour StreetPortland", "12 the old mill Road"),
                *("living at 12\nHarbour Street", "Office: 12\nHarbour Street", "see 12 Old\nMill Road"),
            ),
            (
                *("12 engineers across the United States", "12 engineers across the United St"),
                *("founded in 2019\nElm Street Festival", "5 years with Dr. Ortiz", "3 shops on Main Street"),
            ),
            instead=_ADDRESS,
        ),
        Shipped(
            "zip_code",
            "professional",
            r"\b\d{5}(-\d{4})?\b",
            ("Portland, OR 97201", "OR-97201", "97201-1234"),
            ("HADOOP-12345", "#12345", "arXiv:2301.12345", "https://doi.org/10.48550/arXiv.1706.03762"),
            near=_OF_PLACE,
        ),
        Shipped(
            "credit_card",
            "ai_safe",
            r"\b\d{4}[-\s]?\d{4}[-\s]?\d{4}[-\s]?\d{4}\b",
            ("4111-1111-1111-1111", "4242424242424241"),
            ("https://orcid.org/0000-0002-1825-0097",),
        ),
        Shipped(
            "drivers_license",
            "professional",
            r"\b[A-Z]\d{7,8}\b",
            ("D12345678",),
            ("https://www.wikidata.org/wiki/Q12345678",),
            near=_OF_LICENCE,
        ),
        Shipped("date_of_birth", "professional", r"\b\d{1,2}/\d{1,2}/\d{4}\b", ("3/12/1984",), ("1984",)),
        Shipped(
            "dob_alt",
            "professional",
            r"\b(January|February|March|April|May|June|July|August|September|October|November|December)"
            r"\s+\d{1,2},?\s+\d{4}\b",
            ("March 12, 1984",),
            ("March 1984",),
        ),
    )
}  # fmt: skip


def _stored(text: str) -> Pattern:
    found = pattern(text)
    if found is None:
        raise Unbounded(f"the shipped pattern {text!r} cannot be read")
    return found
