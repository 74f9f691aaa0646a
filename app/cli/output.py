"""How does an answer reach a person or a program? The only prints of the product are here.

Answers go to stdout (a table or a sentence for people, JSON for programs); everything on the way, and every
error for people, goes to stderr. Words that cannot be said stop nothing and change no exit status: they are
in the log.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
import time
from collections.abc import Iterable, Sequence
from typing import Any, TextIO, cast

from app.cli.streams import Stream
from app.cli.tables import cell, fitted_table, plain_table
from app.control_characters import one_line, printable
from app.errors import EXIT_INTERRUPTED, BulkRefused, DaemonError
from app.progress import Event
from app.typed_commands import as_typed

EVENT_FORMAT = 1
SECONDS_BETWEEN_LINES = 5.0
HINTS = frozenset({"hint", "next"})  # members of JSON answers that say what to type


def jsonable(value: Any) -> Any:
    """Dataclasses, paths, tuples and times as JSON has them; anything else unknown as its text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: jsonable(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {str(key): jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [jsonable(item) for item in value]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


def json_text(value: Any, indent: int | None = None) -> str:
    """``value`` as JSON in which nothing steers a terminal: all but ASCII is escaped, and DEL too."""
    return json.dumps(jsonable(value), indent=indent, allow_nan=False).replace("\x7f", "\\u007f")


class Output:
    """The two streams of one command. ``json`` is set by its ``--json`` option."""

    def __init__(self, program: str, out: TextIO | None = None, err: TextIO | None = None) -> None:
        self.program = program
        self.json = False
        self.out = Stream(out or sys.stdout)
        self.err = Stream(err or sys.stderr)
        self._bar: _Bar | None = None

    def of_libraries(self) -> Stream:
        """Return where others print to, who know no `Output`: help, and the version."""
        return _AsTyped(self)

    def say(self, text: str) -> None:
        """A sentence on the way, for people."""
        self._bar_away()
        self._write(self.err, self._commands_as_typed(printable(text)))

    def warn(self, text: str) -> None:
        self.say(f"Warning: {text}")

    def answer(self, text: str, data: object) -> None:
        """What was asked for: ``text`` for people, or ``data`` as one JSON object."""
        self._bar_away()
        if self.json:
            self._write(self.out, json_text(self._hints_as_typed(data), indent=2))
        elif text:
            self._write(self.out, self._commands_as_typed(printable(text)))

    def table(
        self, columns: Sequence[str], rows: Iterable[Sequence[object]], data: object, *, below: str = ""
    ) -> None:
        """Rows for people, and a text below them, or ``data`` as one JSON object."""
        if self.json:
            self.answer("", data)
            return
        cells = [[cell(value) for value in row] for row in rows]
        if not cells:
            return
        if self.out.isatty():
            width = shutil.get_terminal_size().columns
            self._write(self.out, fitted_table(columns, cells, width))
        else:
            self._write(self.out, plain_table(columns, cells))
        if below:
            self.answer(below, None)

    def event(self, event: Event) -> None:
        """Something on the way of long work: one JSON line for programs, a line or a bar for people."""
        if self.json:
            line = {
                "v": EVENT_FORMAT,
                **{key: value for key, value in _event_items(event) if value is not None},
            }
            self._write(self.out, json_text(line), on_the_way=True)
        elif event.type == "warning":
            self.warn(event.message)
        elif event.type != "result":
            self._bar = self._bar or (_Bar(self.err) if self.err.isatty() else _Lines(self))
            self._bar.show(event)

    def result(self, data: dict[str, object], text: str, *, is_error: bool = False) -> None:
        """How the work ended: the last JSON line for programs, the closing words for people."""
        self._bar_away()
        if self.json:
            line = {"v": EVENT_FORMAT, "type": "result", **data}
            self._write(self.out, json_text(self._hints_as_typed(line)))
        elif is_error:
            self.say(f"Error: {text}")
        else:
            self.answer(text, None)

    def error(self, error: DaemonError) -> None:
        """What went wrong and what to type next."""
        if self.json:
            words = {
                "code": error.code,
                "message": error.message,
                "hint": self._commands_as_typed(error.hint),
            }
            said = {"error": {**words, "exit_code": error.exit_code, "details": error.details}}
            self._bar_away()
            self._write(self.out, json_text(said))  # one line: events may precede
            return
        self.say("\n".join((f"Error: {error.message}", *_faults_of(error), *_holders_of(error))))
        if error.hint:
            self.say(error.hint)

    def interrupted(self, text: str) -> None:
        """That someone stopped the command: a sentence, or an error object of the code "interrupted"."""
        if self.json:
            said = {"code": "interrupted", "message": text, "hint": "", "exit_code": EXIT_INTERRUPTED}
            self._bar_away()
            self._write(self.out, json_text({"error": {**said, "details": {}}}))
        else:
            self.say(text)

    def can_ask(self) -> bool:
        """Whether there is a terminal on which someone can answer."""
        return bool(sys.stdin) and sys.stdin.isatty()

    def confirm(self, question: str, yes: bool) -> bool:
        """Ask, on a terminal only: without one, and with ``--yes``, the answer is yes."""
        if yes or not self.can_ask():
            return True
        self._write(self.err, f"{printable(question)} [y/N] ", end="")
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def _commands_as_typed(self, text: str) -> str:
        # A checkout without the package installed has no command named `daemon`: show what was typed.
        return as_typed(text, self.program)

    def _hints_as_typed(self, data: object) -> object:
        """Return JSON values in which every hint can be pasted; nothing else in them is touched."""
        value = jsonable(data)
        if isinstance(value, dict):
            return {
                key: self._commands_as_typed(item)
                if key in HINTS and isinstance(item, str)
                else self._hints_as_typed(item)
                for key, item in value.items()
            }
        return [self._hints_as_typed(item) for item in value] if isinstance(value, list) else value

    def _bar_away(self) -> None:
        if self._bar is not None:
            self._bar.away()
            self._bar = None

    def end(self) -> None:
        """Nothing more will be said: drop what could not be written."""
        self._bar_away()
        self.out.end()
        self.err.end()

    def _write(self, stream: Stream, text: str, end: str = "\n", *, on_the_way: bool = False) -> None:
        print(text, end=end, file=stream, flush=True)
        if stream.failure and not on_the_way:
            from app import log  # with the settings: a short answer needs neither

            log.keep_unsaid(f"could not be said ({stream.failure}): {text}")


class _AsTyped(Stream):
    def __init__(self, output: Output) -> None:
        super().__init__(output.out.real)
        self._output = output

    def write(self, text: str) -> int:
        super().write(self._output._commands_as_typed(text))
        return len(text)


class _Bar:
    """A progress bar on a terminal; the library is loaded when the first event comes."""

    def __init__(self, stream: Stream) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[shown]}"))
        self.progress: Any = Progress(
            *columns, TimeRemainingColumn(), console=Console(file=cast(TextIO, stream))
        )
        self.task = self.progress.add_task("", total=None, shown="")
        self.progress.start()

    def show(self, event: Event) -> None:
        text = printable(event.message)
        if event.percent is None:
            self.progress.console.print(text, markup=False, highlight=False)
        shown = "" if event.percent is None else f"{event.percent:3.0f} %"
        total = None if event.percent is None else 100.0
        self.progress.update(
            self.task, description=event.phase, total=total, completed=event.percent or 0.0, shown=shown
        )

    def away(self) -> None:
        self.progress.remove_task(self.task)
        self.progress.stop()


class _Lines(_Bar):
    """Progress where there is no terminal: a line for each phase, and now and then one for a percentage."""

    def __init__(self, output: Output) -> None:
        self.output = output
        self.last = ("", 0.0)

    def show(self, event: Event) -> None:
        message, at = self.last
        now = time.monotonic()
        if event.percent is not None and event.type == "progress":
            if now - at < SECONDS_BETWEEN_LINES:
                return
            text = f"{event.message} ({event.percent:.0f} %)"
        else:
            text = event.message
        if text != message:
            words = self.output._commands_as_typed(printable(text))
            self.output._write(self.output.err, words, on_the_way=True)
        self.last = (text, now)

    def away(self) -> None:
        pass


def _event_items(event: Event) -> list[tuple[str, object]]:
    names = ("type", "phase", "message", "percent", "eta_seconds")
    return [*((name, getattr(event, name)) for name in names), *event.details.items()]


def _faults_of(error: DaemonError) -> list[str]:
    """The single faults of a content that does not fit."""
    faults = error.details.get("errors")
    if not isinstance(faults, list):
        return []
    known = [fault for fault in faults if isinstance(fault, dict) and "detail" in fault]
    if isinstance(error, BulkRefused):  # of many items: which one it is
        return [f"  {fault['pointer']}: {fault['detail']}" for fault in known]
    return [f"  {fault['detail']}" for fault in known]


def _holders_of(error: DaemonError) -> list[str]:
    """Who holds what the command needs, where that is known."""
    found = error.details.get("holders")
    return [f"  held by {one_line(str(one))}" for one in found] if isinstance(found, list) else []
