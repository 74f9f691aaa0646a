"""Errors, as people and programs see them: each with its code, exit status and HTTP status.

    DaemonError
    |-- UsageError            2   400   what was asked cannot be asked
    |   |-- UnknownLevel      2   400   no such privacy level
    |   |-- InvalidContent    2   422   the content does not fit its kind
    |   |-- KeyReused         2   422   an idempotency key was sent with another request
    |   `-- BulkRefused       2   422   of several entries one cannot be written, and none was
    |-- SettingsError         2   500   a setting has a value that cannot be used
    |-- NotFound              1   404   nothing of that name, or nothing that the asker may know of
    |-- Conflict              1   409   something of that name is there already
    |   `-- StillRunning      1   409   a request with the same idempotency key is being carried out
    |-- NotAuthenticated      1   401   no credential, or one that is not valid
    |   `-- SecondFactorNeeded 1  401   the password was right, and a code is needed, too
    |-- NotAllowed            1   403   the credential is valid and does not permit this
    |   `-- ConfirmationNeeded 1  403   it is permitted once the password has been typed again
    |   `-- AccountLeaving    1   403   the account leaves, and can come in to undo that only
    |   `-- QuotaReached      1   403   there is no room for more of this person's
    |-- TooMuch               1   429   too many tries; wait
    |-- TooLarge              1   413   the request is larger than the server takes
    |-- ProviderFailed        1   502   the provider of logins could not be asked
    |-- Failed                1   500   it failed; the database is as it was
    |-- DriftFound           11   503   the schema differs from every known one
    |   `-- UnusableSchema   11   503   a part of the schema cannot be used here
    |-- NewerDatabase        12   503   a newer Daemon wrote this database
    |-- UnknownDatabase      13   503   a database, but not one of a Daemon
    |-- Damaged              14   503   the file is damaged
    |-- Refused              15   503   space, permission or place does not allow it; nothing was started
    |   |-- LostVolume       15   503   the database is not where it was; another one was found
    |   |-- MovedDatabase    15  503   the database was moved elsewhere, and is not served from here
    |   `-- OtherInstallation 15  503   another installation's backup would take the place of people
    |-- Busy                 16   503   someone else holds the database
    |-- NotInstalled          1   501   what this needs is not installed here
    |-- SearchMissing         1   503   the database engine here has no full text search
    |-- FailedRestored       17   500   it failed after the commit; the backup was put back
    `-- OperatorNeeded       18   500   it failed and the backup could not be put back

The exit statuses are those of docs/upgrade_guide.md; a status that is not listed there means failure.
"""

from __future__ import annotations

EXIT_OK = 0
EXIT_UPGRADE_PENDING = 10
EXIT_INTERRUPTED = 130


class DaemonError(Exception):
    """An error that a person can act on.

    ``message`` says what happened and what state things are in, ``hint`` the next command to type (may be
    empty), ``details`` whatever a program may want (JSON values).
    """

    code = "error"
    exit_code = 1
    status = 500

    def __init__(self, message: str, *, hint: str = "", **details: object) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    def __reduce__(self) -> tuple[object, ...]:
        """Be the same error again in another process."""
        return _again, (type(self), self.message, self.hint, self.details)


def _again(kind: type[DaemonError], message: str, hint: str, details: dict[str, object]) -> DaemonError:
    return kind(message, hint=hint, **details)


class SaidToAnybody:
    """Beside an error of the server's: its message and hint may be heard by strangers as they are.

    They are the words of the code, without a path, a name or a count of the machine.
    """


class UsageError(DaemonError):
    """What was asked cannot be asked: an unknown name, a value out of range."""

    code = "usage"
    exit_code = 2
    status = 400


class UnknownLevel(UsageError):
    """The privacy level that was named does not exist."""

    code = "unknown_level"


class InvalidContent(UsageError):
    """The content does not fit its kind; ``details['errors']`` lists JSON Pointers and what is wrong."""

    code = "invalid_content"
    status = 422


class KeyReused(UsageError):
    """An idempotency key was sent with another request before; nothing was changed."""

    code = "idempotency_key_reused"
    status = 422


