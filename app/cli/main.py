"""What is ``daemon``? Its list of commands, and the one place where an error becomes words and a status."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Sequence
from typing import NoReturn, TextIO, cast

import click

from app import __version__, interrupt, uncaught
from app.cli.lazy import LazyGroup, Place
from app.cli.output import Output
from app.cli.start import is_dependency, missing_sentences
from app.cli.streams import hold_their_places
from app.errors import (
    EXIT_INTERRUPTED,
    EXIT_OK,
    DaemonError,
    Failed,
    FailedRestored,
    OperatorNeeded,
    UsageError,
)
from app.typed_commands import program, script

EXIT_STATUSES = """\b
Exit statuses
   0  done, or nothing to do
   1  failed; the database is as it was
   2  what was typed, or a setting, cannot be used
  10  an upgrade is pending (only `upgrade check`), or `doctor` found something
  11  the schema differs from every known one
  12  the database was written by a newer Daemon
  13  not a Daemon database, or no database there
  14  the database or the backup is damaged
  15  refused before anything began: space, permission, place
  16  busy: someone else holds the database
  17  failed after the commit; the backup was put back
  18  failed, and the backup could not be put back: you are needed
 130  interrupted; what was begun was taken back
"""

HELP_OPTIONS = ["-h", "--help"]
INTERRUPTED = "Interrupted; what was begun was taken back."

PLACES = {
    "serve": Place("app.cli.serve:serve", "Serve the API on this machine."),
    "init": Place("app.cli.init:init", "Make a new database, or take over an old one."),
    "status": Place("app.cli.status:status", "What is here: database, version, people, backups."),
    "doctor": Place(
        "app.cli.doctor:doctor", "What of this installation is old or dangerous, and mending it."
    ),
    "upgrade": Place("app.cli.upgrade:upgrade", "Look at, upgrade, or take back the database's version."),
    "database": Place("app.cli.database:database", "How the database keeps what is being written (WAL)."),
    "repair": Place("app.cli.repair:repair", "Rows that name one which is not there, put right."),
    "backup": Place("app.cli.backup:backup", "Make, list, prove, restore and clear away backups."),
    "move": Place("app.cli.move:move", "The database to PostgreSQL, or back to SQLite; nothing is lost."),
    "claim": Place("app.cli.claim:claim", "What was written before the first account: publish or delete it."),
    "user": Place("app.cli.user:user", "The people who have an account."),
    "key": Place("app.cli.key:key", "The API keys with which programs come in."),
    "mcp": Place("app.cli.mcp:mcp", "Assistants: answer one, tell a program how to connect, see who can."),
    "link": Place("app.cli.link:link", "Share links: addresses that show unlisted entries, or kinds."),
    "webhook": Place("app.cli.webhook:webhook", "Webhooks: programs that are told of changes."),
    "kind": Place("app.cli.kind:kind", "Kinds of entries of a person's own."),
    "message": Place("app.cli.message:message", "Messages that are left for people: allow, read, delete."),
    "page": Place("app.cli.page:page", "How a person wants their page to look, and what is on it."),
    "picture": Place("app.cli.picture:picture", "Pictures of people and of their entries."),
    "privacy": Place("app.cli.privacy:privacy", "What strangers see of people here, and steering it."),
    "entry": Place("app.cli.entry:entry", "Earlier states of entries; undelete and erase them."),
    "search": Place("app.cli.search:search", "Entries by their words, as strangers find them or whole."),
    "audit": Place("app.cli.audit:audit", "Who came in, was refused, changed or read what."),
    "stats": Place("app.cli.stats:stats", "How many entries and accounts there are."),
    "export-user-data": Place("app.cli.export:export_user_data", "Everything that a person has, as files."),
    "import": Place("app.cli.import_:import_command", "What export-user-data wrote, into this installation."),
}


@click.command(cls=LazyGroup, places=PLACES, epilog=EXIT_STATUSES)
@click.version_option(__version__, prog_name="daemon")
def daemon() -> None:
    """Daemon: a personal API that you host yourself.

    \b
    A first day:     daemon init        then   daemon serve
    Before a change: daemon backup create
    A new version:   daemon upgrade check  then  daemon upgrade run

    The database, the backup folder and the rest come from the environment and from .env in this folder.

    \b
    Every command explains itself: daemon COMMAND --help
    """


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run ``daemon`` with the words typed, and end the process with its exit status."""
    _process(lambda: daemon, arguments)


def migrate_comprehensive() -> NoReturn:
    _process(Place("app.cli.aliases:comprehensive", "").load, None, script())


def version_tracker() -> NoReturn:
    _process(Place("app.cli.aliases:tracker", "").load, None, script())


