"""Picture (JPEG, PNG, WebP, AVIF; Pillow). What becomes of a file that someone sends as a picture?

Three sizes of it, encoded anew as WebP: nothing of the file but its pixels is in them, neither where and when
it was taken nor with what. Whatever is no picture of one frame, within bounds, is refused with a sentence. It
is called in a process of its own (`app.formats.picture_process`): a file may be made to break the decoder.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn

from app.errors import InvalidContent

if TYPE_CHECKING:
    from PIL.Image import Image

MOST_BYTES = 10_000_000
PIXELS_MOST = 40_000_000
SIDE_MOST = 30_000
SIZES = {"small": 320, "medium": 960, "large": 1920}
"""The longest side of each size; what is smaller is not made larger."""

AVATAR_SIZES = {"small": 96, "medium": 256, "large": 640}
"""The side of each, of a square."""

AVATAR_MOST_BYTES = {"small": 8_000, "medium": 30_000}
MEDIA_TYPE = "image/webp"
FORMATS = ("JPEG", "PNG", "WEBP", "AVIF")
_QUALITIES = (82, 70, 58, 46, 34, 22)


@dataclass(frozen=True)
class PictureSize:
    """One size of a picture, ready to be sent."""

    name: str
    media_type: str
    width: int
    height: int
    content: bytes


def sizes_of(content: bytes, *, is_avatar: bool) -> list[PictureSize]:
    """Return the sizes of a picture; raises InvalidContent, with a sentence, for what is none."""
    if len(content) > MOST_BYTES:
        refuse(f"A picture has {MOST_BYTES:,} bytes at most.")
    picture = _plain(_opened(content))
    if is_avatar:
        picture = _square(picture)
    return list(_made(picture, is_avatar=is_avatar))


def refuse(why: str) -> NoReturn:
    """Raise InvalidContent."""
    raise InvalidContent(why)


def _opened(content: bytes) -> Image:
    from PIL import Image, UnidentifiedImageError

    Image.MAX_IMAGE_PIXELS = None  # its own bound warns; ours refuses, before a pixel is read
    try:
        found = Image.open(io.BytesIO(content), formats=FORMATS)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError):
        refuse("This is no picture that can be read: JPEG, PNG, WebP and AVIF can.")
    width, height = found.size
    if width * height > PIXELS_MOST or max(width, height) > SIDE_MOST or min(width, height) < 1:
        refuse(f"A picture has {PIXELS_MOST:,} pixels at most; this one has {width} x {height}.")
    frames = 1 if found.format == "MPO" else getattr(found, "n_frames", 1)  # a camera's second view
    if frames > 1:
        refuse(f"This picture moves: it has {frames} frames. Send one of them.")
    return found


def _plain(found: Image) -> Image:
    """Return the pixels upright, in sRGB, as RGB or RGBA, and with nothing beside them."""
    from PIL import Image, ImageOps

    try:
        found.draft("RGB", (2 * SIZES["large"], 2 * SIZES["large"]))  # a JPEG is read smaller
        found.load()
        upright = ImageOps.exif_transpose(found)
        pixels = _with_modes(_in_srgb(upright))
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, MemoryError, OverflowError):
        refuse("This picture cannot be read to its end: it is damaged, or cut off.")
    return Image.frombytes(pixels.mode, pixels.size, pixels.tobytes())


def _in_srgb(picture: Image) -> Image:
    from PIL import ImageCms

    profile = picture.info.get("icc_profile")
    if not profile or picture.mode not in ("RGB", "RGBA", "CMYK", "L"):
        return picture
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = "RGBA" if picture.mode == "RGBA" else "RGB"
        changed = ImageCms.profileToProfile(picture, source, ImageCms.createProfile("sRGB"), outputMode=mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return picture  # its profile means nothing
    return picture if changed is None else changed


def _with_modes(picture: Image) -> Image:
    if picture.mode.startswith("I"):  # 16 bits of grey
        picture = picture.point(lambda value: value / 256).convert("L")
    has_holes = "A" in picture.getbands() or "transparency" in picture.info
    return picture.convert("RGBA" if has_holes else "RGB")


def _square(picture: Image) -> Image:
    side, (width, height) = min(picture.size), picture.size
    left, top = (width - side) // 2, (height - side) // 3  # a face is rather above the middle
    return picture.crop((left, top, left + side, top + side))


def _made(picture: Image, *, is_avatar: bool) -> Iterator[PictureSize]:
    from PIL import Image

    sides, made = AVATAR_SIZES if is_avatar else SIZES, picture
    for name in sorted(sides, key=lambda each: -sides[each]):  # each of the one before, not of all pixels
        share = min(1.0, sides[name] / max(picture.size))
        size = (max(1, round(picture.width * share)), max(1, round(picture.height * share)))
        made = made if size == made.size else made.resize(size, Image.Resampling.LANCZOS)
        most = AVATAR_MOST_BYTES.get(name) if is_avatar else None
        yield PictureSize(name, MEDIA_TYPE, *size, _encoded(made, most))


def _encoded(picture: Image, most_bytes: int | None) -> bytes:
    """Return a WebP; of a size with a bound the best that is within it."""
    found = b""
    for quality in _QUALITIES:
        file = io.BytesIO()
        picture.save(file, "WEBP", quality=quality, method=4)
        found = file.getvalue()
        if most_bytes is None or len(found) <= most_bytes:
            break
    return found
