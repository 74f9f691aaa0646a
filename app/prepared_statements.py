"""Prepared statement. How is a row written that every request writes, without building its SQL each time?

SQLAlchemy compiles it once for each engine; after that the driver is handed the same text and the values.
What it costs to look a statement up, to dissect its parameters and to make a result of it is more than what
SQLite does with the row.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, Dialect, Insert, Update
from sqlalchemy.exc import DBAPIError

from app.snapshot_memory import NOT_COUNTED, written_state

NOTHING: Mapping[str, Any] = {}
_Form = tuple[str, dict[str, Any], tuple[str, ...] | None]


class PreparedStatement:
    """Writes one row of a table whose rows do not count for what is remembered (`snapshot_memory`)."""

    def __init__(self, statement: Insert | Update, *columns: str) -> None:
        """Of an insert each execution gives a value to each of ``columns``."""
        assert getattr(statement.table, "name", None) in NOT_COUNTED
        self._statement = statement
        self._columns = list(columns) or None
        self._forms: dict[str, _Form] = {}

    def run(self, connection: Connection, values: Mapping[str, Any] = NOTHING) -> Any:
        """Write a row, and return what RETURNING gives, if anything; raises what SQLAlchemy would."""
        dialect = connection.dialect
        form = self._forms.get(dialect.name)
        if form is None:
            form = self._forms[dialect.name] = self._compiled(dialect)
        text, fixed, order = form
        given: Any = {**fixed, **values}
        if order is not None:
            given = [given[name] for name in order]
        state = written_state(connection)
        counted = 0 if state is None else state.count()
        cursor = connection.connection.cursor()
        try:
            cursor.execute(text, given)
            found = cursor.fetchall() if self._statement._returning else None
        except dialect.loaded_dbapi.Error as error:
            known = dialect.loaded_dbapi.Error
            raise DBAPIError.instance(text, None, error, known, hide_parameters=True) from error
        finally:
            cursor.close()
        if state is not None:
            state.leave_out(counted, 1)
        return found[0][0] if found else None

    def _compiled(self, dialect: Dialect) -> _Form:
        made: Any = self._statement.compile(dialect=dialect, column_keys=self._columns)
        assert not made._bind_processors, "these values go to the driver as they are"
        order = None if made.positiontup is None else tuple(made.positiontup)
        return str(made), dict(made.params), order
