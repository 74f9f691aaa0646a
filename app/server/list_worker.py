"""List worker process. It makes strangers' answers, one after the other, as bytes.

Knows no web framework, so that it starts fast and stays small. It ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import pickle
import sys
import traceback
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO

from app import uncaught
from app.database import Database
from app.database_urls import is_of_server, note_place
from app.entries import read, search
from app.entries.entry import Item, Page
from app.entries.question import Question
from app.entries.search import Found
from app.entries.search_question import SearchQuestion
from app.entries.validity import ALWAYS, Validity
from app.entries.view_memory import ReadyView, ViewKey, ViewMemory
from app.errors import DaemonError
from app.privacy import entry_search
from app.privacy.viewer import STRANGER
from app.storage.registry import storage_for

LENGTH_BYTES = 8
VIEWS_MOST_BYTES = 16_000_000  # of one answer


@dataclass(frozen=True)
class ListRequest:
    """What a stranger asks, and of which database.

    ``place``: where this machine's files about one on a server are; which server is the primary is there.
    """

    database_url: str
    question: Question | SearchQuestion
    place: Path | None = None


@dataclass(frozen=True)
class ListAnswer:
    """The bytes of an answer, what tells it from others, the cursor of the next page, and whether who asks
    decides what it is.

    ``validity``: when it is what it would be if it were made then. ``views``: those that were made for it.
    """

    body: bytes
    tag_source: bytes
    next: str | None = None
    depends_on_agent: bool = False
    validity: Validity = ALWAYS
    views: tuple[tuple[ViewKey, ReadyView], ...] = ()


def main() -> None:
    """Answer jobs from standard input on standard output."""
    uncaught.keep_traces_from_people()
    entry_search.load()  # before a database is read
    with contextlib.suppress(BrokenPipeError):  # the server was killed
        while (job := read_frame(sys.stdin.buffer)) is not None:
            write_frame(sys.stdout.buffer, _answer(job))


def read_frame(stream: IO[bytes]) -> object:
    """Return the next value that the other side wrote, None at the end."""
    head = stream.read(LENGTH_BYTES)
    if len(head) < LENGTH_BYTES:
        return None
    length = int.from_bytes(head)
    body = stream.read(length)
    return pickle.loads(body) if len(body) == length else None


def write_frame(stream: IO[bytes], value: object) -> None:
    """Send a value to the other side, which is a process of our own. Raises OSError where it is gone."""
    body = pickle.dumps(value)
    stream.write(len(body).to_bytes(LENGTH_BYTES))
    stream.write(body)
    stream.flush()


def _answer(job: object) -> object:
    """Return ListAnswer, or the error that the caller is to raise."""
    assert isinstance(job, ListRequest)
    try:
        return make(job)
    except DaemonError as error:
        return error
    except Exception as error:  # noqa: BLE001 - the server says what it says of every error without a name
        fault = RuntimeError(f"{type(error).__name__}: {error}")
        fault.add_note(traceback.format_exc())  # for the log; no console shows it
        return fault


def make(job: ListRequest) -> ListAnswer:
    """Return what a stranger is answered. The database is open for no longer than that."""
    if job.place is not None and is_of_server(job.database_url):
        note_place(job.database_url, job.place)
    database = Database(storage_for(job.database_url))
    try:
        with database.reading() as connection:
            stranger = replace(STRANGER, is_assistant=job.question.viewer.is_assistant)
            question, notes = job.question.asked_by(stranger, job.question.ceiling), read.Notes()
            memory = ViewMemory(VIEWS_MOST_BYTES)
            found: Item | Page | Found
            if isinstance(question, SearchQuestion):
                found = search.search(connection, question, notes=notes, memory=memory)
            elif question.is_for_one:
                found = read.item(connection, question, notes=notes, memory=memory)
            else:
                found = read.page(connection, question, notes=notes, memory=memory)
            views = tuple(memory.everything())
            return ListAnswer(
                found.body, found.tag_source, found.next, notes.depends_on_agent, found.validity, views
            )
    finally:
        database.close()
