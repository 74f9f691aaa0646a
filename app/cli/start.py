"""Can this Python run Daemon at all? Nothing outside the standard library is imported here.

The file is written so that an old Python can still read it and be told so.
"""

import gc
import os
import signal
import sys
from importlib import import_module
from typing import Any, Callable, NoReturn, Tuple  # noqa: UP035 an old Python must be able to read this file

EXIT_CANNOT_START = 2
EXIT_INTERRUPTED = 130
OLDEST_PYTHON = (3, 11)
# After so many new objects Python looks for circles among them. Its own number makes hundreds of looks while
# modules are imported, and there is nothing to be found. A server takes it back: it lives long.
OBJECTS_BETWEEN_COLLECTIONS = 100_000
PYTHONS_OWN = gc.get_threshold()


def daemon() -> None:
    """Be the console command ``daemon``."""
    start("app.cli.main:main")


def start(address: str) -> None:
    """Call the function at ``module:name``; one sentence and exit status 2 where something is missing."""
    if sys.version_info < OLDEST_PYTHON:
        stop(
            "Daemon needs Python {}.{} or newer, and this is {}.{}.".format(
                *OLDEST_PYTHON, *sys.version_info[:2]
            ),
            "Make the virtual environment again with a newer python3.",
        )
    end_at_a_signal()
    import_module("app.uncaught").keep_traces_from_people()
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    loaded(address)()


def end_at_a_signal() -> None:
    """End the process at a stopping signal, until the command itself listens: nothing is begun yet.

    No exception: Python drops one that meets it in a callback, while it imports, and would go on unasked.
    A signal that is ignored stays so.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, end_before_the_beginning)


def end_before_the_beginning(number: int, frame: object) -> NoReturn:
    try:
        os.write(2, b"Interrupted; nothing was begun.\n")
    finally:
        os._exit(EXIT_INTERRUPTED)


def loaded(address: str) -> Callable[..., Any]:
    """Import the function at ``module:name``; one sentence and exit status 2 where a package is missing."""
    module_name, function_name = address.split(":")
    try:
        return getattr(import_module(module_name), function_name)  # type: ignore[no-any-return]
    except ModuleNotFoundError as missing:
        if not is_dependency(missing.name or ""):
            raise
        stop(*missing_sentences(missing.name or ""))


def is_dependency(module_name: str) -> bool:
    """Whether a module that could not be imported is someone else's: not ours, not Python's own."""
    first_name = module_name.split(".")[0]
    return first_name not in ("", "app") and first_name not in sys.stdlib_module_names


def missing_sentences(module_name: str) -> Tuple[str, str]:  # noqa: UP006
    """What to say, and what to type, where a package that Daemon needs is not installed."""
    return (
        f"The Python package {module_name!r} is not installed for {sys.executable}.",
        f"Activate the virtual environment (source {environment_here()}/bin/activate), or install what is"
        " needed: pip install -r requirements.txt",
    )


def environment_here() -> str:
    """Return the folder of the virtual environment that is here: that of `make run`, or of the old guide."""
    return next((name for name in (".venv", "venv") if os.path.isdir(name)), ".venv")  # noqa: PTH112 as above


def stop(sentence: str, hint: str) -> NoReturn:
    sys.stderr.write(f"Error: {sentence}\n{hint}\n")
    raise SystemExit(EXIT_CANNOT_START)