class BulkRefused(UsageError):
    """Of several entries one cannot be written, and none was; ``details['items']`` names what is wrong."""

    code = "bulk_refused"
    status = 422


class SettingsError(DaemonError):
    """A setting has a value that cannot be used; one sentence per fault."""

    code = "settings"
    exit_code = 2


class NotFound(DaemonError):
    """Nothing of that name, or nothing that the asker may know of."""

    code = "not_found"
    status = 404


class Conflict(DaemonError):
    """Something of that name is there already."""

    code = "conflict"
    status = 409


class StillRunning(Conflict):
    """A request with the same idempotency key is being carried out; wait for its answer."""

    code = "still_running"


class NotAuthenticated(DaemonError):
    """No credential, or one that is not valid."""

    code = "not_authenticated"
    status = 401


class SecondFactorNeeded(NotAuthenticated):
    """The password was right, and a code of the second factor is needed, too."""

    code = "second_factor_needed"


class NotAllowed(DaemonError):
    """The credential is valid and does not permit this."""

    code = "not_allowed"
    status = 403


class AccountLeaving(NotAllowed):
    """The account leaves, and comes in to undo that only (POST /auth/stay); the message says until when."""

    code = "account_leaving"


class ConfirmationNeeded(NotAllowed):
    """It is permitted once the password has been typed again: POST /auth/confirm."""

    code = "confirmation_needed"


class QuotaReached(NotAllowed):
    """There is no room for more of this person's: what a member may store is used up."""

    code = "quota_reached"


class TooMuch(DaemonError):
    """Too many tries; ``details['retry_after_seconds']`` says how long to wait."""

    code = "too_much"
    status = 429


class TooLarge(DaemonError):
    """The request is larger than the server takes."""

    code = "too_large"
    status = 413


class ProviderFailed(DaemonError):
    """The provider of logins could not be asked, or what it said is not what a provider says."""

    code = "provider_failed"
    status = 502


class Failed(DaemonError):
    """It failed, and the database is as it was."""

    code = "failed"


class DriftFound(DaemonError):
    """The schema is that of a Daemon, and differs from every known one."""

    code = "drift"
    exit_code = 11
    status = 503


class UnusableSchema(DriftFound):
    """A part of the schema is written for another SQLite; that the file is damaged is not proven."""

    code = "unusable_schema"


class NewerDatabase(DaemonError):
    """A newer Daemon than this one wrote the database."""

    code = "newer_database"
    exit_code = 12
    status = 503


class UnknownDatabase(DaemonError):
    """A database that is not one of a Daemon, or no database at all."""

    code = "unknown_database"
    exit_code = 13
    status = 503


class Damaged(DaemonError):
    """The file is damaged; nothing was changed."""

    code = "damaged"
    exit_code = 14
    status = 503


class Refused(DaemonError):
    """Space, permission or place does not allow it; nothing was started."""

    code = "refused"
    exit_code = 15
    status = 503


class LostVolume(Refused):
    """The configured database is not there, and another one was found nearby."""

    code = "lost_volume"


class MovedDatabase(Refused):
    """The database was moved elsewhere, or what is here is only a part of a move: it is not served."""

    code = "moved_database"


class OtherInstallation(Refused):
    """The backup is another installation's, and the database has people of its own."""

    code = "other_installation"


class Busy(DaemonError):
    """Someone else holds the database; nothing was changed."""

    code = "busy"
    exit_code = 16
    status = 503


class NotInstalled(DaemonError, SaidToAnybody):
    """What this needs is not installed here; the hint says what installs it."""

    code = "not_installed"
    status = 501


class SearchMissing(DaemonError):
    """The database engine of this machine was built without full text search."""

    code = "search_missing"
    status = 503


class FailedRestored(DaemonError):
    """It failed after the commit, and the backup was put back."""

    code = "failed_restored"
    exit_code = 17


class OperatorNeeded(DaemonError):
    """It failed and the backup could not be put back; the message says where both are."""

    code = "operator_needed"
    exit_code = 18
