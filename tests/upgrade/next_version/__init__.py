"""What would the next two versions be? Made up as docs/adding.md says it, in a copy of the application.

9.8.0 brings a table, a column, an index and a changed row; 9.9.0 a table, a column and a rule for the first
column. The owner has used some of these names already (`THE_OWNERS`).
"""

from __future__ import annotations

import compileall
import shutil
from pathlib import Path

from app.storage.fingerprint import fingerprint
from app.storage.registry import schema_from_sql
from app.upgrade.versions.releases import NEWEST, SCHEMA_VERSIONS, sheet_of
from tests.conftest import ROOT

VERSIONS = ("9.8.0", "9.9.0")
REVISIONS = ("9801", "9901")

STEPS = {
    "9801_v9_8_0_add_tags": f'''
"""What does 9.8.0 bring? Tags."""

import sqlalchemy as sa
from alembic import op

revision = "9801"
down_revision = "{SCHEMA_VERSIONS[-1].revision}"
CONTRACT = {{
    "adds": ("tags", "data_entries.note", "ix_tags_word"),
    "grows": (),
    "changes": {{"data_entries.note": "filled", "endpoints.description": "set"}},
    "needs": {{"every entry has an id": "SELECT endpoint_id FROM data_entries WHERE id IS NULL"}},
    "down": {{"tags": "kept", "data_entries.note": "kept"}},
    "withheld": {{}},
    "readable": {{}},
}}


def upgrade() -> None:
    op.create_table("tags", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("word", sa.String(40)))
    op.add_column("data_entries", sa.Column("note", sa.String(40)))
    op.create_index("ix_tags_word", "tags", ["word"])
    op.execute("UPDATE data_entries SET note = 'from 9.8.0' WHERE note IS NULL")
    op.execute("UPDATE endpoints SET description = 'Ideas, as of 9.8.0' WHERE name = 'ideas'")
''',
    "9901_v9_9_0_add_labels": '''
"""What does 9.9.0 bring? Labels."""

import sqlalchemy as sa
from alembic import op

revision = "9901"
down_revision = "9801"
CONTRACT = {
    "adds": ("labels", "users.label"),
    "grows": (),
    "changes": {"data_entries.note": "set"},
    "needs": {},
    "down": {"labels": "kept", "users.label": "kept"},
    "withheld": {},
    "readable": {},
}


def upgrade() -> None:
    op.create_table("labels", sa.Column("name", sa.String(40), primary_key=True))
    op.add_column("users", sa.Column("label", sa.String(40)))
    op.execute("UPDATE data_entries SET note = note || ', seen by 9.9.0' WHERE note = 'from 9.8.0'")
''',
}
_TAGS = """
CREATE TABLE tags (id INTEGER NOT NULL, word VARCHAR(40), PRIMARY KEY (id));
CREATE INDEX ix_tags_word ON tags (word);
"""
_LABELS = "CREATE TABLE labels (name VARCHAR(40) NOT NULL, PRIMARY KEY (name));\n"
_ROWS = """

RELEASES += (Release("9.8.0", "9.8.0"), Release("9.9.0", "9.9.0"))
NEWEST = "9.9.0"
SCHEMA_VERSIONS += (
    SchemaVersion("9.8.0", "9801", "add tags", "v9_8_0.sql", 980),
    SchemaVersion("9.9.0", "9901", "add labels", "v9_9_0.sql", 990),
)
FINGERPRINTS |= {fingerprints!r}
"""

# What an owner may have made under these names before anyone thought of the versions.
THE_OWNERS = (
    "CREATE TABLE tags (word TEXT PRIMARY KEY, colour TEXT)",
    "INSERT INTO tags VALUES ('garden', 'green'), ('work', 'grey')",
    "ALTER TABLE data_entries ADD COLUMN note TEXT",
    "UPDATE data_entries SET note = 'mine ' || id",
    "CREATE INDEX ix_tags_word ON data_entries (note)",
    "CREATE VIEW labels AS SELECT word FROM tags",
)


def make_application(folder: Path) -> Path:
    """Copy the application to ``folder`` and give it the two versions; return the folder."""
    shutil.copytree(ROOT / "app", folder / "app", ignore=shutil.ignore_patterns("__pycache__"))
    upgrade = folder / "app" / "upgrade"
    for name, text in STEPS.items():
        (upgrade / "versions" / "migrations" / "versions" / f"{name}.py").write_text(text.lstrip())
    sheets = _sheets()
    for version, sheet in sheets.items():
        (upgrade / "versions" / "schemas" / f"v{version.replace('.', '_')}.sql").write_text(sheet)
    hashes = {version: _fingerprint(sheet) for version, sheet in sheets.items()}
    with (upgrade / "versions" / "releases.py").open("a") as releases:
        releases.write(_ROWS.format(fingerprints=hashes))
    compileall.compile_dir(folder / "app", quiet=1)  # once, not in every process that runs it
    return folder


def _sheets() -> dict[str, str]:
    first = _with_column(sheet_of(NEWEST), "data_entries", "note VARCHAR(40)") + _TAGS
    return {"9.8.0": first, "9.9.0": _with_column(first, "users", "label VARCHAR(40)") + _LABELS}


def _with_column(sheet: str, table: str, column: str) -> str:
    head, begin, rest = sheet.partition(f"CREATE TABLE {table} (")
    columns, end, tail = rest.partition("    PRIMARY KEY")
    return f"{head}{begin}{columns}    {column},\n{end}{tail}"


def _fingerprint(sheet: str) -> str:
    schema = schema_from_sql(sheet)
    return fingerprint(schema, schema)
