"""How does the command line stay quick? A command's module is loaded when that command is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, NamedTuple

import click

from app.quick_dataclasses import dataclasses_made_quickly


class Place(NamedTuple):
    """Where a command is (``module:attribute``), and the line that the list of commands shows for it."""

    address: str
    summary: str

    def load(self) -> click.Command:
        module_name, attribute = self.address.split(":")
        with dataclasses_made_quickly():
            command = getattr(import_module(module_name), attribute)
        assert isinstance(command, click.Command)
        return command


class LazyGroup(click.Group):
    """A group whose commands are named in a table and imported one at a time."""

    def __init__(self, *args: Any, places: Mapping[str, Place], **named: Any) -> None:
        super().__init__(*args, **named)
        self.places = places

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.places)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        return self.places[name].load() if name in self.places else None

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, place.summary) for name, place in self.places.items()])
