"""Step contract. What may a step add, fill and change, what does it need first, and what is its way down?

A step says it in its own file, under the name CONTRACT, in plain values and no calls: so it can be read
without running the step, and the step's hash covers it. All of these keys stand there, empty or not:

    adds      names of tables and indexes, and "table.column", that it makes where they are missing
    grows     tables that it puts rows into; what was there stays as it was
    changes   "table.column": how its values may change. "filled": what was NULL only; "raised": numbers, and
              upwards; "set": anything
    needs     sentence: a SELECT of rows that must not be there, or the step is not begun
    down      of each table and column that it adds: "kept" (a rollback keeps its values as JSON, and the next
              upgrade brings them back) or "derived" (the step finds them out again from the rest)
    withheld  table: which rows the older version could not protect, as a condition of SQL on one row `t` of
              it; a rollback leaves no such row behind that was written here
    readable  "table.column": which values the older version can read, as a condition of SQL on the same

And one that stands only where it is needed:

    drops     names of indexes that it takes away: nothing is in them that is not in their table

Of several steps that are taken back at once, what any withholds is withheld, and readable is what every one
of them can read.

The four steps that were frozen before there were contracts have theirs in contracts_of_frozen.py.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from app.errors import Failed
from app.upgrade.versions import migrations
from app.upgrade.versions.contracts_of_frozen import CONTRACTS
from app.upgrade.versions.step_hash import parsed

How = Literal["filled", "raised", "set", "switched"]  # the last: of the step that reads texts in switches
WAYS_TO_CHANGE = ("filled", "raised", "set")
WAYS_DOWN = ("kept", "derived")
KEYS = ("adds", "grows", "changes", "needs", "down", "withheld", "readable")
DROPS = "drops"


class ContractBroken(Failed):
    """A step has no contract, or one that cannot be read. Nothing was begun."""

    code = "step_without_contract"


@dataclass(frozen=True)
class Contract:
    """What one step may do; see above. A column is named "table.column"."""

    adds: frozenset[str]
    grows: frozenset[str]
    changes: Mapping[str, How]
    needs: Mapping[str, str]
    down: Mapping[str, str]
    withheld: Mapping[str, str]
    readable: Mapping[str, str]
    drops: frozenset[str] = frozenset()


def step_path(revision: str) -> Path:
    """Return the file of a step. Raises Failed where it is not there."""
    for path in (Path(migrations.__path__[0]) / "versions").glob(f"{revision}_*.py"):
        return path
    raise Failed(f"There is no step {revision}.", hint="install the package again: it is not whole")


@cache
def contract_of(revision: str) -> Contract:
    """Return what a step says of itself. Raises ContractBroken where it says nothing, or not all of it."""
    said: dict[str, Any] | None = CONTRACTS.get(revision) or _said_in(step_path(revision))
    if said is None:
        raise ContractBroken(f"The step {revision} has no CONTRACT.")
    faults = _faults(said)
    if faults:
        raise ContractBroken(f"The contract of the step {revision} is not whole: {'; '.join(faults)}.")
    return Contract(
        adds=frozenset(said["adds"]),
        grows=frozenset(said["grows"]),
        changes=dict(said["changes"]),
        needs=dict(said["needs"]),
        down=dict(said["down"]),
        withheld=dict(said["withheld"]),
        readable=dict(said["readable"]),
        drops=frozenset(said.get(DROPS, ())),
    )


def _said_in(path: Path) -> dict[str, Any] | None:
    for node in parsed(path).body:
        if isinstance(node, ast.Assign) and [ast.unparse(name) for name in node.targets] == ["CONTRACT"]:
            try:
                said = ast.literal_eval(node.value)
            except ValueError as error:
                raise ContractBroken(
                    f"The CONTRACT in {path.name} is not of plain values: {error}."
                ) from error
            return said if isinstance(said, dict) else {}
    return None


def _faults(said: Mapping[str, Any]) -> list[str]:
    missing, unknown = set(KEYS) - set(said), set(said) - {*KEYS, DROPS}
    if missing or unknown:
        return [
            f"{word} {', '.join(sorted(names))}"
            for word, names in (("missing", missing), ("unknown", unknown))
            if names
        ]
    changes, down = said["changes"], said["down"]
    added = {name for name in said["adds"] if not name.startswith("ix_")}
    return [
        *(f"{column} changes {how!r}" for column, how in changes.items() if how not in WAYS_TO_CHANGE),
        *(f"{name} goes down {way!r}" for name, way in down.items() if way not in WAYS_DOWN),
        *(f"no way down for {name}" for name in sorted(added - set(down))),
        *(f"{name} is dropped, and no index" for name in said.get(DROPS, ()) if not name.startswith("ix_")),
    ]
