"""Does every step do what it is for, always the same, and is what it inserts what it was?"""

from __future__ import annotations

import ast
import importlib.util
import json
import logging
import re
import shutil
import sqlite3
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy
from hypothesis import given, settings
from hypothesis import strategies as st

from app.entries import visibility as the_writers
from app.storage.fingerprint import fingerprint
from app.storage.registry import schema_from_sql, storage_at
from app.storage.sqlite.schema import schema_of
from app.tables import metadata
from app.upgrade.detect.recognise import recognise
from app.upgrade.legacy import shapes
from app.upgrade.model import Plan
from app.upgrade.steps.apply import apply, revisions, steps_hash
from app.upgrade.steps.steps import steps_between
from app.upgrade.versions import migrations
from app.upgrade.versions.releases import FINGERPRINTS, NEWEST, SCHEMA_VERSIONS, sheet_of
from app.upgrade.versions.step_hash import semantic_hash
from tests.upgrade.driving import fresh, look, reading, upgrade
from tests.upgrade.old_databases import NAMES, build
from tests.upgrade.old_databases.genuine import public_of
from tests.upgrade.places import contents, execute, value, without_history

VERSIONS = [row.version for row in SCHEMA_VERSIONS]
REVISIONS = [row.revision for row in SCHEMA_VERSIONS]
STEP_FILES = sorted(Path(migrations.__path__[0]).glob("versions/*.py"))
SHAPE_FILES = sorted(path for path in Path(shapes.__path__[0]).glob("*.py") if path.stem != "__init__")
FROZEN = (*STEP_FILES, *SHAPE_FILES)

UPGRADING = [
    name
    for name in NAMES
    if not name.startswith(("damaged", "foreign", "newer", "drift"))
    and name not in ("zero_bytes", "text_file", "no_tables", "claim_9_9_9")
]

# What each frozen file does. A released step is never edited: a change of what it does needs a new step.
HASHES = {
    "0001_v0_1_0_create_core_tables": "583c17b728d819cca8f8d4b72753aa14a1198fdd6e5d5a63432db5a01b29a490",
    "0002_v0_2_0_add_privacy": "707ee9c71a9da5251c82bd459e0ee21bd2d48b52e8799ccdbbc407524462fdfd",
    "0003_v0_3_0_settle": "451585d2c664271bee0da4370b8f238ce5e95eadac76f0a6fd9be2c98d7f57fb",
    "0004_v0_4_0_add_access_control": "542a8ccbbbfacfe3f547d8fecffeee0e7c199647d2ad45d1f2120b8bf1051192",
    "0005_v0_5_0_add_findings": "0feae149f7bb00447f4e25d6f3cd0ce511b503a26b92daeefb0c2f9caf4daf41",
    "0006_v0_6_0_add_order_and_slugs": "f90cbb951a488f3e16db84138cf4d24c24635ea6789eed590f7a9b558b01ddf0",
    "0007_v0_7_0_add_publishing": "8bbb0e0022dd2705c532dd94f9bff657d7aa97bf68dee8b603425c32de7363ee",
    "0008_v0_8_0_add_pages_and_readers": "72f2779d1c466c90acb6315fdc72ce27b6e2b1420741e9a8aaaf42f8e588422e",
    "0009_v0_9_0_add_pictures_messages": "09dca33d34b8ff7880c7ab36ad619e10caaf21e38464fc5d4b6c70836fd57c56",
    "fourth_shape": "6094b3b93c3f58ded66ae770b97e6dba12eb662955e581d47d6e42da0fc25090",
    "names_taken": "9359abb6af3a9faebb8e237cabd511a29e2f81c1479790422571482ce8d2e345",
    "script_versions": "b487da5b3e48cf661c888fe8adcffad4d748d86fe4ed2cfecb71651a43c05850",
    "second_shape": "68cbaa77cf8827e151e87a5d31a26cadd37c6408980a62a736d668dd9b4dadb2",
    "third_shape": "b80f0c350bbb92582887f133b26b4fd41cab510e46c6ea4aaf5a1782be39d0fb",
}


