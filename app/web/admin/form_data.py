"""Form data. What did someone type into a form, and which file did they choose?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException

from app.entries.entry import invalid
from app.errors import InvalidContent
from app.web.bodies import body_of, media_type_of

if TYPE_CHECKING:
    from starlette.requests import Request

MOST_FIELDS = 500


@dataclass(frozen=True)
class ChosenFile:
    """A file that was chosen in a form."""

    name: str
    content: bytes


class Form:
    """The fields of one form, in their order; a field may be there several times."""

    def __init__(
        self, pairs: tuple[tuple[str, str], ...] = (), files: dict[str, ChosenFile] | None = None
    ) -> None:
        self.pairs = pairs
        self._files = files or {}
        self._last = dict(pairs)

    def text(self, name: str, otherwise: str = "") -> str:
        """Return what stands in a field, with the line ends that everyone has."""
        return self._last.get(name, otherwise).replace("\r\n", "\n")

    def line(self, name: str) -> str:
        """Return the same without blanks around it."""
        return self.text(name).strip()

    def all(self, name: str) -> list[str]:
        """Return every value of a field: of check boxes, those that are checked."""
        return [value for key, value in self.pairs if key == name]

    def has(self, name: str) -> bool:
        """Whether a field, a check box or a button was sent."""
        return name in self._last

    def file(self, name: str) -> ChosenFile | None:
        """Return the file that was chosen, None where none was."""
        return self._files.get(name)


async def form_of_request(request: Request) -> Form:
    """Return the form that a request brings, URL-encoded or multipart; raises InvalidContent."""
    body = await body_of(request)
    if media_type_of(request) == "multipart/form-data":
        try:
            return await _multipart(request)
        except (MultiPartException, HTTPException):
            raise _unreadable() from None
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise _unreadable() from None
    return Form(tuple(pairs))


def _unreadable() -> InvalidContent:
    return invalid("", "the form cannot be read")


async def _multipart(request: Request) -> Form:
    pairs: list[tuple[str, str]] = []
    files: dict[str, ChosenFile] = {}
    # the body is in memory already, and bounded
    async with request.form(max_files=10, max_fields=MOST_FIELDS, max_part_size=2**30) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile):
                if value.filename:
                    files[name] = ChosenFile(value.filename, await value.read())
            else:
                pairs.append((name, value))
    return Form(tuple(pairs), files)
