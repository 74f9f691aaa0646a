"""What does 0.8.0 need? Places for wishes of a page, logins at a provider, and what assistants have read.

All of it begins empty, and no row changes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
VERSION = "0.8.0"
TITLE = "add pages, logins of providers, and what assistants read"
CONTRACT = {
    "adds": (
        "page_wishes",
        "login_identities",
        "ai_reads",
        "ix_login_identities_user",
        "ix_ai_reads_user",
        "ix_ai_reads_read_at",
    ),
    "drops": (),
    "grows": (),
    "changes": {},
    "needs": {},
    "down": {
        "page_wishes": "kept",
        "login_identities": "kept",
        "ai_reads": "kept",
    },
    "withheld": {},
    "readable": {},
}


def upgrade() -> None:
    """Add the tables and their indexes."""
    op.create_table(
        "page_wishes",
        sa.Column("user_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("theme", sa.String(20)),
        sa.Column("accent", sa.String(20)),
        sa.Column("language", sa.String(35)),
        sa.Column("kinds", sa.JSON()),
        sa.Column("kinds_left_out", sa.JSON()),
        sa.Column("head_lines", sa.JSON()),
        sa.Column("formats_off", sa.JSON()),
        sa.Column("updated_at", sa.DateTime()),
    )
    op.create_table(
        "login_identities",
        sa.Column("issuer", sa.String(255), primary_key=True),
        sa.Column("subject", sa.String(255), primary_key=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("last_used_at", sa.DateTime()),
    )
    op.create_index("ix_login_identities_user", "login_identities", ["user_id", "issuer"], unique=True)
    op.create_table(
        "ai_reads",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("read_at", sa.DateTime(), nullable=False),
        sa.Column("client", sa.String(100)),
        sa.Column("client_version", sa.String(100)),
        sa.Column("key_id", sa.Integer()),
        sa.Column("tool", sa.String(50), nullable=False),
        sa.Column("kind", sa.String(100)),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("entry_count", sa.Integer(), nullable=False),
        sa.Column("hidden_count", sa.Integer(), nullable=False),
    )
    op.create_index("ix_ai_reads_user", "ai_reads", ["user_id", "id"])
    op.create_index("ix_ai_reads_read_at", "ai_reads", ["read_at"])
