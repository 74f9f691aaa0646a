"""Privacy rules of the installation. What does each hide, of which kind, at which levels?

A row of data_privacy_rules hides, at the levels it is for:

- the place ``field_path`` of the kind ``endpoint_name`` (``*``: of every kind; the path ``*`` with a field
  name or a pattern beside it is no place),
- every field whose name has the words of ``field_name``,
- whatever part of a text ``pattern`` matches.

Its ``privacy_level`` says from whom: the rule holds at that level and at every level that is not
strictly more open. So ``professional`` hides at business_card, professional and ai_safe;
``public_full``, NULL and any unknown word hide at every level. A rule is switched off by is_active 0, by
nothing else. A rule only ever hides more.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.privacy.detected import mask_of
from app.privacy.detectors.catalogue import detectors_for_shipped_rule
from app.privacy.identifiers import Identifiers
from app.privacy.levels import LEVELS, at_most, members
from app.privacy.masks import Span
from app.privacy.pattern_syntax import Unbounded
from app.privacy.patterns import pattern
from app.privacy.shipped import SHIPPED
from app.privacy.words import has_words, words_of

_ALL = "*"


@dataclass(frozen=True)
class Rule:
    """One active row of data_privacy_rules, as it is stored."""

    endpoint_name: str = _ALL
    field_path: str = _ALL
    privacy_level: str | None = None
    field_name: str | None = None
    pattern: str | None = None

    def holds(self, kind: str, level: str) -> bool:
        """Whether the rule hides anything of this kind at this level (a meeting: at any of its members)."""
        return self.is_for(kind) and any(self._hides_at(member) for member in members(level))

    def is_for(self, kind: str) -> bool:
        """Whether the rule hides anything of this kind, at some level."""
        return self.endpoint_name.strip().casefold() in (_ALL, "", kind.casefold())

    @property
    def path(self) -> str | None:
        """The place that the rule hides, None where it names none."""
        if self.field_path.strip() == _ALL and (self.field_name or self.pattern):
            return None
        return self.field_path

    @property
    def is_shipped(self) -> bool:
        """Whether it is a rule that Daemon ships, letter by letter as it was shipped."""
        shipped = SHIPPED.get(self.pattern or "")
        return shipped is not None and self == Rule(
            _ALL, _ALL, shipped.privacy_level, shipped.field_name, shipped.stored
        )

    def names(self, key: str) -> bool:
        """Whether a field of this name is one that the rule hides."""
        wanted = words_of(self.field_name or "")
        return has_words(key, wanted) if wanted else key == self.field_name

    def _hides_at(self, level: str) -> bool:
        mine = self.privacy_level
        if mine not in LEVELS:
            return True
        return level == mine or not at_most(mine, level)


def masks_for(rule: Rule) -> Iterator[str]:
    """Yield the masks that answer over text for a shipped rule; none for what no detector looks for."""
    for detector in detectors_for_shipped_rule(rule.field_name or ""):
        yield mask_of(detector)


def parts_hidden_by(rule: Rule, text: str, known: Identifiers | None = None) -> list[Span]:
    """Return the parts of a text that the rule's pattern hides: all of it, where the pattern cannot be
    followed.

    A pattern that Daemon ships, as it was shipped, is read as shipped.py means it and spares ``known``, the
    public names in the text; one letter of the owner's in it, and it is obeyed to the letter.
    """
    if not rule.pattern or not text:
        return []
    try:
        if meant := SHIPPED.get(rule.pattern):
            known = known or Identifiers(text)
            return [Span(*part) for part in meant.parts(text) if not known.holds(*part)]
        found = pattern(rule.pattern)
        return [Span(*part) for part in found.parts(text)] if found else [Span(0, len(text))]
    except Unbounded:
        return [Span(0, len(text))]
