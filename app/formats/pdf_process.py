"""PDF process (WeasyPrint). How does a page of ours become a tagged PDF, and on how many sheets?

It is given HTML and styles, each as text, and asks no one for anything: whatever an address in them names is
refused, of this machine or another. Needs the extra `pdf` of this package, and Pango of the system.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import logging
from functools import cache
from typing import Any

from app.errors import Busy, NotInstalled
from app.worker_process import Message, WorkerProcess, serve_one

SECONDS = 30.0
MEMORY_BYTES = 2_000_000_000
WAITING_MOST = 4
_TAGGED = {"pdf_tags": True, "pdf_variant": "pdf/ua-1"}
_MODULE = "app.formats.pdf_process"
_HINT = (
    "Who runs it types: pip install 'daemon-personal-api[pdf]', or in the folder of the project:"
    " .venv/bin/python -m pip install '.[pdf]' (and on Debian: apt-get install"
    " libpango-1.0-0 libpangoft2-1.0-0)"
)


class PdfProcess:
    """Makes PDFs, one at a time."""

    def __init__(self) -> None:
        self._worker = WorkerProcess(_MODULE, "a PDF", seconds=SECONDS, waiting_most=WAITING_MOST)

    def pdf_of(self, html: bytes, styles: list[str]) -> tuple[bytes, int]:
        """Return the PDF of a page, and how many sheets it has.

        Of ``styles`` the first is taken with which it is one sheet, or else the last. Raises NotInstalled,
        and Busy.
        """
        if not is_installed():
            raise not_installed()
        found = self._worker.ask(Message({}, [html, *(style.encode() for style in styles)]))
        if "missing" in found.head:
            raise not_installed()
        if not found.pieces:
            raise Busy("There was no making a PDF of it.", hint="Try again.", retry_after_seconds=5)
        return found.pieces[0], int(found.head["sheets"])


@cache
def is_installed() -> bool:
    """Whether what makes a PDF is there, as far as can be told without loading it."""
    return importlib.util.find_spec("weasyprint") is not None


def not_installed() -> NotInstalled:
    """Return the error of a server that makes no PDF."""
    return NotInstalled("This server makes no PDF: what that needs is not installed.", hint=_HINT)


def _answer(request: Message) -> Message:
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    try:
        import weasyprint
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError):  # without Pango it is not even imported
        return Message({"missing": True})

    class RefusesAll(URLFetcher):  # type: ignore[misc]
        """Fetches nothing."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            raise ValueError("nothing is fetched for a PDF")

    html = request.pieces[0].decode()
    found: Any = None
    for style in request.pieces[1:]:
        made = weasyprint.HTML(string=html, url_fetcher=RefusesAll(), media_type="print")
        found = made.render(
            stylesheets=[weasyprint.CSS(string=style.decode(), url_fetcher=RefusesAll())], **_TAGGED
        )
        if len(found.pages) == 1:
            break
    identifier = hashlib.sha256(b"".join(request.pieces)).digest()[:16]
    with contextlib.suppress(AttributeError):
        found.metadata.generator = "Daemon"
    content = found.write_pdf(pdf_identifier=identifier, **_TAGGED)
    return Message({"sheets": len(found.pages)}, [content])


if __name__ == "__main__":
    serve_one(_answer, memory_bytes=MEMORY_BYTES, cpu_seconds=int(SECONDS))
