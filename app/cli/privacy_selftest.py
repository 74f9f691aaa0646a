"""What does ``daemon privacy selftest`` do? It looks on a copy whether anything hidden leaves by any door."""

from __future__ import annotations

import logging
from importlib import import_module

import click

from app import clock
from app.cli.command_context import opened_for_writing, settings_for_looking
from app.cli.options import json_option
from app.cli.output import Output
from app.entries import selftests
from app.progress import say_nothing
from app.server.selftest.run import run_selftest

DOORS = "app.web.app:create_app"  # by name: doors do not know each other
EXIT_FOUND = 10


@click.command(name="selftest")
@json_option
@click.pass_obj
def selftest_command(output: Output) -> int:
    """Does anything hidden leave by any door? Looked at on a copy of the database.

    A marker is put into every private field of scratch people, every address is asked at every level and with
    every key, and the copy is thrown away. The database gets the result, which /health/ready shows.
    Exit status 10 where something was found.
    """
    settings = settings_for_looking(output)
    from app.cli.open_database import ready_database

    with ready_database(settings):  # says what the gate says, before a copy is made
        pass
    logging.getLogger().addHandler(logging.NullHandler())  # what a server says of a copy is no one's concern
    module, attribute = DOORS.split(":")
    started = clock.now()
    on_event = output.event if not output.json else say_nothing
    outcome = run_selftest(settings, getattr(import_module(module), attribute), on_event=on_event)
    with opened_for_writing(output) as (_, connection):
        done = selftests.record(connection, started, clock.now(), outcome.faults)
    found = "\n".join(f"- {fault}" for fault in done.faults)
    said = f"{len(done.faults)} faults were found:\n{found}" if done.faults else "Nothing hidden leaves."
    output.answer(f"{outcome.asked_count} answers were looked at. {said}", done.as_json())
    return EXIT_FOUND if done.faults else 0
