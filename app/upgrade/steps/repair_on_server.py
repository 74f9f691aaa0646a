"""Repair on a server. How does a drifted table there get back what is missing: itself, or its indexes?"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from app.errors import Failed
from app.storage.schema import folded, quoted
from app.upgrade.legacy.table_forms import ABSENT, table_of
from app.upgrade.versions.expected_schema import only, schema_at

if TYPE_CHECKING:
    from app.storage.types import ServerMigration
    from app.upgrade.model import Recognition


def mend_on_server(database: ServerMigration, table: str, known: Recognition) -> list[str]:
    """Make ``table`` or its indexes again; return what was done. Writes inside the caller's transaction.

    Raises Failed where a column or a rule differs, which no statement mends that is sure to keep every row;
    StorageError where the rows do not fit. Roll back then.
    """
    wanted = only(schema_at(str(known.sheet)), table)
    if known.variants[table] == ABSENT:
        database.make_schema(wanted)
        return [f"table {table} was missing and is made again, without rows"]
    found = [one for one in known.drift if table_of(one, known) == table]
    other = [f"{one.what} {one.name}" for one in found if one.what != "index"]
    if other:
        raise Failed(
            f"The table {table} differs in more than indexes ({', '.join(other)}), which is not mended on a"
            " server; nothing changed.",
            hint="daemon backup list",
        )
    for one in found:
        database.execute(f"DROP INDEX IF EXISTS {quoted(one.name)}")
    have = {folded(name) for name in database.schema().indexes}
    missing = {name: index for name, index in wanted.indexes.items() if folded(name) not in have}
    database.make_schema(replace(wanted, tables={}, indexes=missing))
    return [f"{one.what} {one.name}: mended" for one in found]
