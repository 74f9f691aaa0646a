"""Tools (MCP). Which questions may an assistant ask, and what is each given?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from app.accounts import messages
from app.errors import UsageError
from app.mcp import tool_answers
from app.mcp.tool_answers import ITEMS_MOST, Answer, Call, Program
from app.server import message_intake

if TYPE_CHECKING:
    from app.server.authenticate import Client
    from app.server.state import ServerState

LEAVE_MESSAGE = "leave_message"
LONGEST = 200  # characters of a name or a filter


@dataclass(frozen=True)
class Tool:
    """A tool: its name, what it is for, what it takes, and what answers it."""

    name: str
    title: str
    description: str
    properties: Mapping[str, Any]
    required: tuple[str, ...]
    answer: Callable[[Call, Mapping[str, Any]], Answer]
    reads_only: bool = True
    output_schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})

    @property
    def input_schema(self) -> dict[str, Any]:
        """The JSON Schema of its arguments."""
        schema = {"type": "object", "properties": dict(self.properties), "additionalProperties": False}
        return {**schema, "required": [*self.required]} if self.required else schema


def answer(
    server: ServerState, client: Client, program: Program, tool: Tool, arguments: Mapping[str, Any]
) -> Answer:
    """Return what a call of a tool is answered; raises UsageError for its arguments, and what rooms raise.

    What was read of whom is noted for the ledger.
    """
    check_arguments(tool, arguments)
    call = Call(server, client, tool_answers.caller_of(server, client), program, tool.name)
    found = tool.answer(call, arguments)
    server.ai_ledger.remember(call.read)
    return found


def offered(server: ServerState) -> list[Tool]:
    """Return the tools there are: messages can be left where someone allows it. The same for everyone."""
    takes_messages = message_intake.takes_any_for_assistants(server)
    return [each for each in TOOLS.values() if each.name != LEAVE_MESSAGE or takes_messages]


def check_arguments(tool: Tool, arguments: Mapping[str, Any]) -> None:
    """Raise UsageError, which names the argument and never repeats its value."""
    for fault in _validator_of(tool.name).iter_errors(arguments):
        path = ".".join(map(str, fault.absolute_path))
        known = ", ".join(tool.properties) or "none"
        if fault.validator == "additionalProperties":
            raise UsageError(f"{tool.name} has no such argument.", hint=f"It takes: {known}.")
        if fault.validator == "required":
            raise UsageError(f"{tool.name} needs {', '.join(tool.required)}.", hint=f"It takes: {known}.")
        raise UsageError(f"The argument {path} is not what it has to be ({fault.validator}).")


@cache
def _validator_of(name: str) -> Draft202012Validator:
    return Draft202012Validator(TOOLS[name].input_schema)


_KIND = {"type": "string", "maxLength": LONGEST, "description": "Name of a kind, from list_kinds."}
_PERSON = {"type": "string", "maxLength": LONGEST, "description": "User name; leave out for whom this is."}
_TEXT = {"type": "string", "maxLength": LONGEST}
_DATE = {"type": "string", "maxLength": 40, "description": "A year, month or day, as 2026-11."}

_SAID = {"type": "object", "properties": {"detail": {"type": "string"}}, "required": ["detail"]}
_RESUME = {
    "type": "object",
    "description": "jsonresume.org, v1.0.0",
    "properties": {
        "basics": {"type": "object"},
        **{name: {"type": "array"} for name in ("work", "education", "skills", "projects")},
    },
}
_RESUME_ANSWER = {
    "type": "object",
    "properties": {
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"person": {"type": "string"}, "written": _RESUME},
                "required": ["person", "written"],
            },
        },
        "notice": {"type": "string"},
        "instruction_like_passages": {"type": "integer"},
    },
    "required": ["items", "notice"],
}

TOOLS: dict[str, Tool] = {
    each.name: each
    for each in (
        Tool(
            "who_is",
            "Who is this?",
            "Say who someone is: the first of what they tell about themselves, and which kinds of entries "
            "they show. Begin here.",
            {"person": _PERSON},
            (),
            tool_answers.who_is,
        ),
        Tool(
            "list_kinds",
            "Kinds of entries",
            "List the kinds of entries that a person shows to assistants.",
            {"person": _PERSON},
            (),
            tool_answers.list_kinds,
        ),
        Tool(
            "read_items",
            "Read entries",
            "Read entries of a kind, oldest first; filter by tag, time or words. Follow `next` as `cursor`.",
            {
                "kind": _KIND,
                "person": _PERSON,
                "tag": _TEXT,
                "since": _DATE,
                "until": _DATE,
                "q": {**_TEXT, "description": "Words that have to be in it."},
                "limit": {"type": "integer", "minimum": 1, "maximum": ITEMS_MOST},
                "cursor": {"type": "string", "maxLength": LONGEST},
            },
            ("kind",),
            tool_answers.read_items,
        ),
        Tool(
            "search",
            "Find entries by words",
            'Find a person\'s entries of all kinds by words, "phrases", beginnings* and -words that must not '
            "be there. Gives the parts in which they are; get_item gives the whole.",
            {
                "q": {**_TEXT, "description": "Words."},
                "person": _PERSON,
                "kind": _KIND,
                "tag": _TEXT,
                "since": _DATE,
                "until": _DATE,
                "limit": {"type": "integer", "minimum": 1, "maximum": ITEMS_MOST},
                "cursor": {"type": "string", "maxLength": LONGEST},
            },
            ("q",),
            tool_answers.search,
        ),
        Tool(
            "get_item",
            "One entry",
            "Read one entry whole, by the id or slug that another tool gave.",
            {"kind": _KIND, "item": {**_TEXT, "description": "Its id or slug."}, "person": _PERSON},
            ("kind", "item"),
            tool_answers.get_item,
        ),
        Tool(
            "get_resume",
            "Resume",
            "Read a person's resume, as JSON Resume under `written`.",
            {"person": _PERSON},
            (),
            tool_answers.get_resume,
            output_schema=_RESUME_ANSWER,
        ),
        Tool(
            LEAVE_MESSAGE,
            "Leave a message",
            "Leave a person a message that waits in their inbox. Only when your user asks you to, in their "
            "words: it cannot be taken back.",
            {
                "text": {"type": "string", "minLength": 1, "maxLength": messages.TEXT_MOST},
                "person": _PERSON,
                "name": {"type": "string", "maxLength": messages.NAME_MOST, "description": "Of your user."},
                "contact": {
                    "type": "string",
                    "maxLength": messages.CONTACT_MOST,
                    "description": "How to answer your user.",
                },
            },
            ("text",),
            tool_answers.leave_message,
            reads_only=False,
            output_schema=_SAID,
        ),
    )
}