def load(path: Path) -> ModuleType:
    """A step as a module, without Alembic around it."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PRIVACY_STEP = load(STEP_FILES[1])


def canonical_fingerprint(connection: sqlite3.Connection) -> str:
    return fingerprint(schema_of(connection), schema_from_sql(sheet_of(NEWEST)))


# -- where they lead -----------------------------------------------------------------------------------------


def test_every_step_from_zero_makes_what_todays_tables_say(tmp_path: Path) -> None:
    path = fresh(tmp_path / "new.db")
    engine = sqlalchemy.create_engine("sqlite://")
    with reading(path) as made, engine.connect() as connection:
        metadata.create_all(connection)
        driver = connection.connection.driver_connection
        assert isinstance(driver, sqlite3.Connection)
        sheet = schema_of(driver)
        assert fingerprint(schema_of(made), sheet) == fingerprint(sheet, sheet)
        assert canonical_fingerprint(made) == canonical_fingerprint(driver) == FINGERPRINTS[NEWEST]
    engine.dispose()


def test_the_first_step_makes_the_guides_0_1(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    path.touch()
    upgrade(path, "0.1.0")
    sheet = schema_from_sql(sheet_of("0.1.0"))
    with reading(path) as connection:
        assert schema_of(connection) == sheet
    known = look(path)
    assert (known.recorded, known.exact) == ("0.1.0", True)
    upgrade(path)
    with reading(path) as connection:
        assert canonical_fingerprint(connection) == FINGERPRINTS[NEWEST]
        versions = connection.execute(
            "SELECT version, from_version FROM database_versions ORDER BY id"
        ).fetchall()
    assert versions == list(zip(VERSIONS[1:], VERSIONS, strict=False))


@pytest.mark.sweep
@pytest.mark.parametrize("name", UPGRADING)
def test_a_generated_database_becomes_what_a_fresh_one_is(name: str, tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    facts = build(name, path)
    upgrade(path)
    known = look(path)
    assert (known.recorded, known.exact, known.drift) == (NEWEST, True, ())
    with reading(path) as connection:
        assert canonical_fingerprint(connection) == FINGERPRINTS[NEWEST]
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert len(connection.execute("PRAGMA foreign_key_check").fetchall()) <= facts.orphans
        assert connection.execute("PRAGMA journal_mode").fetchone() == (facts.journal_mode,)
        header = [
            connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("application_id", "user_version")
        ]
        assert header == [0x446D6E31, SCHEMA_VERSIONS[-1].user_version]
        assert public_ids(connection) == facts.public_ids
        accounts = connection.execute("SELECT count(*) FROM users").fetchone()[0]
        settings_rows = connection.execute(
            "SELECT count(*) FROM users JOIN user_privacy_settings ON user_id = id"
        ).fetchone()[0]
        assert settings_rows == accounts
        assert connection.execute("SELECT count(*) FROM data_privacy_rules").fetchone()[0] > 0
        assert (
            connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").fetchone()
            is None
        )


PUBLIC = """
    SELECT u.username, e.name, d.id FROM data_entries d
    JOIN endpoints e ON e.id = d.endpoint_id AND e.is_public = 1 AND e.is_active = 1
    JOIN users u ON u.id = d.created_by_id AND u.is_active = 1
    WHERE d.is_active = 1 AND d.visibility = 'public'
