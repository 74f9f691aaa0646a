"""Models: pictures of people and of entries."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, RootModel

from app.entries.pictures import ALT_CHARACTERS_MOST
from app.web.models.base import Answer, Body, Stored, form


class PictureSize(Answer):
    url: str = Field(description="Relative to the address that was asked.")
    media_type: Literal["image/webp"]
    width: int
    height: int


class PictureSizes(Answer):
    small: PictureSize
    medium: PictureSize
    large: PictureSize


class Picture(Answer):
    id: int
    alt: str = Field(description="What is to be seen, in words; empty: nothing is said.")
    created_at: Stored
    sizes: PictureSizes


class KeptPicture(Picture):
    original_kept: Literal[False] = Field(
        description="What was sent is not kept: these sizes are, without what a camera writes beside."
    )
    used_bytes: int = Field(description="Of all one's pictures.")
    most_bytes: int


class Pictures(Answer):
    items: list[Picture]
    next: None = None


class ChangedPicture(Body):
    alt: Annotated[Any, form(type=["string", "null"], maxLength=ALT_CHARACTERS_MOST)]


class PictureSent(RootModel[Annotated[str, form(type="string", format="binary")]]):
    """JPEG, PNG, WebP or AVIF of one frame, as it is; its own media type may be said instead."""
