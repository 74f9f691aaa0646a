"""Declared fields (by name). What is a text for, as the name of its field says: mail, contact, an ISBN?"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from app.privacy.masks import is_mail_address
from app.privacy.words import has_words, words_of

FORMS_KEPT = 2_000
LONGEST_NAME_KEPT = 100

_CONTACT = {
    ("email",): ("mail",),
    ("mail",): ("mail",),
    ("phone",): ("phone",),
    ("contact", "method"): ("mail", "phone"),
    ("contact", "info"): ("mail", "phone"),
}


@dataclass(frozen=True, slots=True)
class Form:
    """What a field's name says of its text; ``contact`` are the masks whose finds it is declared for."""

    is_isbn: bool
    is_mail: bool
    contact: frozenset[str]

    def holds_one_mail(self, text: str) -> bool:
        """Whether the text is one mail address, in a field for one."""
        return self.is_mail and is_mail_address(text)


def form_of(name: str) -> Form:
    """Return what the name of a field says; elements of lists have the name of their list."""
    return _form_of(name) if len(name) <= LONGEST_NAME_KEPT else _form_of.__wrapped__(name)


@lru_cache(maxsize=FORMS_KEPT)
def _form_of(name: str) -> Form:
    contact = {mask for words, masks in _CONTACT.items() for mask in masks if has_words(name, words)}
    return Form("isbn" in words_of(name), has_words(name, ("email",)), frozenset(contact))
