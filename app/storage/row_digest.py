"""Row digests. What is one hash of many rows, by value and type, whatever their order?"""

from __future__ import annotations

import marshal
from collections.abc import Iterable
from itertools import repeat
from typing import Any

from app.storage.types import TableDigest

_MARSHAL_FORMAT = 2  # later ones write references, and so depend on which objects happen to be the same
_DIGEST_BITS = 64


class RowDigest:
    """The digest of the rows that it was given: the sum of a keyed 64-bit hash (SipHash) of each.

    The key is this process's own, so digests are compared within one process and never stored.
    """

    def __init__(self) -> None:
        self._count = self._total = 0

    def add(self, rows: list[tuple[Any, ...]]) -> None:
        """Count and hash more rows."""
        self._count += len(rows)
        self._total += sum(map(hash, map(marshal.dumps, rows, repeat(_MARSHAL_FORMAT))))

    def result(self) -> TableDigest:
        """The digest of all of them."""
        return TableDigest(self._count, f"{self._total % 2**_DIGEST_BITS:016x}")


def digest_of(batches: Iterable[list[tuple[Any, ...]]]) -> TableDigest:
    """The digest of rows that come in batches."""
    digest = RowDigest()
    for batch in batches:
        digest.add(batch)
    return digest.result()
