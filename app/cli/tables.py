"""Tables for people. How do rows look in the width that there is? No cell is ever cut."""

from __future__ import annotations

from collections.abc import Sequence

from app.control_characters import one_line


def cell(value: object) -> str:
    """Return a value as a cell has it: one line, and a dash for nothing."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return one_line(str(value))


def plain_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the rows under their headings, a line each, as wide as it takes."""
    widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in (columns, *rows)
    )
    return "\n".join(line.rstrip() for line in lines)


def fitted_table(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> str:
    """Return the table where it fits into ``width`` characters, else a block a row: no cell is ever cut."""
    table = plain_table(columns, rows)
    if max(map(len, table.splitlines())) <= width:
        return table
    names = max(map(len, columns))
    blocks = (
        "\n".join(
            f"{column:<{names}}  {cell}" for column, cell in zip(columns, row, strict=True) if cell != "-"
        )
        for row in rows
    )
    return "\n\n".join(blocks)
