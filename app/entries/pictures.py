"""Pictures (avatar, files of entries). What is kept of them, in which order, and who may see one?

Who may see an entry as strangers do may see its pictures, and no one else but their owner; an avatar is there
for whoever may know of its person. No address of a picture follows from anything: it is random for each size.
Texts are searched for what is to be hidden, pictures are not: what is in them is up to who adds them.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, func, insert, select, update

from app import clock
from app.accounts import audit
from app.accounts.audit import Actor
from app.entries.entry import invalid
from app.entries.policies import Policies
from app.errors import NotFound, QuotaReached
from app.formats.pictures import PictureSize
from app.ids import new_id
from app.privacy.entry_search import Words, search
from app.tables import picture_sizes, picture_use, pictures

PREFIX, SUFFIX = "/media/", ".webp"
OF_ENTRY_MOST = 20
ALT_CHARACTERS_MOST = 1_000
_PICTURE, _SIZE, _USE = pictures.c, picture_sizes.c, picture_use.c
_ADDRESS_BYTES = 18


@dataclass(frozen=True)
class ShownSize:
    """One size of a picture: where it is, and how large."""

    name: str
    path: str
    media_type: str
    width: int
    height: int


@dataclass(frozen=True)
class Picture:
    """A picture; ``entry_id`` None: an avatar. ``alt`` is what is to be seen, in its owner's words."""

    id: int
    user_id: int
    entry_id: int | None
    alt: str
    bytes_count: int
    created_at: str
    sizes: tuple[ShownSize, ...]

    def size(self, name: str) -> ShownSize:
        """Return one of its sizes, by name; the largest where it has not this one."""
        return next((each for each in self.sizes if each.name == name), self.sizes[-1])

    def as_json(self, to: Callable[[str], str]) -> dict[str, Any]:
        """Return it as it is answered; ``to`` leads to a path of this server."""
        return {
            "id": self.id,
            "alt": self.alt,
            "created_at": clock.rfc3339(self.created_at),
            "sizes": {
                each.name: {
                    "url": to(each.path),
                    "media_type": each.media_type,
                    "width": each.width,
                    "height": each.height,
                }
                for each in self.sizes
            },
        }


@dataclass(frozen=True)
class PictureFile:
    """The bytes of one size, and whose picture it is."""

    content: bytes
    media_type: str
    user_id: int
    entry_id: int | None


# -- reading


def find_file(connection: Connection, address: str) -> PictureFile | None:
    """Return the file of an address, whoever asks; None where there is none."""
    query = (
        select(_SIZE.content, _SIZE.media_type, _PICTURE.user_id, _PICTURE.entry_id)
        .join_from(picture_sizes, pictures, _SIZE.picture_id == _PICTURE.id)
        .where(_SIZE.address == address)
    )
    row = connection.execute(query).first()
    if row is None:
        return None
    return PictureFile(bytes(row.content), row.media_type, row.user_id, row.entry_id)


def of_entry(connection: Connection, entry_id: int) -> list[Picture]:
    """Return the pictures of an entry, in their order."""
    return _read(connection, _PICTURE.entry_id == entry_id)


def of_entries(connection: Connection, entry_ids: Sequence[int]) -> dict[int, list[Picture]]:
    """Return the pictures of entries that have any, in their order, by the entry's id."""
    found: dict[int, list[Picture]] = {}
    for each in _read(connection, _PICTURE.entry_id.in_(entry_ids)) if entry_ids else ():
        assert each.entry_id is not None
        found.setdefault(each.entry_id, []).append(each)
    return found


def of_person(connection: Connection, user_id: int) -> list[Picture]:
    """Return every picture of a person and of their entries, those of an entry together."""
    return sorted(
        _read(connection, _PICTURE.user_id == user_id), key=lambda each: (each.entry_id or 0, each.id)
    )


def find_avatar(connection: Connection, user_id: int) -> Picture | None:
    """Return the picture of a person, None for none."""
    return next(iter(_read(connection, _PICTURE.avatar_of == user_id)), None)


