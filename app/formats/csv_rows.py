"""CSV (RFC 4180). Which rows does a table hold, by the names of its columns, wherever its header is?"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from app.errors import InvalidContent
from app.formats.items import Choices
from app.formats.texts import text_of

ROWS_MOST = 100_000
COLUMNS_MOST = 500
CELL_CHARACTERS_MOST = 1_000_000
HEADER_WITHIN_LINES = 10  # LinkedIn writes notes above it


@dataclass(frozen=True)
class Table:
    """A table: the names of its columns in their order, and each row by them with the number of its line."""

    columns: tuple[str, ...]
    rows: tuple[tuple[int, dict[str, str]], ...]


Lines = list[tuple[int, list[str]]]
"""The number of each line, and its cells."""


def read_table(content: bytes, path: str, choices: Choices, expected: frozenset[str]) -> Table:
    """Return the table of a file; see `lines_of` and `table_of`."""
    return table_of(lines_of(content, path, choices), path, expected)


def table_of(lines: Lines, path: str, expected: frozenset[str]) -> Table:
    """Return the table of some lines.

    The header is the first line that has two of the ``expected`` names, else the first line of all. Raises
    InvalidContent.
    """
    at = _header(lines, expected)
    names = tuple(name.strip() for name in lines[at][1]) if lines else ()
    if not names or not any(names):
        raise InvalidContent(f"{path} is empty; nothing was imported.")
    doubled = sorted({name for name in names if name and names.count(name) > 1})
    if doubled:
        raise InvalidContent(
            f"{path} has two columns called {', '.join(doubled)}; nothing was imported.",
            hint="Rename one of them in the file, and import it again.",
        )
    rows = []
    for number, cells in lines[at + 1 :]:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(names) and any(cell.strip() for cell in cells[len(names) :]):
            raise InvalidContent(
                f"{path}, line {number}: {len(cells)} values for {len(names)} columns; nothing was imported."
            )
        rows.append((number, {name: cell for name, cell in zip(names, cells, strict=False) if name}))
    return Table(names, tuple(rows))


def value_of(cell: str) -> str:
    """Return what a cell says, without the ="..." by which a spreadsheet is told that it is a text."""
    text = cell.strip()
    if text.startswith('="') and text.endswith('"'):
        return text[2:-1].strip('"').strip()
    return text


def lines_of(content: bytes, path: str, choices: Choices) -> Lines:
    """Return the lines of a file that are not blank; a value may go over several. Raises InvalidContent."""
    text = text_of(content, path, choices.encoding)
    csv.field_size_limit(CELL_CHARACTERS_MOST)
    first = text.partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    lines: Lines = []
    try:
        for cells in reader:
            if cells:
                lines.append((reader.line_num, cells))
            if len(lines) > ROWS_MOST or len(cells) > COLUMNS_MOST:
                raise InvalidContent(
                    f"{path} has more than {ROWS_MOST} rows or {COLUMNS_MOST} columns; nothing was imported."
                )
    except csv.Error as error:
        raise InvalidContent(
            f"{path}, line {reader.line_num}: no CSV ({error}); nothing was imported."
        ) from None
    return lines


def _header(lines: Lines, expected: frozenset[str]) -> int:
    for at, (_, cells) in enumerate(lines[:HEADER_WITHIN_LINES]):
        if len(expected.intersection(cell.strip() for cell in cells)) >= min(2, len(expected) or 2):
            return at
    return 0