def migrate_database() -> NoReturn:
    _process(Place("app.cli.aliases:database", "").load, None, script())


def _process(load: Callable[[], click.Command], arguments: Sequence[str] | None, name: str = "") -> NoReturn:
    """Be this process: what its streams and signals do, and its end, are the command's."""
    hold_their_places()
    typed = (
        program()
    )  # before signals are listened to: until then they end the process with a word of their own
    interrupt.listen()
    try:
        status = run(load, arguments, name or typed, typed)
    except KeyboardInterrupt:  # while it told what a look had found
        status = EXIT_INTERRUPTED
    finally:
        interrupt.turn_deaf()
    sys.exit(status)


def run(
    load: Callable[[], click.Command], arguments: Sequence[str] | None, name: str, typed: str = ""
) -> int:
    """Run the command and say whatever came of it; returns the exit status. Nothing escapes as a trace.

    ``name`` is what its help calls it, ``typed`` how other commands are typed, where that differs. The status
    is what came of the work, also where nothing of it could be said.
    """
    output = Output(typed or name)
    # Anyone who prints besides us (help, the version, a progress bar) must not fail over it either.
    with (
        contextlib.redirect_stdout(cast(TextIO, output.of_libraries())),
        contextlib.redirect_stderr(output.err),
    ):
        try:
            return _answered(output, load, arguments, name)
        finally:
            output.end()


def _answered(
    output: Output, load: Callable[[], click.Command], arguments: Sequence[str] | None, name: str
) -> int:
    try:
        answer = load().main(
            arguments, prog_name=name, standalone_mode=False, obj=output, help_option_names=HELP_OPTIONS
        )
    except click.exceptions.NoArgsIsHelpError as error:
        output.answer(error.message, None)
        return EXIT_OK
    except click.ClickException as error:
        context = getattr(error, "ctx", None)
        hint = f"Try: {context.command_path} --help" if context else ""
        return _failed(output, UsageError(error.format_message(), hint=hint))
    except DaemonError as error:
        is_after_commit = isinstance(error, FailedRestored | OperatorNeeded)
        return _failed(output, error) if is_after_commit else _failed_or_interrupted(output, error)
    except (KeyboardInterrupt, EOFError, click.Abort):
        return _interrupted(output)
    except UnicodeEncodeError as error:
        return _failed_or_interrupted(output, _not_text(error, arguments) or error)
    except Exception as error:  # noqa: BLE001 the door: no trace ever reaches a person
        return _failed_or_interrupted(output, error)
    return answer if isinstance(answer, int) else 0


def _not_text(error: UnicodeEncodeError, arguments: Sequence[str] | None) -> UsageError | None:
    """The error where a word was typed that is no text in this locale: bytes of it became lone surrogates."""
    words = sys.argv[1:] if arguments is None else arguments
    if "surrogates not allowed" not in error.reason or not any(_has_surrogates(word) for word in words):
        return None
    return UsageError(
        "A word that was typed is not text in UTF-8, or this locale cannot read it as that.",
        hint="export LC_ALL=C.UTF-8   # and type it again",
    )


def _has_surrogates(word: str) -> bool:
    return any("\ud800" <= letter <= "\udfff" for letter in word)


def _interrupted(output: Output) -> int:
    output.interrupted(INTERRUPTED)
    return EXIT_INTERRUPTED


def _failed_or_interrupted(output: Output, error: Exception) -> int:
    return _interrupted(output) if interrupt.has_stopped() else _failed(output, _in_words(error))


def _in_words(error: Exception) -> DaemonError:
    if isinstance(error, DaemonError):
        return error
    if isinstance(error, ModuleNotFoundError):
        return _missing_module(error)
    if isinstance(error, OSError):
        from app.storage import failures  # not above: `daemon --help` needs none of it

        return failures.refused_by_the_system(error)
    return _of_server(error) or Failed(uncaught.fault_in_words(error))


def _of_server(error: Exception) -> DaemonError | None:
    """Return what a database's server answered that no room has named a place for; None where it was none."""
    from app import database_urls

    url = database_urls.latest()
    if url is None:
        return None
    from app.storage.registry import storage_for

    storage = storage_for(url)
    return storage.explained(error) if storage.is_own(error) and storage.is_of_the_place(error) else None


def _failed(output: Output, error: DaemonError) -> int:
    output.error(error)
    return error.exit_code


def _missing_module(error: ModuleNotFoundError) -> DaemonError:
    if is_dependency(error.name or ""):
        sentence, hint = missing_sentences(error.name or "")
        return UsageError(sentence, hint=hint)
    return Failed(uncaught.fault_in_words(error))
