"""What does 0.9.0 need? Places for pictures, for messages that people are left, and for webhooks.

All of it begins empty, and no row changes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
VERSION = "0.9.0"
TITLE = "add pictures, messages and webhooks"
CONTRACT = {
    "adds": (
        "pictures",
        "picture_sizes",
        "picture_use",
        "message_boxes",
        "messages",
        "message_blocks",
        "webhooks",
        "webhook_events",
        "webhook_deliveries",
        "ix_pictures_user",
        "ix_pictures_entry",
        "ix_pictures_avatar",
        "ix_picture_sizes_address",
        "ix_messages_user",
        "ix_messages_received_at",
        "ix_messages_network",
        "ix_messages_proof_hash",
        "ix_message_blocks_value",
        "ix_webhooks_user_id",
        "ix_webhook_events_user_id",
        "ix_webhook_deliveries_webhook",
        "ix_webhook_deliveries_due",
    ),
    "drops": (),
    "grows": (),
    "changes": {},
    "needs": {},
    "down": {
        "pictures": "kept",
        "picture_sizes": "kept",
        "picture_use": "kept",
        "message_boxes": "kept",
        "messages": "kept",
        "message_blocks": "kept",
        "webhooks": "kept",
        "webhook_events": "kept",
        "webhook_deliveries": "kept",
    },
    "withheld": {},
    "readable": {},
}


def upgrade() -> None:
    """Add the tables and their indexes."""
    _add_pictures()
    _add_messages()
    _add_webhooks()


def _add_pictures() -> None:
    op.create_table(
        "pictures",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer()),
        sa.Column("avatar_of", sa.Integer()),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("alt", sa.Text()),
        sa.Column("bytes_count", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_pictures_user", "pictures", ["user_id", "bytes_count"])
    op.create_index("ix_pictures_entry", "pictures", ["entry_id", "number"], unique=True)
    op.create_index("ix_pictures_avatar", "pictures", ["avatar_of"], unique=True)
    op.create_table(
        "picture_sizes",
        sa.Column("picture_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("size", sa.String(10), primary_key=True),
        sa.Column("address", sa.String(40), nullable=False),
        sa.Column("media_type", sa.String(30), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    op.create_index("ix_picture_sizes_address", "picture_sizes", ["address"], unique=True)
    op.create_table(
        "picture_use",
        sa.Column("user_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("pictures_count", sa.Integer(), nullable=False),
        sa.Column("bytes_count", sa.Integer(), nullable=False),
    )


def _add_messages() -> None:
    op.create_table(
        "message_boxes",
        sa.Column("user_id", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("is_open", sa.Boolean(), nullable=False),
        sa.Column("full_at", sa.DateTime()),
        sa.Column("proof_full_at", sa.DateTime()),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
    )
    op.create_table(
        "messages",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("received_at", sa.DateTime(), nullable=False),
        sa.Column("came_by", sa.String(20), nullable=False),
        sa.Column("client", sa.String(100)),
        sa.Column("sender_name", sa.String(100)),
        sa.Column("sender_contact", sa.String(200)),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("network_hash", sa.String(64)),
        sa.Column("proof_hash", sa.String(64)),
        sa.Column("read_at", sa.DateTime()),
    )
    op.create_index("ix_messages_user", "messages", ["user_id", "received_at", "id"])
    op.create_index("ix_messages_received_at", "messages", ["received_at"])
    op.create_index("ix_messages_network", "messages", ["network_hash", "received_at"])
    op.create_index("ix_messages_proof_hash", "messages", ["proof_hash"], unique=True)
    op.create_table(
        "message_blocks",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("what", sa.String(20), nullable=False),
        sa.Column("value_hash", sa.String(64), nullable=False),
        sa.Column("label", sa.String(200)),
        sa.Column("created_at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_message_blocks_value", "message_blocks", ["user_id", "value_hash"], unique=True)


def _add_webhooks() -> None:
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("label", sa.String(100)),
        sa.Column("secret", sa.String(200), nullable=False),
        sa.Column("events", sa.JSON()),
        sa.Column("kinds", sa.JSON()),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("failed_count", sa.Integer(), nullable=False),
        sa.Column("off_since", sa.DateTime()),
        sa.Column("off_why", sa.String(50)),
        sa.Column("published_until", sa.DateTime()),
    )
    op.create_index("ix_webhooks_user_id", "webhooks", ["user_id"])
    op.create_table(
        "webhook_events",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("user_id", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(20), nullable=False),
        sa.Column("publishes", sa.Boolean()),
        sa.Column("kind", sa.String(100), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(), nullable=False),
    )
    op.create_index("ix_webhook_events_user_id", "webhook_events", ["user_id"])
    op.create_table(
        "webhook_deliveries",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("webhook_id", sa.Integer(), nullable=False),
        sa.Column("event", sa.String(30), nullable=False),
        sa.Column("kind", sa.String(100), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime()),
        sa.Column("last_attempt_at", sa.DateTime()),
        sa.Column("last_status", sa.Integer()),
        sa.Column("last_fault", sa.String(50)),
    )
    op.create_index(
        "ix_webhook_deliveries_webhook", "webhook_deliveries", ["webhook_id", "occurred_at", "id"]
    )
    op.create_index("ix_webhook_deliveries_due", "webhook_deliveries", ["next_attempt_at"])
