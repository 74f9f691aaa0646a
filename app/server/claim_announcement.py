"""Claim token on the console. How does an owner learn the one-time token for the first account?"""

from __future__ import annotations

import contextlib
import sys

from app import log, log_lines
from app.accounts import claim
from app.settings import Settings
from app.typed_commands import in_log

CLAIM_TEXT = """
This installation has no account yet. Its first one is made in a browser, with this link, which is good once:

  http://localhost:%d/manage/claim?token=%s

  (the claim token is what stands behind "token="; it is in %s, too)

  or without a browser:

  curl http://localhost:%d/auth/register -H 'Content-Type: application/json' \\
    -d '{"username": "...", "email": "...", "password": "...", "claim_token": "..."}'

  or, on this machine: daemon user create NAME --admin

"""

_log = log.get_logger(__name__)


class ClaimAnnouncement:
    """Prints the token, once for as long as it is the same; it never goes through the log."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._printed = ""

    def print_once(self) -> None:
        """Print the token, which is made where there is none."""
        try:
            token = claim.claim_token(self._settings)
        except OSError as error:
            _log.warning("The claim token cannot be kept.", extra={"why": error.strerror})
            return
        log_lines.keep_secret(token)
        if token != self._printed:
            self._printed = token
            with contextlib.suppress(OSError, ValueError):  # a console that is gone
                port, path = self._settings.port, self._settings.claim_path
                sys.stdout.write(in_log(CLAIM_TEXT % (port, token, path, port)))
                sys.stdout.flush()
