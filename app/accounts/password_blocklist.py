"""Password blocklist. Is this one that everybody tries first?

The list is data, `password_blocklist.txt` beside this file: those of eight and more characters among the
10,000 commonest of public leaks, in lower case (from the frequency lists of zxcvbn, MIT licence; Wheeler,
"zxcvbn: Low-Budget Password Strength Estimation", USENIX Security 2016). NIST SP 800-63B 5.1.1.2 asks for it.
"""

from __future__ import annotations

from functools import cache
from importlib import resources


def is_common(password: str) -> bool:
    """Return whether the password is in the list, in any case of its letters."""
    return password.casefold() in _list()


@cache
def _list() -> frozenset[str]:
    text = (resources.files("app.accounts") / "password_blocklist.txt").read_text(encoding="utf-8")
    return frozenset(text.split())