def shown_avatar(connection: Connection, user_id: int) -> Picture | None:
    """Return the picture of a person as strangers see it, who see the person's page."""
    found = find_avatar(connection, user_id)
    return None if found is None else as_strangers_see(connection, [found])[0]


def as_strangers_see(connection: Connection, found: Sequence[Picture]) -> list[Picture]:
    """Return pictures without a text about them in which something would be hidden of an entry's text."""
    policies = Policies(connection)
    return [
        replace(each, alt="")
        if each.alt and _holds_something(each.alt, policies.words_of(each.user_id))
        else each
        for each in found
    ]


def _holds_something(text: str, words: Words | None) -> bool:
    return next(search(text, words), None) is not None


def _read(connection: Connection, condition: Any) -> list[Picture]:
    columns = (_SIZE.size, _SIZE.address, _SIZE.media_type, _SIZE.width, _SIZE.height)
    query = (
        select(pictures, *columns)
        .join_from(pictures, picture_sizes, _SIZE.picture_id == _PICTURE.id)
        .where(condition)
        .order_by(_PICTURE.number, _PICTURE.id, _SIZE.width, _SIZE.size.desc())
    )
    found: dict[int, tuple[Any, list[ShownSize]]] = {}
    for row in connection.execute(query):
        sizes = found.setdefault(row.id, (row, []))[1]
        path = f"{PREFIX}{row.address}{SUFFIX}"
        sizes.append(ShownSize(row.size, path, row.media_type, row.width, row.height))
    return [
        Picture(
            row.id,
            row.user_id,
            row.entry_id,
            row.alt or "",
            row.bytes_count,
            str(row.created_at),
            tuple(sizes),
        )
        for row, sizes in found.values()
    ]


# -- writing


def add(
    connection: Connection,
    user_id: int,
    entry_id: int | None,
    sizes: Sequence[PictureSize],
    actor: Actor,
    now: datetime,
    *,
    most_bytes: int | None,
    alt: str = "",
) -> Picture:
    """Keep a picture of an entry (None: an avatar, in the place of the one before); return it.

    ``most_bytes`` is what all pictures of a person may have (None: any number). Raises QuotaReached, for
    one more than an entry may have, too. Writes pictures, picture_sizes, picture_use and audit_logs.
    """
    if entry_id is None:
        remove(connection, find_avatar(connection, user_id), actor, now)
    number = _free_number(connection, entry_id)
    bytes_count = sum(len(each.content) for each in sizes)
    _take(connection, user_id, bytes_count, most_bytes)
    picture_id = new_id(connection, pictures)
    connection.execute(
        insert(pictures).values(
            id=picture_id,
            user_id=user_id,
            entry_id=entry_id,
            avatar_of=user_id if entry_id is None else None,
            number=number,
            alt=checked_alt(alt) or None,
            bytes_count=bytes_count,
            created_at=clock.stored(now),
        )
    )
    connection.execute(insert(picture_sizes), [_row(picture_id, each) for each in sizes])
    audit.record(connection, audit.CREATE, "pictures", picture_id, now=now, **vars(actor))
    return _read(connection, _PICTURE.id == picture_id)[0]


def find(connection: Connection, entry_id: int, picture_id: int) -> Picture:
    """Return a picture of an entry; raises NotFound."""
    found = _read(connection, (_PICTURE.id == picture_id) & (_PICTURE.entry_id == entry_id))
    if not found:
        raise NotFound("There is no such picture.", hint="GET the pictures of the entry: it lists them.")
    return found[0]


def say(connection: Connection, picture: Picture, alt: object, actor: Actor, now: datetime) -> Picture:
    """Say what is to be seen in a picture; raises InvalidContent. Writes pictures and audit_logs."""
    connection.execute(update(pictures).where(_PICTURE.id == picture.id).values(alt=checked_alt(alt) or None))
    audit.record(connection, audit.UPDATE, "pictures", picture.id, now=now, **vars(actor))
    return _read(connection, _PICTURE.id == picture.id)[0]


