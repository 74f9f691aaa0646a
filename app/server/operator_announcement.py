"""Operator token on the console. How does who runs the machine get to check and upgrade in a browser?"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

from app import clock, log_lines
from app.typed_commands import in_log

if TYPE_CHECKING:
    from app.server.operator_token import OperatorToken
    from app.settings import Settings

TEXT = """
The database is not served as it is. Whoever runs this machine can check it, upgrade it and roll it back in a
browser, with this token, which is good once and for an hour:

  http://localhost:%d/manage/waiting
  operator token: %s
  (also in %s)

  or, on this machine: daemon upgrade check

"""


class OperatorAnnouncement:
    """Prints the token while the server waits, once for as long as it is the same; never through the log."""

    def __init__(self, settings: Settings, token: OperatorToken) -> None:
        self._settings = settings
        self._token = token
        self._printed = ""

    def see_to_it(self) -> None:
        """Print the token, which is made where there is none; nothing where it was used."""
        token = self._token.see_to_it(clock.now())
        if not token or token == self._printed:
            return
        log_lines.keep_secret(token)
        self._printed = token
        with contextlib.suppress(OSError, ValueError):  # a console that is gone
            sys.stdout.write(in_log(TEXT % (self._settings.port, token, self._settings.operator_path)))
            sys.stdout.flush()
