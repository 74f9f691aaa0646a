"""Goodreads' export (CSV of 24 or 31 columns). Which books were read, are read, or are to be read?

Read books go to `favorite_books`, private where the shelf says that they are still to be read; private notes,
and what was paid to whom, stay out of the text and on no level's list.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from app.errors import InvalidContent
from app.formats.csv_rows import Lines, Table, value_of
from app.formats.dates import date_of
from app.formats.items import Content, Found, LeftOut

NAME = "Goodreads CSV"
KIND = "favorite_books"
COLUMNS = frozenset(
    {
        *("Book Id", "Title", "Author", "ISBN", "ISBN13", "My Rating", "Average Rating", "Publisher"),
        *("Date Read", "Date Added", "Bookshelves", "Exclusive Shelf", "My Review", "Private Notes"),
        "Year Published",
    }
)
_HEADERLESS = re.compile(r"\d+")
_FIELDS = {
    "Title": "title",
    "Author": "author",
    "Publisher": "publisher",
    "Year Published": "year",
    "My Review": "review",
}
_MOST_COLUMNS = 31


def is_goodreads(table: Table) -> bool:
    """Whether a table has the columns of the export, in any order."""
    return {"Title", "Author"} <= set(table.columns) and len(COLUMNS & set(table.columns)) >= 6


def refuse_without_header(lines: Lines, path: str) -> None:
    """Raise InvalidContent where the first line is a book already: then no column has a name."""
    first = lines[0][1] if lines else []
    if len(first) in (24, _MOST_COLUMNS) and _HEADERLESS.fullmatch(first[0]) and '="' in "".join(first):
        raise InvalidContent(
            f"{path} looks like an export of Goodreads without its first line, which names the columns;"
            " nothing was imported.",
            hint="Export it anew, or put the header line of another export above it.",
        )


def read_table(table: Table, path: str) -> Iterator[Found]:
    """Yield an entry for each book."""
    for number, row in table.rows:
        yield _book(row, f"{path}, line {number}")


def _book(row: dict[str, str], place: str) -> Found:
    given = {name: value for name, cell in row.items() if (value := value_of(cell))}
    content: Content = {field: given[name] for name, field in _FIELDS.items() if name in given}
    content.setdefault("author", given.get("Author l-f", ""))
    isbn = given.get("ISBN13") or given.get("ISBN")
    if isbn:
        content["isbn"] = isbn
    rating = given.get("My Rating", "0")
    if rating.isdigit() and 1 <= int(rating) <= 5:
        content["rating"] = int(rating)
    read_on = date_of(given.get("Date Read", ""))
    if read_on:
        content["date_read"] = read_on
    shelves = [name.strip() for name in given.get("Bookshelves", "").split(",") if name.strip()]
    shelf = given.get("Exclusive Shelf", "read")
    if shelves:
        content["genres"] = [name for name in shelves if name not in ("read", "to-read", "currently-reading")]
        content["genres"] = content["genres"] or None
    used = {*_FIELDS, "ISBN", "ISBN13", "My Rating", "Date Read", "Bookshelves"}
    content["goodreads"] = {name: value for name, value in given.items() if name not in used}
    left_out = [LeftOut(place, "it is on the shelf to-read, and private")] if shelf == "to-read" else []
    return Found(
        f"goodreads:{given.get('Book Id') or isbn or content.get('title')}",
        KIND,
        {key: value for key, value in content.items() if value is not None},
        place,
        is_hidden=shelf != "read",
        left_out=tuple(left_out),
    )
