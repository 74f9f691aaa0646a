"""Folders of the earlier server (`data/KIND/*.json`, `data/private/USER/`). Which entries do the files hold?

Each file is an array of entries, or one; its folder, or the name before `_example`, is the kind. What lies
below `private` is private; `meta.visibility` is obeyed.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from app.formats.items import Choices, Found, LeftOut, Source
from app.formats.json_text import read_json
from app.formats.texts import text_of

NAME = "folders of the earlier server"
_ABOUT_FILES = frozenset({"readme.md", "example.md"})


def kind_in(path: str, known_kinds: frozenset[str]) -> str | None:
    """Return the kind that a file's name or folder says, None where it is none that is known."""
    parts = PurePosixPath(path)
    stem = parts.stem.lower().removesuffix("_example")
    names = [stem, *(part.lower() for part in reversed(parts.parts[:-1]))]
    return next((name for name in names if name in known_kinds), None)


def is_old_folder(source: Source, known_kinds: frozenset[str]) -> bool:
    """Whether there are JSON files of which two thirds lie where kinds are."""
    files = [path for path in source.files if path.lower().endswith(".json")]
    named = [path for path in files if kind_in(path, known_kinds)]
    return bool(named) and 3 * len(named) >= 2 * len(files) and ("/" in named[0] or "_example" in named[0])


def read_source(source: Source, choices: Choices, known_kinds: frozenset[str]) -> Iterator[Found | LeftOut]:
    """Yield the entries of all files. Raises InvalidContent."""
    for path, content in source.files.items():
        kind = kind_in(path, known_kinds)
        if PurePosixPath(path).name.lower() in _ABOUT_FILES:
            yield LeftOut(path, "a file about the folder")
        elif not path.lower().endswith(".json") or kind is None:
            yield LeftOut(path, "no kind of this installation is called so")
        else:
            value = read_json(text_of(content, path, choices.encoding), path, choices)
            for number, each in enumerate(value if isinstance(value, list) else [value], 1):
                yield _entry(each, kind, path, number)


def _entry(value: Any, kind: str, path: str, number: int) -> Found | LeftOut:
    place = f"{path}, entry {number}"
    if isinstance(value, str):
        value = {"content": value}
    if not isinstance(value, dict):
        return LeftOut(place, "it is no object")
    content = dict(value)
    meta = content.get("meta")
    said = meta.get("visibility") if isinstance(meta, dict) else None
    if isinstance(meta, dict):
        content["meta"] = {key: each for key, each in meta.items() if key != "visibility"}
    is_private = "private" in [part.lower() for part in PurePosixPath(path).parts[:-1]]
    return Found(
        f"{path}#{number}",
        kind,
        content,
        place,
        is_hidden=is_private or said in ("private", "unlisted"),
        visibility=said if said in ("unlisted", "private") and not is_private else None,
    )
