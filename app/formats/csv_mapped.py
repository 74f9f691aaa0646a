"""Any CSV, mapped. Which fields of a kind do the columns of a table become that no one here knows?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from app.errors import UsageError
from app.formats.csv_rows import Table, value_of
from app.formats.items import Choices, Content, Found

NAME = "CSV"
ID = "id"
TOLD_MOST = 100
"""Columns that a refusal names one by one, with a pointer into what says what they are."""


def read_table(table: Table, path: str, choices: Choices) -> Iterator[Found]:
    """Yield an entry for each row: columns that are mapped become fields, the others are kept below `csv`.

    ``choices.columns`` maps columns to paths of fields (``Titel`` to ``title``, ``Tags`` to ``meta.tags``);
    one mapped to ``id`` tells rows again. Raises UsageError where nothing says the kind or the columns;
    its ``errors`` point to each of the columns (`/columns/NAME`).
    """
    unknown = [name for name in choices.columns if name not in table.columns]
    if choices.kind is None or not choices.columns or unknown:
        what = f"There is no column {unknown[0]!r}." if unknown else "What its columns are is not known."
        columns = ", ".join(name for name in table.columns if name)
        raise UsageError(
            f"{path} is a CSV file. {what} Its columns are: {columns}. Nothing was imported.",
            hint="daemon import PATH --kind ideas --column COLUMN=title --column COLUMN=content",
            errors=[_unmapped(name) for name in table.columns if name][:TOLD_MOST],
        )
    for number, row in table.rows:
        yield _entry(row, f"{path}, line {number}", choices, choices.kind)


def _unmapped(name: str) -> dict[str, str]:
    pointer = f"/columns/{name.replace('~', '~0').replace('/', '~1')}"
    return {"pointer": pointer, "detail": f"the column {name!r} has no field yet"}


def _entry(row: dict[str, str], place: str, choices: Choices, kind: str) -> Found:
    content: Content = {}
    others: dict[str, str] = {}
    source_id = ""
    for name, cell in row.items():
        field, value = choices.columns.get(name), value_of(cell)
        if not value:
            continue
        if field is None:
            others[name] = value
        elif field == ID:
            source_id = value
        else:
            _set(content, field.split("."), value)
    if others:
        content["csv"] = others
    if not source_id:
        known = json.dumps(row, sort_keys=True, ensure_ascii=False)
        source_id = hashlib.sha256(known.encode()).hexdigest()
    return Found(f"csv:{source_id}", kind, content, place)


def _set(content: Content, path: list[str], value: str) -> None:
    *parents, last = path
    for parent in parents:
        inner = content.setdefault(parent, {})
        content = inner if isinstance(inner, dict) else {}
    if last in ("tags", "genres"):
        content[last] = [part for each in value.replace(";", ",").split(",") if (part := each.strip())]
    else:
        content[last] = value
