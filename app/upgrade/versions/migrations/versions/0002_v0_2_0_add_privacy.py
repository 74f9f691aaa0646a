"""How does a 0.1.0 database get its privacy? Settings, rules, the 33 kinds, each entry's visibility.

Every part adds only what is missing, so that the step also completes a database that has some of it.
What it inserts is a frozen copy: it must mean the same in ten years.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from alembic import op
from sqlalchemy import Connection

revision = "0002"
down_revision = "0001"
VERSION = "0.2.0"
TITLE = "add privacy settings, rules, the 33 kinds and each entry's visibility"

TABLES = (
    """
    CREATE TABLE IF NOT EXISTS user_privacy_settings (
        user_id INTEGER NOT NULL,
        show_contact_info BOOLEAN,
        show_location BOOLEAN,
        show_current_company BOOLEAN,
        show_salary_range BOOLEAN,
        show_education_details BOOLEAN,
        show_personal_projects BOOLEAN,
        business_card_mode BOOLEAN,
        ai_assistant_access BOOLEAN,
        custom_privacy_rules JSON,
        created_at DATETIME DEFAULT (CURRENT_TIMESTAMP),
        updated_at DATETIME,
        privacy_level VARCHAR(20),
        PRIMARY KEY (user_id),
        FOREIGN KEY(user_id) REFERENCES users (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS data_privacy_rules (
        id INTEGER NOT NULL,
        endpoint_name VARCHAR(100) NOT NULL,
        field_path VARCHAR(200) NOT NULL,
        privacy_level VARCHAR(20),
        is_active BOOLEAN,
        created_at DATETIME DEFAULT (CURRENT_TIMESTAMP),
        field_name VARCHAR(50),
        pattern VARCHAR(200),
        PRIMARY KEY (id)
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS database_versions (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        version VARCHAR(20) NOT NULL,
        applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
        migration_script VARCHAR(100),
        description TEXT,
        rollback_notes TEXT,
        from_version VARCHAR(20),
        started_at TIMESTAMP,
        duration_ms INTEGER,
        outcome VARCHAR(20),
        backup_file VARCHAR(255),
        tool_version VARCHAR(20),
        steps_hash VARCHAR(64),
        is_claim BOOLEAN
    )
    """,
    """
    CREATE TABLE IF NOT EXISTS kept_values (
        id INTEGER PRIMARY KEY,
        table_name VARCHAR(100) NOT NULL,
        row_key TEXT NOT NULL,
        column_name VARCHAR(100) NOT NULL,
        value BLOB,
        value_type VARCHAR(10),
        kept_at TIMESTAMP
    )
    """,
)
COLUMNS = (
    ("users", "full_name", "VARCHAR(100)"),
    ("data_entries", "visibility", "VARCHAR(20)"),
    ("user_privacy_settings", "privacy_level", "VARCHAR(20)"),
    ("data_privacy_rules", "field_name", "VARCHAR(50)"),
    ("data_privacy_rules", "pattern", "VARCHAR(200)"),
)
INDEXES = (
    ("ix_data_entries_visible", "data_entries", "endpoint_id, created_by_id, is_active, visibility"),
    ("ix_data_entries_owner", "data_entries", "created_by_id"),
    ("ix_api_keys_user_id", "api_keys", "user_id"),
    ("ix_audit_logs_user_id", "audit_logs", "user_id"),
    ("ix_data_privacy_rules_id", "data_privacy_rules", "id"),
    ("ix_data_privacy_rules_active", "data_privacy_rules", "is_active"),
    ("ix_kept_values_place", "kept_values", "table_name, row_key, column_name"),
)

KINDS = (
    ("resume", "Professional resume and work history"),
    ("about", "Basic information about the person or entity"),
    ("ideas", "Ideas, thoughts, and concepts"),
    ("skills", "Skills and areas of expertise"),
    ("favorite_books", "Favorite books and reading recommendations"),
    ("problems", "Problems being worked on or solved"),
    ("hobbies", "Hobbies and personal interests"),
    ("projects", "Personal and professional projects with markdown support"),
    ("looking_for", "Things currently looking for or seeking"),
    ("skills_matrix", "Skills matrix with endorsements and skill-grid commentary"),
    ("personal_story", "Personal narrative, biography, or personal story"),
    ("goals", "Personal or professional goals with status and notes"),
    ("values", "Core values and guiding principles"),
    ("recommendations", "Recommendations for tools, books, people, or processes"),
    ("learning", "Current learning topics, courses, notes, and study plans"),
    ("quotes", "Favorite quotes or mottos with context/explanations"),
    ("contact_info", "Public-safe contact information"),
    ("events", "Public events, appearances, or past events"),
    ("achievements", "Notable accomplishments"),
    ("contacts", "Directory of people with public-safe bios"),
    ("arguments", "Argument maps, structured debate notes, or position pieces"),
    ("claims", "Individual claims or beliefs with supporting evidence"),
    ("data_sources", "Notes and links to trusted data sources"),
    ("experiments", "Experiments with hypothesis, method, and results"),
    ("frames", "Cognitive frames or context pieces for viewing topics"),
    ("funding_sources", "Notes about funding sources and revenue streams"),
    ("organizations", "Organizations affiliated with, past employers, etc."),
    ("outcomes", "Measured outcomes and observed impacts"),
    ("people", "Profiles of people with public-friendly bios"),
    ("results", "Raw or summarized results from experiments or projects"),
    ("risks", "Personal and professional risks with analysis and mitigation strategies"),
    ("solutions", "Solutions and approaches to problems, both personal and broader challenges"),
    ("threats", "External threats and security concerns with impact assessment"),
)
# What an entry is without a word of its own; every other kind is public.
DEFAULT_VISIBILITY = {
    "contact_info": "unlisted",
    "contacts": "private",
    "people": "private",
    "funding_sources": "private",
    "risks": "private",
    "threats": "private",
}

RULES = (
    ("phone", r"\b\d{3}[-.]?\d{3}[-.]?\d{4}\b", "business_card"),
    ("phone_alt", r"\(\d{3}\)\s*\d{3}[-.]?\d{4}", "business_card"),
    ("ssn", r"\b\d{3}-\d{2}-\d{4}\b", "ai_safe"),
    ("ssn_alt", r"\b\d{9}\b", "ai_safe"),
    ("email", r"\b[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Z|a-z]{2,}\b", "professional"),
    ("salary", r"\$[0-9,]+(\.[0-9]{2})?", "professional"),
    ("income", r"\b[0-9,]+\s*(dollars?|USD|\$)", "professional"),
    ("wage", r"\b\$?\d+(\.\d{2})?\s*per\s+(hour|hr)", "professional"),
    (
        "address",
        r"\d+\s+[A-Za-z0-9\s,.-]+\s+(Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Lane|Ln)",
        "professional",
    ),
    ("zip_code", r"\b\d{5}(-\d{4})?\b", "professional"),
    ("credit_card", r"\b\d{4}[-\s]?\d{4}[-\s]?\d{4}[-\s]?\d{4}\b", "ai_safe"),
    ("drivers_license", r"\b[A-Z]\d{7,8}\b", "professional"),
    ("date_of_birth", r"\b\d{1,2}/\d{1,2}/\d{4}\b", "professional"),
    (
        "dob_alt",
        r"\b(January|February|March|April|May|June|July|August|September|October|November|December)"
        r"\s+\d{1,2},?\s+\d{4}\b",
        "professional",
    ),
)

HIGHEST_ID = 2**62  # ids above are nobody's counting: there would be no room left to go higher
DEEPEST = 400  # levels of nesting that every supported Python reads from any place in a program
WORDS = ("private", "unlisted", "public")  # the strictest first


def upgrade() -> None:
    """Add what is missing of 0.2.0: tables, columns, rows, visibility, indexes."""
    bind = op.get_bind()
    for statement in TABLES:
        bind.exec_driver_sql(statement)
    for table, column, declared in COLUMNS:
        ensure_column(bind, table, column, declared)
    add_kinds(bind)
    add_rules(bind)
    add_settings(bind)
    store_visibility(bind)
    bind.exec_driver_sql("UPDATE database_versions SET is_claim = 1 WHERE is_claim IS NULL")
    for name, table, columns in INDEXES:  # after the rows: an index is made faster than it is kept
        bind.exec_driver_sql(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({columns})")


def ensure_column(bind: Connection, table: str, column: str, declared: str) -> None:
    """Add the column where it is missing, natively: no row is rewritten.

    Where the owner had helped herself to a column of that name, of another form, it is called owner_NAME by
    now; the texts in it are taken over. Not so for the visibility: that is for the rule alone to say.
    """
    found = bind.exec_driver_sql("SELECT lower(name) FROM pragma_table_xinfo(?)", (table,)).scalars()
    names = set(found)
    if column in names:
        return
    bind.exec_driver_sql(f"ALTER TABLE {table} ADD COLUMN {column} {declared}")
    if f"owner_{column}" in names and column != "visibility":
        bind.exec_driver_sql(
            f"UPDATE {table} SET {column} = owner_{column}"
            f" WHERE typeof(owner_{column}) = 'text' AND owner_{column} <> ''"
        )


def first_free_id(bind: Connection, table: str, named_by: Iterable[str]) -> int:
    """Return an id above every id that the table, an audit row or the queries ``named_by`` ever gave."""
    queries = [
        f"SELECT id FROM {table}",
        f"SELECT record_id FROM audit_logs WHERE table_name = '{table}'",
        f"SELECT CAST(row_key AS INTEGER) FROM kept_values WHERE table_name = '{table}'",
        *named_by,
    ]
    union = " UNION ALL ".join(queries)
    highest = bind.exec_driver_sql(
        f"WITH named(id) AS ({union}) SELECT max(id) FROM named WHERE typeof(id) = 'integer' AND id < ?",
        (HIGHEST_ID,),
    ).scalar()
    return int(highest or 0) + 1


def add_kinds(bind: Connection) -> None:
    """Insert the kinds of which there is no endpoint of that name, in their order."""
    there = set(bind.exec_driver_sql("SELECT name FROM endpoints").scalars())
    free = first_free_id(bind, "endpoints", ["SELECT endpoint_id FROM data_entries"])
    missing = [kind for kind in KINDS if kind[0] not in there]
    for number, (name, description) in enumerate(missing, start=free):
        bind.exec_driver_sql(
            "INSERT INTO endpoints (id, name, description, schema, is_active, is_public)"
            " VALUES (?, ?, ?, ?, 1, 1)",
            (number, name, description, json.dumps(kind_schema(name))),
        )


def kind_schema(name: str) -> dict[str, object]:
    """Return the field list that an endpoint of this kind carries, as the old releases wrote it."""
    if name == "resume":
        return resume_schema()
    words = {
        "type": "string",
        "enum": ["public", "unlisted", "private"],
        "default": DEFAULT_VISIBILITY.get(name, "public"),
    }
    properties = {
        "title": {"type": "string"},
        "date": {"type": "string"},
        "tags": {"type": "array", "items": {"type": "string"}},
        "visibility": words,
    }
    return {
        "content": {"type": "string", "required": True},
        "meta": {"type": "object", "properties": properties},
    }


def resume_schema() -> dict[str, object]:
    """Return the field list of a resume, the same in every release."""
    text = {"type": "string"}
    needed = {"type": "string", "required": True}
    texts = {"type": "array", "items": text}
    return {
        "name": needed,
        "title": needed,
        "summary": text,
        "contact": {
            "type": "object",
            "properties": dict.fromkeys(
                ("email", "phone", "location", "website", "linkedin", "github"), text
            ),
        },
        "experience": items_of(
            {
                "company": needed,
                "position": needed,
                "start_date": text,
                "end_date": text,
                "description": text,
                "achievements": texts,
                "technologies": texts,
            }
        ),
        "education": items_of(
            {
                "institution": needed,
                "degree": text,
                "field": text,
                "start_date": text,
                "end_date": text,
                "gpa": {"type": "number"},
                "honors": texts,
            }
        ),
        "skills": {
            "type": "object",
            "properties": dict.fromkeys(("technical", "languages", "certifications", "soft_skills"), texts),
        },
        "projects": items_of(
            {"name": needed, "description": text, "technologies": texts, "url": text, "github": text}
        ),
        "awards": texts,
        "volunteer": texts,
        "updated_at": {"type": "string", "format": "date"},
    }


def items_of(properties: dict[str, object]) -> dict[str, object]:
    """Return the description of a list of such objects."""
    return {"type": "array", "items": {"type": "object", "properties": properties}}


def add_rules(bind: Connection) -> None:
    """Insert the 14 default rules where there is no rule at all; a rule only ever hides more."""
    if bind.exec_driver_sql("SELECT EXISTS (SELECT 1 FROM data_privacy_rules)").scalar():
        return
    free = first_free_id(bind, "data_privacy_rules", [])
    for number, (field_name, pattern, level) in enumerate(RULES, start=free):
        bind.exec_driver_sql(
            "INSERT INTO data_privacy_rules"
            " (id, endpoint_name, field_path, privacy_level, is_active, field_name, pattern)"
            " VALUES (?, '*', '*', ?, 1, ?, ?)",
            (number, level, field_name, pattern),
        )


def add_settings(bind: Connection) -> None:
    """Insert a settings row for every user without one, with the defaults of the old releases."""
    bind.exec_driver_sql(
        "INSERT INTO user_privacy_settings (user_id, show_contact_info, show_location, show_current_company,"
        " show_salary_range, show_education_details, show_personal_projects, business_card_mode,"
        " ai_assistant_access, custom_privacy_rules)"
        " SELECT id, 1, 1, 1, 0, 1, 1, 0, 1, '{}' FROM users"
        " WHERE id NOT IN (SELECT user_id FROM user_privacy_settings) ORDER BY id"
    )


# An entry's visibility without a word of its own: that of its kind, and never more than its endpoint's row.
DEFAULT = """coalesce((SELECT CASE
    WHEN e.is_public IS NOT 1 THEN 'private'
    WHEN e.name IN ('contacts', 'people', 'funding_sources', 'risks', 'threats') THEN 'private'
    WHEN e.name IN ('contact_info') THEN 'unlisted'
    ELSE 'public' END FROM endpoints AS e WHERE e.id = data_entries.endpoint_id), 'private')"""

# SQL decides where its answer provably is that of visibility_of(), and says '?' of everything else.
# Provably: text without NUL; too few brackets to be deep; no escape that could spell a letter of a key
# (\u006x, \u007x); each of the two keys at most once, so that none is doubled; valid JSON.
# (GLOB and || are several times faster than instr here; both stop at a NUL, which is how it is found.)
VISIBILITY = rf"""CASE
    WHEN typeof(data) <> 'text' THEN '?'
    WHEN length(CAST(data AS BLOB)) >= 2 * {DEEPEST}
        AND length(data) - length(replace(replace(data, '[', ''), '{{', '')) > {DEEPEST} THEN '?'
    WHEN (data || char(1)) NOT GLOB '*' || char(1) THEN '?'
    WHEN data GLOB '*\u00[67]*' THEN '?'
    WHEN data GLOB '*"visibility"*"visibility"*' OR data GLOB '*"meta"*"meta"*' THEN '?'
    WHEN NOT json_valid(data) THEN '?'
    WHEN json_type(data) <> 'object' THEN {DEFAULT}
    ELSE CASE coalesce(json_type(data, '$.visibility'), json_type(data, '$.meta.visibility'), 'none')
        WHEN 'none' THEN {DEFAULT}
        WHEN 'text' THEN CASE
                coalesce(json_extract(data, '$.visibility'), json_extract(data, '$.meta.visibility'))
            WHEN 'public' THEN 'public'
            WHEN 'unlisted' THEN 'unlisted'
            ELSE 'private' END
        ELSE 'private' END
    END"""


def store_visibility(bind: Connection) -> None:
    """Give every entry without a stored visibility the one that its text and its endpoint say."""
    bind.exec_driver_sql(f"UPDATE data_entries SET visibility = {VISIBILITY} WHERE visibility IS NULL")
    marked = bind.exec_driver_sql(
        f"SELECT id, CAST(data AS BLOB), {DEFAULT}, typeof(data) FROM data_entries WHERE visibility = '?'"
    ).all()
    decided = [
        ("private" if kind == "blob" else visibility_of(raw, default), number)
        for number, raw, default, kind in marked
    ]
    if decided:
        bind.exec_driver_sql("UPDATE data_entries SET visibility = ? WHERE id = ?", decided)


def visibility_of(raw: bytes, default: str) -> str:
    """Return what an entry with this stored text is: public, unlisted or private.

    Words at the top and in ``meta`` both count, the strictest wins; an unknown word, a doubled key whose
    occurrences differ, and text that is no JSON are private. Without a word it is ``default``.
    """
    text = raw.decode("utf-8", "replace")
    if nesting(text) > DEEPEST:
        return "private"
    try:
        value = json.loads(text, object_pairs_hook=Pairs, parse_int=float)
    except (ValueError, RecursionError):
        return "private"
    if not isinstance(value, Pairs):
        return default
    top = value.words()
    within = [meta.words() if isinstance(meta, Pairs) else [] for meta in value.all_of("meta")]
    said = top + [word for words in within for word in words]
    doubled = [top, *within]
    if any(len(set(words)) > 1 for words in doubled) or any(words != within[0] for words in within[1:]):
        return "private"
    return min(said, key=WORDS.index, default=default)


class Pairs(list[tuple[str, object]]):
    """A JSON object with every occurrence of its keys, in order."""

    def all_of(self, key: str) -> list[object]:
        """Return the values of each occurrence of the key."""
        return [value for name, value in self if name == key]

    def words(self) -> list[str]:
        """Return what each occurrence of "visibility" says; whatever is no such word says private."""
        said = self.all_of("visibility")
        return [word if isinstance(word, str) and word in WORDS else "private" for word in said]


def nesting(text: str) -> int:
    """Return how deep lists and objects lie in each other, outside of strings."""
    deep = deepest = 0
    for bracket in re.findall(r"[\[\]{}]", re.sub(r'"[^"\\]*(?:\\.[^"\\]*)*"', "", text, flags=re.DOTALL)):
        deep += 1 if bracket in "[{" else -1
        deepest = max(deepest, deep)
    return deepest
