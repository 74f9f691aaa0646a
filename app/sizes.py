"""Sizes in words: one unit system (SI, powers of 1000) for every size that is shown."""

from __future__ import annotations


def size_in_words(size_bytes: float) -> str:
    """Return a size in bytes as people read it: "344.1 kB", "2.9 MB"."""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} GB"
