"""Validation of a write. Does content fit its kind: a built-in one, one of somebody's own, or any other?"""

from __future__ import annotations

from app.entries import kinds, own_schemas
from app.entries.endpoints import Endpoint
from app.entries.searched_texts import SearchedTexts


def check(endpoint: Endpoint, content: object, texts: SearchedTexts | None = None) -> None:
    """Raise InvalidContent, with pointers, where content does not fit its kind.

    Raises NotSearchedYet where ``texts`` are to be held to a schema before the turn to write.
    """
    if endpoint.is_built_in:
        kinds.check(endpoint.name, content)
        return
    kinds.check_custom(endpoint.name, content)
    if not endpoint.is_checked:
        return
    if texts is None:
        own_schemas.check_content(endpoint.schema_text, content, endpoint.name)
    else:
        texts.check(endpoint.schema_text, content, endpoint.name)


def fits(endpoint: Endpoint, content: object) -> bool:
    """Whether content fits its kind; for one's own, whether that is seen in no time."""
    if endpoint.is_built_in:
        return kinds.fits(endpoint.name, content)
    if not endpoint.is_checked:
        return kinds.fits_custom(content)
    is_quick = own_schemas.is_quick(endpoint.schema_text, content)
    return is_quick and not own_schemas.content_faults(endpoint.schema_text, content)
