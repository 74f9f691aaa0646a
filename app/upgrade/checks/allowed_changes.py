"""Allowed changes. What may the steps of one plan add and change, by their contracts?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from app.storage.schema import Schema, folded
from app.upgrade.legacy.switches import READ_SWITCH
from app.upgrade.legacy.table_forms import get_form
from app.upgrade.model import Plan, Step
from app.upgrade.versions.contracts import Contract, How, contract_of
from app.upgrade.versions.expected_schema import schema_at
from app.upgrade.versions.releases import NEWEST_UNMARKED, version_key

HISTORY, KEPT = "database_versions", "kept_values"  # anyone who runs the steps writes to these


@dataclass(frozen=True)
class Allowed:
    """All names are folded and as `names_in` gives them: "table", "table.column", "index", "view name".

    ``drops`` are indexes that go. ``renamed`` leads from what of the owner has to make room to the new name;
    ``adopted`` are the tables that get another form or are mended: what is in them is compared elsewhere.
    ``history_lines`` is how many lines are written to the history.
    """

    adds: frozenset[str] = frozenset()
    grows: frozenset[str] = frozenset()
    changes: Mapping[str, How] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    adopted: frozenset[str] = frozenset()
    history_lines: int = 0
    is_migration: bool = False
    drops: frozenset[str] = frozenset()

    def may_grow(self, table: str) -> bool:
        """Whether rows may be added to a table that was there before."""
        return (
            table in self.grows
            or table == HISTORY
            or (table == KEPT and bool(self.adopted | {*self.renamed} or "switched" in self.changes.values()))
        )

    def how(self, table: str, column: str) -> How | None:
        """How the values of a column may change; None where they may not."""
        return self.changes.get(f"{folded(table)}.{folded(column)}")


def allowed_by(plan: Plan) -> Allowed:
    """Return what the steps of ``plan`` may do. Raises ContractBroken for a step without a contract."""
    contracts = contracts_of(plan.steps)
    adopted = _adopted(plan)
    adds = {name for contract in contracts for name in contract.adds}
    if adopted:  # what is adopted or mended gets the whole form that it should have
        sheets = {plan.current.sheet, NEWEST_UNMARKED}
        adds |= {name for version in sheets for name in names_in(schema_at(version))}
    migrations = sum(step.kind == "migrate" for step in plan.steps)
    return Allowed(
        frozenset(folded(name) for name in adds),
        frozenset().union(*(contract.grows for contract in contracts)),
        {name: how for contract in contracts for name, how in contract.changes.items()} | _switched(plan),
        dict(_renames(plan)),
        adopted,
        migrations or int(bool(plan.steps)),
        is_migration=migrations > 0,
        drops=frozenset().union(*(contract.drops for contract in contracts)),
    )


def contracts_of(steps: tuple[Step, ...]) -> tuple[Contract, ...]:
    """Return the contracts of the steps that have one: adoptions and mending are held to the sheets."""
    return tuple(contract_of(step.id) for step in steps if step.kind == "migrate")


def _switched(plan: Plan) -> dict[str, How]:
    """Return the columns whose texts are read as on or off."""
    return {
        step.id.removeprefix(READ_SWITCH): "switched"
        for step in plan.steps
        if step.id.startswith(READ_SWITCH)
    }


def names_in(schema: Schema) -> Iterator[str]:
    """Yield the name of every table, column ("table.column"), index, trigger ("trigger name") and view."""
    for table, found in schema.tables.items():
        yield table
        yield from (f"{table}.{column}" for column in found.columns)
    yield from schema.indexes
    yield from (f"trigger {name}" for name in schema.triggers)
    yield from (f"view {name}" for name in schema.views)


def _adopted(plan: Plan) -> frozenset[str]:
    """Return the tables that a step gives another form: those of an odd one, and those that are mended."""
    mended = {step.id.partition(":")[2] for step in plan.steps if step.kind == "repair"}
    shapes = {step.id for step in plan.steps if step.kind == "adopt"}
    return frozenset(mended | {table for table in plan.current.variants if _shape(plan, table) in shapes})


def _shape(plan: Plan, table: str) -> str | None:
    try:
        return get_form(table, plan.current.variants[table], plan.current.sheet).shape
    except KeyError:
        return None


def _renames(plan: Plan) -> Iterator[tuple[str, str]]:
    for taken in plan.current.taken:
        if version_key(taken.since) <= version_key(plan.target):
            place = {"column": f"{folded(taken.table)}.", "view": "view "}.get(taken.what, "")
            yield place + folded(taken.name), place + folded(taken.new_name)