def remove(connection: Connection, picture: Picture | None, actor: Actor, now: datetime) -> None:
    """Remove a picture for good, its bytes too; None: nothing. Writes the tables of `add`."""
    if picture is None:
        return
    connection.execute(delete(picture_sizes).where(_SIZE.picture_id == picture.id))
    connection.execute(delete(pictures).where(_PICTURE.id == picture.id))
    counted = update(picture_use).where(_USE.user_id == picture.user_id)
    connection.execute(
        counted.values(
            pictures_count=_USE.pictures_count - 1, bytes_count=_USE.bytes_count - picture.bytes_count
        )
    )
    audit.record(connection, audit.DELETE, "pictures", picture.id, now=now, **vars(actor))


def checked_alt(said: object) -> str:
    """Return a text about a picture as it is kept; raises InvalidContent."""
    if said is None:
        return ""
    if not isinstance(said, str) or len(said) > ALT_CHARACTERS_MOST:
        raise invalid("/alt", f"a text of {ALT_CHARACTERS_MOST} characters at most is needed here, or null")
    return said.strip()


def _free_number(connection: Connection, entry_id: int | None) -> int:
    if entry_id is None:
        return 1
    taken = list(connection.execute(select(_PICTURE.number).where(_PICTURE.entry_id == entry_id)).scalars())
    if len(taken) >= OF_ENTRY_MOST:
        raise QuotaReached(f"An entry has {OF_ENTRY_MOST} pictures at most.", hint="Delete one of them.")
    return max(map(int, taken), default=0) + 1


def _row(picture_id: int, size: PictureSize) -> Mapping[str, Any]:
    return {
        "picture_id": picture_id,
        "size": size.name,
        "address": secrets.token_urlsafe(_ADDRESS_BYTES),
        "media_type": size.media_type,
        "width": size.width,
        "height": size.height,
        "content": size.content,
    }


# -- how much there is: counted as it comes and goes, and anew where that is not known, or seems to be full


def use_of(connection: Connection, user_id: int) -> tuple[int, int]:
    """Return how many pictures a person has, and the bytes of all."""
    row = connection.execute(
        select(_USE.pictures_count, _USE.bytes_count).where(_USE.user_id == user_id)
    ).first()
    return (int(row[0]), int(row[1])) if row is not None else _counted(connection, user_id)


def _take(connection: Connection, user_id: int, bytes_count: int, most_bytes: int | None) -> None:
    count, used = use_of(connection, user_id)
    if most_bytes is not None and used + bytes_count > most_bytes:
        count, used = _counted(connection, user_id)  # some may have gone with their entries
        _refuse_beyond(used + bytes_count, used, most_bytes)
    values = {"pictures_count": count + 1, "bytes_count": used + bytes_count}
    if connection.execute(update(picture_use).where(_USE.user_id == user_id).values(values)).rowcount == 0:
        connection.execute(insert(picture_use).values(user_id=user_id, **values))


def check_use(connection: Connection, user_id: int, most_bytes: int) -> None:
    """Raise QuotaReached where a person's pictures have more bytes than they may."""
    used = use_of(connection, user_id)[1]
    _refuse_beyond(used, used, most_bytes)


def _refuse_beyond(wanted: int, used: int, most_bytes: int) -> None:
    if wanted > most_bytes:
        raise QuotaReached(
            f"There is no room for this picture: yours have {used:,} of {most_bytes:,} bytes.",
            hint="Delete one of them, or ask who runs this server (PICTURE_QUOTA_BYTES).",
        )


def _counted(connection: Connection, user_id: int) -> tuple[int, int]:
    query = select(func.count(), func.coalesce(func.sum(_PICTURE.bytes_count), 0))
    count, used = connection.execute(query.where(_PICTURE.user_id == user_id)).one()
    return int(count), int(used)
