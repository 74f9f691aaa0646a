"""Dotenv file. What does a `.env` file say?"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path

from app.errors import SettingsError


def read_env_file(file: Path) -> tuple[dict[str, str], list[str]]:
    """Return what the file says, by upper-case name, and a warning for each line that says nothing.

    Nothing where there is no file. Raises SettingsError where it cannot be read.
    """
    if not file.is_file():
        return {}, []
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SettingsError(
            f"The file {file} cannot be read: {reason}.",
            hint=f"Make it readable for this account, or remove it: ls -l {shlex.quote(str(file))}",
        ) from error
    return _parsed(text, file)


def by_upper_case_name(pairs: Mapping[str, str | None]) -> dict[str, str]:
    """Return the pairs that have a value; of names that differ in case only, the upper-case one counts."""
    ordered = sorted(pairs.items(), key=lambda pair: pair[0].isupper())
    return {name.upper(): value.strip() for name, value in ordered if value and value.strip()}


def _parsed(text: str, file: Path) -> tuple[dict[str, str], list[str]]:
    from io import StringIO

    from dotenv.main import resolve_variables
    from dotenv.parser import parse_stream

    pairs: list[tuple[str, str | None]] = []
    warnings: list[str] = []
    for binding in parse_stream(StringIO(text)):
        if binding.error:
            # Its text is not repeated: it may hold a secret.
            warnings.append(f"Line {binding.original.line} of {file} is not NAME=value and is ignored.")
        elif binding.key is not None:
            pairs.append((binding.key, binding.value))
    return by_upper_case_name(resolve_variables(pairs, override=False)), warnings
