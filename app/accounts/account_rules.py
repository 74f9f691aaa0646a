"""Rules for accounts. Which name, mail address, full name and password may an account have?"""

from __future__ import annotations

import re

from app.accounts import passwords
from app.accounts.password_blocklist import is_common
from app.errors import InvalidContent

USERNAME_CHARACTERS = (3, 50)
EMAIL_CHARACTERS = (3, 100)
FULL_NAME_CHARACTERS = 100
_USERNAME = re.compile(r"[\w](?:[\w.-]*[\w])?")
_EMAIL = re.compile(r"[^\s@]+@[^\s@]+")


def check_new_user(username: str, email: str, password: str, full_name: str | None = None) -> None:
    """Raise InvalidContent, with a pointer for each fault, where no account can be made of this."""
    _refuse(
        [
            *_faults("/username", _fault_of_username(username)),
            *_faults("/email", _fault_of_email(email)),
            *_faults("/password", fault_of_password(password, username, email)),
            *_faults("/full_name", _fault_of_full_name(full_name)),
        ]
    )


def check_profile(username: str, email: str, full_name: str | None) -> None:
    """As `check_new_user`, for an account whose password is given later."""
    _refuse(
        [
            *_faults("/username", _fault_of_username(username)),
            *_faults("/email", _fault_of_email(email)),
            *_faults("/full_name", _fault_of_full_name(full_name)),
        ]
    )


def _refuse(faults: list[dict[str, str]]) -> None:
    if faults:
        raise InvalidContent("That does not fit an account; nothing was changed.", errors=faults)


def check_password(password: str, username: str = "", email: str = "") -> None:
    """Raise InvalidContent where ``password`` cannot become that of the account of this name and mail."""
    fault = fault_of_password(password, username, email)
    if fault:
        raise InvalidContent(fault, errors=_faults("/password", fault))


def _faults(pointer: str, fault: str) -> list[dict[str, str]]:
    return [{"pointer": pointer, "detail": fault}] if fault else []


def _fault_of_username(username: str) -> str:
    shortest, longest = USERNAME_CHARACTERS
    if not shortest <= len(username) <= longest or not _USERNAME.fullmatch(username):
        return f"A user name has {shortest} to {longest} letters, digits, dots, dashes or underscores."
    return "" if _is_text(username) else "It is not valid Unicode: it holds a lone surrogate."


def _fault_of_email(email: str) -> str:
    shortest, longest = EMAIL_CHARACTERS
    if not shortest <= len(email) <= longest or not _EMAIL.fullmatch(email) or not email.isprintable():
        return f"A mail address has one @, no blanks, and at most {longest} characters."
    return ""


def _fault_of_full_name(full_name: str | None) -> str:
    if full_name is None or (len(full_name) <= FULL_NAME_CHARACTERS and full_name.isprintable()):
        return ""
    return f"A full name has at most {FULL_NAME_CHARACTERS} printable characters."


def fault_of_password(password: str, username: str = "", email: str = "") -> str:
    """Return the sentence that says why ``password`` cannot become one, or an empty text."""
    if not passwords.SHORTEST_CHARACTERS <= len(password) <= passwords.LONGEST_CHARACTERS:
        return f"A password has {passwords.SHORTEST_CHARACTERS} to {passwords.LONGEST_CHARACTERS} characters."
    if not _is_text(password):
        return "It is not valid Unicode: it holds a lone surrogate."
    if not password.strip():
        return "A password is more than blanks."
    if password.casefold() in {username.casefold(), email.casefold(), email.casefold().partition("@")[0]}:
        return "The password is the name or the mail address of the account."
    return (
        "This password is among those that are tried first; choose another one."
        if is_common(password)
        else ""
    )


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
