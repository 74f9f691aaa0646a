"""Do answers reach people and programs as they should?"""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from app.cli.output import Output, jsonable
from app.control_characters import one_line, printable
from app.errors import Busy, Failed, InvalidContent
from app.progress import Event


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class ClosedPipe(io.StringIO):
    def write(self, text: str) -> int:
        raise BrokenPipeError


def output(json_wanted: bool = False, program: str = "daemon") -> tuple[Output, io.StringIO, io.StringIO]:
    out, err = io.StringIO(), io.StringIO()
    made = Output(program, out, err)
    made.json = json_wanted
    return made, out, err


def test_an_answer_is_text_for_people_and_one_object_for_programs() -> None:
    people, out, err = output()
    people.answer("The database is sound.", {"sound": True})
    assert (out.getvalue(), err.getvalue()) == ("The database is sound.\n", "")
    programs, out, err = output(json_wanted=True)
    programs.answer("The database is sound.", {"sound": True})
    assert json.loads(out.getvalue()) == {"sound": True}


def test_a_table_is_aligned_where_there_is_no_terminal() -> None:
    people, out, _ = output()
    people.table(("name", "size"), [("a", 1), ("longer", None)], {})
    assert out.getvalue() == "name    size\na       1\nlonger  -\n"


def test_on_a_terminal_a_row_that_is_too_long_is_a_block_and_no_cell_is_cut(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "30")
    out = Terminal()
    Output("daemon", out, io.StringIO()).table(("name", "[b]size"), [("[red]", True)], {})
    assert out.getvalue() == "name   [b]size\n[red]  yes\n"
    out = Terminal()
    name = "backup_20261126_014639.db"
    Output("daemon", out, io.StringIO()).table(("name", "size", "note"), [(name, "1.0 MB", None)] * 2, {})
    block = f"name  {name}\nsize  1.0 MB\n"
    assert out.getvalue() == f"{block}\n{block}"


def test_hints_in_json_can_be_pasted_and_nothing_else_is_touched() -> None:
    made, out, _ = output(json_wanted=True, program="python -m app.cli")
    made.answer("", {"problems": [{"hint": "daemon upgrade run"}], "name": "daemon upgrade run"})
    assert json.loads(out.getvalue()) == {
        "problems": [{"hint": "python -m app.cli upgrade run"}],
        "name": "daemon upgrade run",
    }


def test_an_interruption_is_an_object_too() -> None:
    made, out, err = output(json_wanted=True)
    made.interrupted("Interrupted.")
    said = json.loads(out.getvalue())["error"]
    assert (said["code"], said["exit_code"], err.getvalue()) == ("interrupted", 130, "")


def test_what_a_database_holds_does_not_steer_the_terminal() -> None:
    assert printable("a\x1b[2Jb\u202ec\r\n") == "a\\x1b[2Jb\\u202ec\\r\n"
    assert one_line("a\nb\tc\u2028d\x9be") == "a\\nb\\tc\\u2028d\\x9be"
    people, out, _ = output()
    people.table(("name",), [("two\nlines\x07",)], {})
    assert out.getvalue() == "name\ntwo\\nlines\\x07\n"


def test_an_error_has_its_hint_and_for_programs_its_code() -> None:
    people, out, err = output()
    people.error(Failed("It broke.", hint="daemon upgrade run", file="x"))
    assert (out.getvalue(), err.getvalue()) == ("", "Error: It broke.\ndaemon upgrade run\n")
    programs, out, err = output(json_wanted=True)
    programs.error(Failed("It broke.", hint="daemon upgrade run", file="x"))
    assert json.loads(out.getvalue())["error"] == {
        "code": "failed",
        "message": "It broke.",
        "hint": "daemon upgrade run",
        "exit_code": 1,
        "details": {"file": "x"},
    }
    assert err.getvalue() == ""


def test_each_fault_of_a_content_is_a_line() -> None:
    people, _, err = output()
    people.error(InvalidContent("No account.", errors=[{"pointer": "/email", "detail": "It has no @."}]))
    assert err.getvalue() == "Error: No account.\n  It has no @.\n"


def test_hints_name_the_command_as_it_was_typed() -> None:
    people, _, err = output(program="python -m app.cli")
    people.say("Now: daemon upgrade run (user daemon, /opt/daemon data, chown daemon:daemon x)")
    assert err.getvalue() == (
        "Now: python -m app.cli upgrade run (user daemon, /opt/daemon data, chown daemon:daemon x)\n"
    )


def test_events_are_lines_for_people_and_json_lines_for_programs() -> None:
    events = [
        Event("phase", "backup", "Backing up"),
        Event("progress", "backup", "Backing up", percent=10.0),
        Event("progress", "backup", "Backing up", percent=11.0),
        Event("warning", "backup", "The disk is slow"),
        Event("result", "backup", "Done"),
    ]
    people, out, err = output()
    for event in events:
        people.event(event)
    assert out.getvalue() == ""
    assert err.getvalue() == "Backing up\nWarning: The disk is slow\n"
    programs, out, err = output(json_wanted=True)
    for event in events[:2]:
        programs.event(event)
    assert [json.loads(line) for line in out.getvalue().splitlines()] == [
        {"v": 1, "type": "phase", "phase": "backup", "message": "Backing up"},
        {"v": 1, "type": "progress", "phase": "backup", "message": "Backing up", "percent": 10.0},
    ]
    assert err.getvalue() == ""


def test_progress_on_a_terminal_ends_before_the_answer() -> None:
    out, err = io.StringIO(), Terminal()
    people = Output("daemon", out, err)
    people.event(Event("phase", "backup", "Backing up"))
    people.event(Event("progress", "backup", "Backing up", percent=50.0))
    people.result({}, "Done.")
    assert out.getvalue() == "Done.\n"
    assert people._bar is None


def test_a_reader_who_goes_away_stops_nothing() -> None:
    people = Output("daemon", ClosedPipe(), io.StringIO())
    people.answer("first", None)
    people.answer("second", None)


def test_nothing_is_asked_without_a_terminal() -> None:
    people, _, err = output()
    assert people.confirm("Really?", yes=True)
    assert people.confirm("Really?", yes=False)
    assert err.getvalue() == ""


@dataclass(frozen=True)
class Thing:
    path: Path
    parts: tuple[str, ...]


def test_values_become_json() -> None:
    assert jsonable({"x": Thing(Path("/a"), ("b",)), 1: {2}}) == {
        "x": {"path": "/a", "parts": ["b"]},
        "1": [2],
    }


def test_no_answer_in_json_steers_a_terminal() -> None:
    out = io.StringIO()
    output = Output("daemon", out, io.StringIO())
    output.json = True
    text = "\x1b[2J\x7f\x9b\u202e"
    output.answer("", {"name": text})
    output.result({"message": text}, text)
    output.error(Failed(text, hint=text))
    assert not set(out.getvalue()) & set(text.replace("[2J", ""))
    assert json.loads(out.getvalue().splitlines()[1].strip().rstrip(",").split(": ", 1)[1]) == text


def test_who_holds_the_database_is_named() -> None:
    err = io.StringIO()
    Output("daemon", io.StringIO(), err).error(
        Busy("Held.", hint="Wait.", holders=["process 7 of ann: \x1b[2J"])
    )
    assert err.getvalue() == "Error: Held.\n  held by process 7 of ann: \\x1b[2J\nWait.\n"