"""


def public_ids(connection: sqlite3.Connection) -> dict[tuple[str, str], frozenset[int]]:
    found: dict[tuple[str, str], set[int]] = {}
    for username, kind, number in connection.execute(PUBLIC):
        found.setdefault((username, kind), set()).add(number)
    return {place: frozenset(ids) for place, ids in found.items()}


def test_of_a_genuine_one_what_is_public_was_read_off_by_hand(legacy_database: Path, tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    shutil.copyfile(legacy_database, path)
    upgrade(path)
    with reading(path) as connection:
        names = dict(connection.execute("SELECT id, username FROM users").fetchall())
        by_hand = {(names[user], kind): ids for (user, kind), ids in public_of(legacy_database.stem).items()}
        assert public_ids(connection) == by_hand


@pytest.mark.parametrize(
    "name", ["layout_a", "second_shape", "third_shape", "fourth_shape", "orphans", "odd_texts"]
)
def test_a_second_run_and_a_detour_change_nothing(name: str, tmp_path: Path) -> None:
    straight, detour = tmp_path / "straight.db", tmp_path / "detour.db"
    build(name, straight)
    build(name, detour)
    upgrade(straight)
    upgrade(detour, "0.2.0")
    assert look(detour).recorded == "0.2.0"
    assert value(detour, "PRAGMA user_version") == 200
    assert [applied.step.id for applied in upgrade(detour)] == REVISIONS[2:]
    assert upgrade(straight) == ()
    assert without_times(straight) == without_times(detour)


@pytest.mark.parametrize("name", ["layout_b", "second_shape"])
def test_run_again_a_step_adds_nothing(name: str, tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    build(name, path)
    upgrade(path)
    before = without_history(contents(path))
    execute(path, "DELETE FROM database_versions WHERE is_claim = 0")
    assert [applied.step.id for applied in upgrade(path)] == REVISIONS[1:]
    assert without_history(contents(path)) == before


def without_times(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """The tables but for the history, with every moment that may be of this test made the same."""
    moment = re.compile(rb"20\d\d-\d\d-\d\d \d\d:\d\d:\d\d")
    found = without_history(contents(path))
    return {
        table: sorted(
            (
                tuple(
                    "a moment" if isinstance(cell, bytes) and moment.fullmatch(cell) else cell for cell in row
                )
                for row in rows
            ),
            key=repr,
        )
        for table, rows in found.items()
    }


# -- what they insert ----------------------------------------------------------------------------------------


def test_the_kinds_are_those_of_the_old_releases(legacy_database: Path) -> None:
    if legacy_database.stem not in ("v0.2.2", "v0.3.0"):
        return
    with reading(legacy_database) as connection:
        rows = connection.execute(
            "SELECT name, description, schema FROM endpoints WHERE id <= 33 ORDER BY id"
        )
        genuine = rows.fetchall()
    ours = [(name, text, json.dumps(PRIVACY_STEP.kind_schema(name))) for name, text in PRIVACY_STEP.KINDS]
    assert ours == genuine


def test_the_rules_are_those_of_the_old_script(legacy_database: Path) -> None:
    if legacy_database.stem != "v0.2-script":
        return
    with reading(legacy_database) as connection:
        rows = connection.execute(
            "SELECT field_name, pattern, privacy_level FROM data_privacy_rules ORDER BY id"
        )
        assert list(PRIVACY_STEP.RULES) == rows.fetchall()


def test_a_fresh_database_has_33_kinds_and_14_rules(tmp_path: Path) -> None:
    with reading(fresh(tmp_path / "new.db")) as connection:
        kinds = connection.execute(
            "SELECT id, name, is_active, is_public, created_by_id FROM endpoints"
        ).fetchall()
        rules = connection.execute(
            "SELECT field_name, privacy_level FROM data_privacy_rules WHERE is_active = 1"
        )
        assert len(rules.fetchall()) == 14
    assert kinds == [(n, kind, 1, 1, None) for n, (kind, _) in enumerate(PRIVACY_STEP.KINDS, start=1)]
    assert len(kinds) == 33


def test_new_ids_are_above_every_id_that_was_ever_named(tmp_path: Path) -> None:
    build("ids_named_high", tmp_path / "old.db")
    upgrade(tmp_path / "old.db")
    with reading(tmp_path / "old.db") as connection:
        kinds = connection.execute("SELECT min(id), count(*) FROM endpoints WHERE id > 11").fetchone()
        rules = connection.execute("SELECT min(id) FROM data_privacy_rules").fetchone()
    assert kinds == (701, 25)
    assert rules == (91,)


def test_a_person_without_settings_gets_those_of_a_new_one(tmp_path: Path) -> None:
    build("settings_missing", tmp_path / "old.db")
    upgrade(tmp_path / "old.db")
    with reading(tmp_path / "old.db") as connection:
        rows = connection.execute(
            "SELECT user_id, show_contact_info, show_location, show_current_company, show_salary_range,"
            " show_education_details, show_personal_projects, business_card_mode, ai_assistant_access,"
            " custom_privacy_rules, privacy_level FROM user_privacy_settings"
        ).fetchall()
    assert rows == [(user, 1, 1, 1, 0, 1, 1, 0, 1, "{}", None) for user in (1, 2, 3)]


def test_rules_that_are_there_stay_alone(tmp_path: Path) -> None:
    build("rules_of_ones_own", tmp_path / "old.db")
    upgrade(tmp_path / "old.db")
    with reading(tmp_path / "old.db") as connection:
        rows = connection.execute("SELECT * FROM data_privacy_rules").fetchall()
    assert [row[:5] for row in rows] == [
        (3, "resume", "contact.phone", "public_full", 1),
        (4, "ideas", "content", None, 0),
        (5, "*", "summary", "nonsense", 1),
    ]


def test_each_step_leaves_a_line_of_history(tmp_path: Path) -> None:
    build("validation_status", tmp_path / "old.db")
    storage = storage_at(tmp_path / "old.db")
    with storage.migration_connection() as migration:
        known = recognise(migration)
        plan = Plan(known, NEWEST, steps_between(known, NEWEST))
        apply(migration, known, plan, backup_file="b.db", started_at="2026-01-02 03:04:05")
        migration.commit_durably()
    with reading(tmp_path / "old.db") as connection:
        connection.row_factory = sqlite3.Row
        rows = [dict(row) for row in connection.execute("SELECT * FROM database_versions ORDER BY id")]
    assert [(row["version"], row["is_claim"], row["outcome"]) for row in rows] == [
        ("0.2.2", 1, None),
        ("0.3.0", 1, None),
        *((version, 0, "done") for version in VERSIONS[1:]),
    ]
    last = rows[-1]
    assert (last["from_version"], last["started_at"], last["backup_file"]) == (
        VERSIONS[-2],
        "2026-01-02 03:04:05",
        "b.db",
    )
    assert (last["migration_script"], last["steps_hash"]) == (
        STEP_FILES[-1].stem,
        steps_hash(SCHEMA_VERSIONS[-1].revision),
    )
    assert isinstance(last["duration_ms"], int)


# -- visibility ----------------------------------------------------------------------------------------------

KEYS = [
    "meta",
    "visibility",
    "title",
    "m\\u0065ta",
    "\\u0076isibility",
    "visibilit\\u0079",
    "META",
    'a\\"visibility\\"',
]
WORDS = ["public", "private", "unlisted", "Public", "", "pu\\u0062lic", "meta", "visibility"]
scalars = st.sampled_from(
    [f'"{word}"' for word in WORDS] + ["null", "1", "true", "NaN", "-Infinity", '"\\ud83d"']
)
gaps = st.sampled_from(["", " ", "\n"])


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    pairs = st.tuples(st.sampled_from(KEYS), gaps, inner).map(
        lambda pair: f'"{pair[0]}"{pair[1]}:{pair[1]}{pair[2]}'
    )
    return st.lists(pairs, max_size=4).map(lambda found: "{" + ",".join(found) + "}")


lists = st.lists(scalars, max_size=3).map(lambda found: "[" + ",".join(found) + "]")
documents = st.one_of(
    objects(st.one_of(scalars, lists, objects(scalars))),
    scalars,
    lists,
    st.integers(380, 420).map(lambda depth: "[" * depth + "]" * depth),
    st.text(max_size=20),
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    text = draw(documents)
    if draw(st.integers(0, 5)) == 0:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(['"', "\\", "}", ",", "\0", "\x01", "[", "é"])) + text[at:]
    return text


@settings(max_examples=150, deadline=None)
@given(
    st.lists(damaged(), min_size=1, max_size=20),
    st.sampled_from(["ideas", "contacts", "contact_info", "own"]),
)
def test_sql_and_python_and_the_writer_say_the_same(texts: list[str], kind: str) -> None:
    """Where SQL decides, it decides as the rule does; and the writer's rule is the step's."""
    default = {"ideas": "public", "contacts": "private", "contact_info": "unlisted", "own": "public"}[kind]
    with reading(Path(":memory:")) as connection:
        connection.executescript(sheet_of(NEWEST))
        connection.execute(
            "INSERT INTO endpoints (id, name, schema, is_public) VALUES (1, ?, '{}', 1)", (kind,)
        )
        usable = [text for text in texts if text.isprintable() or "\0" in text or "\n" in text]
        connection.executemany(
            "INSERT INTO data_entries (endpoint_id, data) VALUES (1, ?)", [(t,) for t in usable]
        )
        found = connection.execute(
            f"SELECT {PRIVACY_STEP.VISIBILITY}, {PRIVACY_STEP.DEFAULT}, CAST(data AS BLOB) FROM data_entries"
        ).fetchall()
    for said, by_default, raw in found:
        assert by_default == default
        ruled = PRIVACY_STEP.visibility_of(raw, default)
        assert said in ("?", ruled), raw
        assert the_writers.visibility_of(raw.decode(), default) == ruled, raw


def test_usual_entries_are_decided_in_sql(tmp_path: Path) -> None:
    """What the old servers wrote never needs Python: 200,000 of them must be cheap."""
    build("layout_b", tmp_path / "old.db")
    upgrade(tmp_path / "old.db")
    with reading(tmp_path / "old.db") as connection:
        marked = connection.execute(f"SELECT id FROM data_entries WHERE {PRIVACY_STEP.VISIBILITY} = '?'")
        assert marked.fetchall() == [(6,)], "the one that says it twice, at the top and in meta"


# -- how they are written ------------------------------------------------------------------------------------


def test_a_frozen_file_does_what_it_did() -> None:
    """Comments and form may change; what a step does may not: databases out there went through it."""
    assert {path.stem: semantic_hash(path) for path in FROZEN} == HASHES


def test_the_hash_is_of_what_is_done_and_not_of_how_it_is_written(tmp_path: Path) -> None:
    def hashed(text: str) -> str:
        (tmp_path / "step.py").write_text(text)
        return semantic_hash(tmp_path / "step.py")

    plain = hashed("def f():\n    return 'a'\n")
    assert (
        hashed('"""What?"""\n\n\ndef f():  # why\n    """Does."""\n    return (\n        "a"\n    )\n')
        == plain
    )
    assert hashed("def f():\n    return 'b'\n") != plain
    assert hashed("def f():\n    'a'\n    return 'a'\n    f()\n") != plain


def test_the_steps_are_in_the_order_of_the_releases() -> None:
    found = revisions()
    assert [script.revision for script in found] == [row.revision for row in SCHEMA_VERSIONS]
    for script, row in zip(found, SCHEMA_VERSIONS, strict=True):
        assert (row.version, row.title) == (script.module.VERSION, script.module.TITLE)
        name = Path(script.path).name
        assert name.startswith(f"{row.revision}_v{row.version.replace('.', '_')}_")


FORBIDDEN_CALLS = {"batch_alter_table", "autocommit_block", "executescript", "commit", "rollback", "begin"}
FORBIDDEN_SQL = re.compile(
    r"\A\s*(COMMIT|END|ROLLBACK|BEGIN|SAVEPOINT|RELEASE|VACUUM|ATTACH|DETACH)\b|journal_mode|foreign_keys|synchronous",
    re.IGNORECASE,
)


def faults_of(text: str) -> list[str]:
    """What a frozen file may not do: end its transaction, weaken it, or depend on the rest of the project."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            found += [name] if name in FORBIDDEN_CALLS else []
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found += FORBIDDEN_SQL.findall(node.value)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names = (
                [node.module or "."] if isinstance(node, ast.ImportFrom) else [one.name for one in node.names]
            )
            found += [name for name in names if name.split(".")[0] not in ALLOWED_IMPORTS]
            found += ["."] if isinstance(node, ast.ImportFrom) and node.level else []
    return found


