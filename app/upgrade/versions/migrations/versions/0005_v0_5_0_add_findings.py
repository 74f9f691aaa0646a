"""What does 0.5.0 need? The identity that backups bear; what texts hold, and what its owner decided of it.

Every part adds only what is missing, so that the step can be run again. All of it begins empty: the id
of an installation is drawn at random, and so is no part of a step.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
VERSION = "0.5.0"
TITLE = "add the installation's identity, and what is found in texts"
CONTRACT = {
    "adds": (
        "installation",
        "text_findings",
        "finding_releases",
        "never_words",
        "privacy_secrets",
        "view_changes",
        "privacy_selftests",
        "user_privacy_settings.preferred_contact",
        "user_privacy_settings.words_generation",
        "user_privacy_settings.releases_shipped_rules",
        "ix_finding_releases_user_id",
        "ix_never_words_user_id",
    ),
    "grows": ("installation",),
    "changes": {},
    "needs": {},
    "down": {
        "installation": "kept",
        "text_findings": "derived",
        "finding_releases": "kept",
        "never_words": "kept",
        "privacy_secrets": "kept",
        "view_changes": "derived",
        "privacy_selftests": "kept",
        "user_privacy_settings.preferred_contact": "kept",
        "user_privacy_settings.words_generation": "kept",
        "user_privacy_settings.releases_shipped_rules": "kept",
    },
    "withheld": {
        # 0.4.0 shows contact data in texts to strangers, and knows no words that must never leave.
        "data_entries": "t.visibility = 'public' AND (EXISTS (SELECT 1 FROM text_findings f "
        "WHERE f.entry_id = t.id AND f.found LIKE '[[%') "
        # nor may it show what no one has looked for those words in
        "OR EXISTS (SELECT 1 FROM user_privacy_settings s WHERE s.user_id = t.created_by_id "
        "AND s.words_generation > 0 AND NOT EXISTS (SELECT 1 FROM text_findings f "
        "WHERE f.entry_id = t.id AND f.words_generation = s.words_generation)))",
    },
    "readable": {},
}


def upgrade() -> None:
    """Add the tables, the columns and the indexes."""
    op.create_table(
        "installation",
        sa.Column("id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("installation_id", sa.String(36), nullable=False),
        sa.Column("backups_made", sa.Integer()),
        sa.Column("seen_host", sa.String(255)),
        sa.Column("seen_path", sa.Text()),
        sa.Column("clock_seen_at", sa.TIMESTAMP()),
        sa.Column("clock_leapt_from", sa.TIMESTAMP()),
        sa.Column("clock_leapt_to", sa.TIMESTAMP()),
    )
    op.create_table(
        "text_findings",
        sa.Column("entry_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("detectors_version", sa.Integer(), nullable=False),
        sa.Column("words_generation", sa.Integer()),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("searched_at", sa.DateTime()),
    )
    op.create_table(
        "finding_releases",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer()),
        sa.Column("endpoint_id", sa.Integer()),
        sa.Column("detector", sa.String(50)),
        sa.Column("value_hash", sa.String(64)),
        sa.Column("created_at", sa.DateTime()),
    )
    op.create_table(
        "never_words",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("word_hash", sa.String(64), nullable=False),
        sa.Column("length", sa.Integer(), nullable=False),
        sa.Column("privacy_level", sa.String(20)),
        sa.Column("created_at", sa.DateTime()),
    )
    op.create_table(
        "privacy_secrets",
        sa.Column("name", sa.String(50), primary_key=True),
        sa.Column("secret", sa.String(128), nullable=False),
        sa.Column("created_at", sa.DateTime()),
    )
    op.create_table(
        "view_changes",
        sa.Column("entry_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("privacy_level", sa.String(20), primary_key=True),
        sa.Column("view_hash", sa.String(64), nullable=False),
        sa.Column("changed_at", sa.DateTime()),
    )
    op.create_table(
        "privacy_selftests",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("started_at", sa.DateTime()),
        sa.Column("finished_at", sa.DateTime()),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("findings", sa.Text()),
    )
    op.add_column("user_privacy_settings", sa.Column("preferred_contact", sa.String(100)))
    op.add_column("user_privacy_settings", sa.Column("words_generation", sa.Integer()))
    op.add_column("user_privacy_settings", sa.Column("releases_shipped_rules", sa.Boolean()))
    op.create_index("ix_finding_releases_user_id", "finding_releases", ["user_id"])
    op.create_index("ix_never_words_user_id", "never_words", ["user_id"])
