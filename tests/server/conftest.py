"""What do the tests of the server stand on? The same installations as those of the web door."""

from tests.web.conftest import (
    _refusals_do_not_wait,
    fresh_database,
    serve,
    settings,
    site,
    start_server,
    unclaimed,
)

__all__ = [
    "_refusals_do_not_wait",
    "fresh_database",
    "serve",
    "settings",
    "site",
    "start_server",
    "unclaimed",
]
