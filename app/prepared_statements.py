"""Prepared statement. How are rows written and read at every request, without building the SQL each time?

SQLAlchemy compiles it once for each engine; after that the driver is handed the same text and the values.
What it costs to look a statement up, to dissect its parameters and to make a result of it is more than what
SQLite does with the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NamedTuple
from weakref import WeakSet

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Delete,
    Dialect,
    Insert,
    Select,
    Update,
    bindparam,
)
from sqlalchemy.exc import DBAPIError

from app.snapshot_memory import NOT_COUNTED, NOTED, RowChange, WrittenState, written_state

NOTHING: Mapping[str, Any] = {}
_Query = Select[Any] | CompoundSelect[Any]


class _Form(NamedTuple):
    """A statement as one engine is handed it."""

    text: str
    fixed: dict[str, Any]
    in_order: (
        Callable[[Mapping[str, Any]], tuple[Any, ...]] | None
    )  # where the driver takes them by their place
    processors: Mapping[str, Callable[[Any], Any]]  # what makes of a value what the driver takes
    asked: Mapping[str, Callable[[], Any]]  # values that are asked for where none is given
    is_plain: bool  # the driver is handed the values that are given, and no others

    def given(self, values: Mapping[str, Any]) -> Any:
        """What the driver is handed beside the text."""
        if self.is_plain and self.in_order is not None:
            try:
                return self.in_order(values)
            except KeyError:  # one that is left out is NULL
                pass
        given = {**self.fixed, **values}
        for name, ask in self.asked.items():
            if name not in values:
                given[name] = ask()
        for name, process in self.processors.items():
            given[name] = process(given[name])
        return given if self.in_order is None else self.in_order(given)


_statements: WeakSet[PreparedStatement] = WeakSet()


def compile_all(connection: Connection) -> None:
    """Compile what was not yet of all statements that write: for who will hold the lock for long anyhow."""
    for statement in list(_statements):
        statement._form_for(connection.dialect)


class PreparedStatement:
    """Writes rows of a table whose rows do not count for what is remembered (`snapshot_memory`)."""

    def __init__(self, statement: Insert | Update | Delete, *columns: str, unless_taken: str = "") -> None:
        """Of an insert or update each execution gives a value to each of ``columns``.

        One ``unless_taken`` writes nothing where a row has the value of that column, which is its key.
        """
        self._unless_taken = f" ON CONFLICT ({unless_taken}) DO NOTHING" if unless_taken else ""
        self._table = str(getattr(statement.table, "name", None))
        assert self._table in NOT_COUNTED
        self._statement = statement
        self._columns = list(columns) or None
        self._forms: dict[str, _Form] = {}
        _statements.add(self)

    def run(self, connection: Connection, values: Mapping[str, Any] = NOTHING) -> Any:
        """Write, and return what RETURNING gives, if anything; raises what SQLAlchemy would.

        Without it return how many rows were written.
        """
        form = self._form_for(connection.dialect)
        text, given = form.text, form.given(values)
        state = written_state(connection)
        counted = 0 if state is None else state.count()
        cursor = connection.connection.cursor()
        try:
            cursor.execute(text, given)
            found = cursor.fetchall() if self._statement._returning else None
            count = cursor.rowcount if found is None else len(found)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemy_has_it(connection.dialect, text, error) from error
        finally:
            cursor.close()
        if state is not None:
            state.leave_out(counted, count, self._noted(state, [values]))
        if found is None:
            return count
        return found[0][0] if found else None

    def run_all(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> int:
        """Write once with the values of each row, in their order; return how many rows were written.

        What the engine does is then nearly all that it takes. Raises what SQLAlchemy would.
        """
        if not rows:  # a driver says then that it was -1 rows
            return 0
        form = self._form_for(connection.dialect)
        given = [form.given(each) for each in rows]
        state = written_state(connection)
        counted = 0 if state is None else state.count()
        cursor = connection.connection.cursor()
        try:
            cursor.executemany(form.text, given)
            count = int(cursor.rowcount)
        except connection.dialect.loaded_dbapi.Error as error:
            raise _as_sqlalchemy_has_it(connection.dialect, form.text, error) from error
        finally:
            cursor.close()
        if state is not None:
            state.leave_out(counted, count, self._noted(state, rows))
        return count

    def _noted(self, state: WrittenState, rows: Sequence[Mapping[str, Any]]) -> list[RowChange]:
        if self._table not in NOTED:
            return []
        return [RowChange(self._table, each) for each in rows[: state.noted_most + 1]]

    def _form_for(self, dialect: Dialect) -> _Form:
        form = self._forms.get(dialect.name)
        if form is None:
            form = self._forms[dialect.name] = self._compiled(dialect)
        return form

    def _compiled(self, dialect: Dialect) -> _Form:
        form = _compiled(self._statement, self._columns, dialect)
        return form._replace(text=form.text + self._unless_taken)  # the two engines say it alike


class PreparedQuery:
    """Reads rows as the driver gives them, each when it is asked for."""

    def __init__(self, query: _Query) -> None:
        """No column of ``query`` may be of a type that SQLAlchemy makes something of."""
        self._query = query
        self._forms: dict[str, _Form] = {}

    def rows(
        self, connection: Connection, values: Mapping[str, Any] = NOTHING
    ) -> Generator[tuple[Any, ...], None, None]:
        """Yield the rows; raises what SQLAlchemy would."""
        dialect = connection.dialect
        form = self._forms.get(dialect.name)
        if form is None:
            form = self._forms[dialect.name] = self._compiled(dialect)
        text, given = form.text, form.given(values)
        cursor: Any = connection.connection.cursor()
        for notice in connection.dispatch.before_cursor_execute:  # whoever watches what is asked
            notice(connection, cursor, text, given, None, False)
        try:
            cursor.execute(text, given)
            yield from cursor
        except dialect.loaded_dbapi.Error as error:
            known = dialect.loaded_dbapi.Error
            raise DBAPIError.instance(text, None, error, known, hide_parameters=True) from error
        finally:
            cursor.close()

    def value(self, connection: Connection, values: Mapping[str, Any] = NOTHING) -> Any:
        """Return the first column of the first row, None where there is none."""
        found = list(self.rows(connection, values))
        return found[0][0] if found else None

    def _compiled(self, dialect: Dialect) -> _Form:
        for column in self._query.selected_columns:
            kind = column.type.dialect_impl(dialect)
            assert kind.result_processor(dialect, None) is None, (
                "these values come from the driver as they are"
            )
        return _compiled(self._query, None, dialect)


class PreparedLookup:
    """Reads the rows of which a column is one of many values, some hundreds at a time."""

    AT_ONCE = 500

    def __init__(self, query: Select[Any], column: ColumnElement[Any]) -> None:
        """``query`` may have other parameters. Its text is the same however many are looked for."""
        self._names = [f"one_of_{number}" for number in range(self.AT_ONCE)]
        wanted = [bindparam(name, type_=column.type) for name in self._names]
        self._query = PreparedQuery(query.where(column.in_(wanted)))

    def rows(
        self, connection: Connection, wanted: Sequence[Any], values: Mapping[str, Any] = NOTHING
    ) -> Generator[tuple[Any, ...], None, None]:
        """Yield the rows, in no order; raises what SQLAlchemy would."""
        for begin in range(0, len(wanted), self.AT_ONCE):
            some = list(wanted[begin : begin + self.AT_ONCE])
            some += some[-1:] * (self.AT_ONCE - len(some))  # one that is named again changes nothing
            said = dict(zip(self._names, some, strict=True))
            yield from self._query.rows(connection, {**values, **said})


def _as_sqlalchemy_has_it(dialect: Dialect, text: str, error: Exception) -> DBAPIError:
    known: Any = dialect.loaded_dbapi.Error
    return DBAPIError.instance(text, None, error, known, hide_parameters=True)  # type: ignore[return-value]


@lru_cache(maxsize=512)
def prepared(query: Select[Any]) -> PreparedQuery:
    """Return what reads the rows of a query, the same for the same one."""
    return PreparedQuery(query)


def _compiled(
    statement: Insert | Update | Delete | _Query,
    columns: list[str] | None,
    dialect: Dialect,
) -> _Form:
    made: Any = statement.compile(dialect=dialect, column_keys=columns)
    in_order = None if made.positiontup is None else _in_order(tuple(made.positiontup))
    asked = {name: bound.callable for name, bound in made.binds.items() if bound.callable is not None}
    fixed, processors = dict(made.params), dict(made._bind_processors)
    own = [value for name, value in fixed.items() if value is not None and name not in (columns or ())]
    is_plain = not asked and not processors and not own
    return _Form(str(made), fixed, in_order, processors, asked, is_plain)


def _in_order(names: tuple[str, ...]) -> Callable[[Mapping[str, Any]], tuple[Any, ...]]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda given: tuple(given[name] for name in names)
