"""Front matter (YAML, TOML, JSON). What stands above the text of a Markdown file, as it is written?

YAML's guesses are not made: `title: 1984` and `draft: no` stay the texts they are (PyYAML's BaseLoader), and
no tag makes an object. Aliases, which may unfold to gigabytes, are bounded.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from typing import Any

from app.errors import InvalidContent
from app.formats.items import Choices
from app.formats.json_text import read_json

ALIASES_MOST = 20
BYTES_MOST = 64 * 1024
NODES_MOST = 5_000
_FENCES = {"---": "YAML", "+++": "TOML"}
_ALIAS = re.compile(r"(?m)(?:^|[\s\[{,:-])\*[\w-]+")
_WIKILINK = re.compile(r"^\s*\[\[.*\]\]\s*$")


@dataclass(frozen=True)
class Matter:
    """The front matter of a text, and the rest of it. Values are texts, but for those of JSON and TOML."""

    values: dict[str, Any]
    body: str
    doubled: tuple[str, ...] = ()


def split(text: str, place: str, choices: Choices) -> Matter:
    """Return what stands above a text, if anything does. Raises InvalidContent."""
    first, _, rest = text.partition("\n")
    fence = first.rstrip()
    if fence in _FENCES:
        found = re.search(rf"(?m)^{re.escape(fence)}[ \t]*\r?(?:\n|\Z)", rest)
        if found is None:
            if fence == "---" and not re.match(r"\s*[\w-]+\s*:", rest):
                return Matter({}, text)  # a rule
            raise InvalidContent(
                f"{place}: the front matter begins with {fence} and never ends; nothing was imported.",
                hint=f"Close it with a line {fence}",
            )
        within = rest[: found.start()]
        if fence == "---" and not _may_be_yaml(within):
            return Matter({}, text)
        values, doubled = _read(_FENCES[fence], within, place, choices)
        return Matter(values, rest[found.end() :].lstrip("\r\n"), doubled)
    if first.startswith("{") and (ended := _json_end(text)) is not None:
        value = read_json(text[:ended], place, choices)
        if isinstance(value, dict):
            return Matter(value, text[ended:].lstrip("\r\n"))
    return Matter({}, text)


def _may_be_yaml(text: str) -> bool:
    """Whether it is no text between two rules: each line at the margin is a key, a list or a comment."""
    lines = [line for line in text.splitlines() if line.strip() and not line[0].isspace()]
    return all(re.match(r"(?:[^\s:#][^:]*:(?:\s|$)|#|- |\[|\]|\}|\.\.\.)", line) for line in lines)


def _json_end(text: str) -> int | None:
    try:
        _, ended = json.JSONDecoder().raw_decode(text)
    except (ValueError, RecursionError):
        return None
    return ended


def _read(language: str, text: str, place: str, choices: Choices) -> tuple[dict[str, Any], tuple[str, ...]]:
    if len(text) > BYTES_MOST:
        raise InvalidContent(f"{place}: the front matter is larger than 64 kB; nothing was imported.")
    if language == "TOML":
        return _toml(text, place), ()
    return _yaml(text, place, choices)


def _toml(text: str, place: str) -> dict[str, Any]:
    try:
        found = tomllib.loads(text.replace("\r\n", "\n"), parse_float=str)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise InvalidContent(f"{place}: no TOML ({error}); nothing was imported.") from None
    plain = _as_written(found)
    assert isinstance(plain, dict)
    return plain


def _as_written(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_written(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_as_written(each) for each in value]
    return value if isinstance(value, (str, bool, int)) or value is None else str(value)


def _yaml(text: str, place: str, choices: Choices) -> tuple[dict[str, Any], tuple[str, ...]]:
    import yaml  # type: ignore[import-untyped]  # rarely needed, and slow to load

    if len(_ALIAS.findall(text)) > ALIASES_MOST:
        raise InvalidContent(f"{place}: more than {ALIASES_MOST} aliases in YAML; nothing was imported.")
    try:
        node = yaml.compose(text, Loader=yaml.BaseLoader)
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        at = f", line {mark.line + 2}, column {mark.column + 1}" if mark is not None else ""
        said = getattr(error, "problem", None) or type(error).__name__
        raise InvalidContent(f"{place}{at}: no YAML ({said}); nothing was imported.") from None
    if node is None:
        return {}, ()
    doubled: list[str] = []
    value = _Builder(place, choices.doubled, doubled).value(node, 0)
    if not isinstance(value, dict):
        raise InvalidContent(
            f"{place}: the front matter is no list of keys and values; nothing was imported."
        )
    if doubled and choices.doubled is None:
        raise InvalidContent(
            f"{place}: twice in the front matter: {', '.join(dict.fromkeys(doubled))}. Which of them counts?"
            " Nothing was imported.",
            hint="daemon import PATH --doubled first   # or last, or both",
        )
    return value, tuple(doubled)


class _Builder:
    """Makes plain values of YAML's nodes, each text as it is written."""

    def __init__(self, place: str, choice: str | None, doubled: list[str]) -> None:
        self._place = place
        self._choice = choice
        self._doubled = doubled
        self._left = NODES_MOST

    def value(self, node: Any, depth: int) -> Any:
        """Return the value of a node. Raises InvalidContent where there are too many, or too deep ones."""
        self._left -= 1
        if self._left < 0 or depth > 20:
            raise InvalidContent(
                f"{self._place}: the front matter unfolds to too much; nothing was imported."
            )
        if node.id == "scalar":
            return None if node.value in ("", "~", "null") and node.style is None else node.value
        if node.id == "sequence":
            return [self.value(each, depth + 1) for each in node.value]
        found: dict[str, Any] = {}
        for key_node, each in node.value:
            key = self.value(key_node, depth + 1)
            key = key if isinstance(key, str) else json.dumps(key)
            value = self.value(each, depth + 1)
            if key not in found:
                found[key] = value
                continue
            self._doubled.append(key)
            if self._choice == "both":
                found[key] = [*_listed(found[key]), *_listed(value)]
            elif self._choice != "first":
                found[key] = value
        return found


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
