"""Planted pictures (self-test). Is a picture of an entry that is hidden, or a word about one, found anywhere?

What stands for the bytes of each is a marker, so that it is known again in an answer. The avatar is a
photo that went the way of every upload, with markers in all that a camera or a program writes beside the
pixels: no answer has one.
"""

from __future__ import annotations

import io

from sqlalchemy import Connection

from app import clock
from app.accounts.audit import COMMAND_LINE
from app.entries import pictures
from app.formats.pictures import MEDIA_TYPE, PictureSize, sizes_of
from app.privacy.levels import NAMES
from app.server.selftest.plant import FULL, OPEN, Planted

_NAMES = ("small", "medium", "large")
_SIDE = 96
_MAKER, _WORDS = 0x010F, 0x010E  # of EXIF


def plant_pictures(connection: Connection, planted: Planted) -> None:
    """Give the open person an avatar, and pictures to their hidden entries and to one that is shown.

    Writes the tables of `pictures.add`.
    """
    owner_id = planted.people[OPEN].id
    photo = sizes_of(_photo(planted), is_avatar=True)
    made = [_add(connection, planted, owner_id, None, "of a person", frozenset(NAMES), photo)]
    kind, entry_id = next(each for each in planted.entries if each[0] == planted.kinds[0])
    made.append(_add(connection, planted, owner_id, entry_id, f"of {kind}", frozenset(FULL)))
    for kind, entry_id in planted.hidden_entries:
        made.append(_add(connection, planted, owner_id, entry_id, f"of hidden {kind}", frozenset()))
        planted.hidden_media |= {size.path for size in made[-1].sizes}
    planted.ids["picture_id"] = [str(made[-1].id)]
    planted.media.extend(size.path for size in made[0].sizes)
    planted.media.extend(each.sizes[0].path for each in made[1:])


def _photo(planted: Planted) -> bytes:
    """A PNG with a marker in each sort of what is written beside pixels."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    picture, info = Image.new("RGB", (_SIDE, _SIDE), (20, 90, 200)), PngInfo()
    new = planted.markers.new
    info.add_text("Comment", new("the text of an uploaded picture"))
    info.add_itxt("XML:com.adobe.xmp", new("the XMP of an uploaded picture"))
    exif = picture.getexif()
    exif[_MAKER], exif[_WORDS] = new("the camera of a picture"), new("the EXIF of an uploaded picture")
    file = io.BytesIO()
    picture.save(file, "PNG", pnginfo=info, exif=exif.tobytes())
    return file.getvalue()


def _add(
    connection: Connection,
    planted: Planted,
    owner_id: int,
    entry_id: int | None,
    place: str,
    levels: frozenset[str],
    photo: list[PictureSize] | None = None,
) -> pictures.Picture:
    alt = planted.markers.new(f"words about a picture {place}", owner_id, levels)
    if photo is None:
        mark = planted.markers.new(f"the bytes of a picture {place}", owner_id, levels).encode()
        photo = [PictureSize(name, MEDIA_TYPE, 1, 1, b"RIFF" + mark) for name in _NAMES]
    now = clock.now()
    return pictures.add(connection, owner_id, entry_id, photo, COMMAND_LINE, now, most_bytes=None, alt=alt)