ALLOWED_IMPORTS = {"__future__", "alembic", "collections", "json", "re", "sqlalchemy", "sqlite3", "typing"}


@pytest.mark.parametrize("path", FROZEN, ids=lambda path: path.stem)
def test_no_frozen_file_leaves_its_transaction_or_its_time(path: Path) -> None:
    assert faults_of(path.read_text()) == []


@pytest.mark.parametrize(
    "text",
    [
        "with op.batch_alter_table('users'): pass",
        "with context.autocommit_block(): pass",
        "bind.connection.executescript('x')",
        "bind.commit()",
        "bind.exec_driver_sql('COMMIT')",
        "op.execute('begin immediate')",
        "op.execute('VACUUM')",
        "op.execute('ATTACH ? AS b')",
        "op.execute('PRAGMA journal_mode=WAL')",
        "op.execute('PRAGMA foreign_keys=ON')",
        "from app.settings import Settings",
        "from . import other",
        "import os",
    ],
)
def test_that_lint_finds_what_it_is_for(text: str) -> None:
    assert faults_of(text) != []


def test_alembic_is_imported_by_one_file_only(root: Path) -> None:
    users = [
        path
        for path in (root / "app").rglob("*.py")
        if re.search(r"^\s*(import|from) alembic", path.read_text(), re.MULTILINE)
    ]
    assert {str(path.relative_to(root / "app")) for path in users if path not in STEP_FILES} == {
        "upgrade/steps/apply.py"
    }


def test_alembic_never_assumes_that_ddl_needs_no_transaction(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, logger="alembic"):
        fresh(tmp_path / "new.db")
    assert not [record for record in caplog.records if "non-transactional" in record.getMessage()]
