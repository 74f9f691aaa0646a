"""Papers (self-test, PDF). Which words are in one, or is none made here?"""

from __future__ import annotations

import importlib.util
import io
import json
import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from app.server.selftest.asking import Answer

SUFFIX = "/resume.pdf"
MEDIA_TYPE = "application/pdf"
KEPT = 16  # papers; of one person there are as many as levels
TRIES = 3  # where the machine has much else to do


def can_be_read() -> bool:
    """Whether what reads a PDF is installed; it comes with what makes one."""
    return importlib.util.find_spec("pypdf") is not None


def is_not_made(answer: Answer) -> bool:
    """Whether it says that this server makes no PDF."""
    return answer.status == 501 and json.loads(answer.body).get("code") == "not_installed"


def is_paper(answer: Answer) -> bool:
    """Whether it is a PDF."""
    return answer.header("content-type") == MEDIA_TYPE


@lru_cache(maxsize=KEPT)
def words_of(content: bytes) -> bytes:
    """Return every text of a PDF: of its pages, as it is drawn and with broken words whole, and of all else.

    That is its title and what is said about it, what it links to, its outline, and the names of its tags.
    The same paper is answered to many, and is read once.
    """
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(content))
    drawn = "\n".join(page.extract_text() for page in reader.pages)
    rest = [reader.get_object(number) for number in range(1, int(str(reader.trailer["/Size"])))]
    text = unicodedata.normalize("NFKC", "\n".join([drawn, *(each for one in rest for each in _texts(one))]))
    broken = re.sub(r"[-\u2010\u00ad]?\s+", "", text)
    return "\n".join([text, " ".join(text.split()), broken, broken.lower()]).encode("utf-8", "replace")


def _texts(value: Any) -> Iterator[str]:
    """Yield the texts in an object of a PDF; others that it names are asked themselves."""
    from pypdf.generic import ArrayObject, DictionaryObject, StreamObject

    if isinstance(value, StreamObject) and "/Length1" not in value:  # but for fonts
        yield value.get_data().decode("utf-8", "replace")
    if isinstance(value, DictionaryObject):
        for name, each in dict.items(value):
            yield str(name)
            yield from _texts(each)
    elif isinstance(value, ArrayObject):
        for each in list.__iter__(value):
            yield from _texts(each)
    elif isinstance(value, str | bytes):
        yield value.decode("latin-1") if isinstance(value, bytes) else value
