"""Chunks of pictures (WebP, PNG). Does a picture that is answered hold anything but its pixels?"""

from __future__ import annotations

from collections.abc import Iterator

_WEBP, _PNG = b"WEBP", b"\x89PNG\r\n\x1a\n"
PIXELS = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"IHDR", b"PLTE", b"tRNS", b"pHYs", b"IDAT", b"IEND"})


def beside_pixels(content: bytes) -> list[str]:
    """Return the names of the chunks of a WebP or PNG that hold something else: EXIF, XMP, texts."""
    return [each.decode("latin-1") for each in _chunks(content) if each not in PIXELS]


def _chunks(content: bytes) -> Iterator[bytes]:
    if content.startswith(b"RIFF") and content[8:12] == _WEBP:
        at = 12
        while at + 8 <= len(content):
            yield content[at : at + 4]
            length = int.from_bytes(content[at + 4 : at + 8], "little")
            at += 8 + length + length % 2
    elif content.startswith(_PNG):
        at = len(_PNG)
        while at + 12 <= len(content):
            yield content[at + 4 : at + 8]
            at += 12 + int.from_bytes(content[at : at + 4], "big")
