"""QR code reader. What does a telephone read of a code of one block (versions 1 to 3)? It mends no errors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO

from PIL import Image

QUIET = 4  # modules around a code
MASKS: tuple[Callable[[int, int], bool], ...] = (
    lambda row, column: (row + column) % 2 == 0,
    lambda row, column: row % 2 == 0,
    lambda row, column: column % 3 == 0,
    lambda row, column: (row + column) % 3 == 0,
    lambda row, column: (row // 2 + column // 3) % 2 == 0,
    lambda row, column: (row * column) % 2 + (row * column) % 3 == 0,
    lambda row, column: ((row * column) % 2 + (row * column) % 3) % 2 == 0,
    lambda row, column: ((row + column) % 2 + (row * column) % 3) % 2 == 0,
)


def read_png(body: bytes) -> str:
    """Return the text of a code in a picture."""
    picture = Image.open(BytesIO(body)).convert("1")
    dark = [[not picture.getpixel((x, y)) for x in range(picture.width)] for y in range(picture.height)]
    first = next(row for row in dark if any(row))
    begin = first.index(True)
    size = (picture.width - 2 * begin) // (begin // QUIET)
    step = begin // QUIET
    modules = [
        [dark[begin + row * step + step // 2][begin + column * step + step // 2] for column in range(size)]
        for row in range(size)
    ]
    return read_modules(modules)


def read_modules(modules: list[list[bool]]) -> str:
    """Return the text of a code: bytes as UTF-8."""
    size = len(modules)
    assert size in (21, 25, 29), "one block"
    wanted = (True, False, True)  # what the format is masked with, where it says the mask of the rest
    bits = [modules[8][column] != flipped for column, flipped in zip((2, 3, 4), wanted, strict=True)]
    mask = MASKS[bits[0] * 4 + bits[1] * 2 + bits[2]]
    read = [modules[row][column] != mask(row, column) for row, column in _places(size)]
    assert _number(read[:4]) == 4, "bytes"
    count = _number(read[4:12])
    body = bytes(_number(read[12 + 8 * at : 20 + 8 * at]) for at in range(count))
    return body.decode()


def _number(bits: list[bool]) -> int:
    return int("".join("1" if bit else "0" for bit in bits), 2)


def _places(size: int) -> Iterator[tuple[int, int]]:
    """Yield where data stand, in their order: two columns at a time, up and down, from the right."""
    is_up = True
    columns = [column for column in range(size - 1, 0, -2) if column > 6]
    columns += [5, 3, 1]
    for right in columns:
        rows = range(size - 1, -1, -1) if is_up else range(size)
        for row in rows:
            yield from ((row, column) for column in (right, right - 1) if not _is_function(row, column, size))
        is_up = not is_up


def _is_function(row: int, column: int, size: int) -> bool:
    in_corner = (
        (row < 9 and column < 9) or (row < 9 and column >= size - 8) or (row >= size - 8 and column < 9)
    )
    centre = size - 7
    in_alignment = size > 21 and abs(row - centre) <= 2 and abs(column - centre) <= 2
    return in_corner or in_alignment or row == 6 or column == 6
