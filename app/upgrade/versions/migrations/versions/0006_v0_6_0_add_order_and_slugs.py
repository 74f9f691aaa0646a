"""What does 0.6.0 need? A place in its list for each entry, since ids are random from now on; slugs.

Every part adds only what is missing, so that the step can be run again. No row changes: an entry without a
position stands where its id says, as before, and so does what an older server writes after a rollback.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
VERSION = "0.6.0"
TITLE = "add the order of lists, which ids no longer tell, and slugs"
CONTRACT = {
    "adds": (
        "data_entries.position",
        "data_entries.slug",
        "ix_data_entries_listed",
        "ix_data_entries_own",
        "ix_data_entries_ordered",
        "ix_data_entries_slug",
    ),
    "drops": (
        "ix_data_entries_id",
        "ix_data_entries_endpoint_active",
        "ix_data_entries_visible",
        "ix_audit_logs_id",
    ),
    "grows": (),
    "changes": {},
    "needs": {},
    "down": {
        "data_entries.position": "kept",
        "data_entries.slug": "kept",
    },
    "withheld": {},
    "readable": {},
}


def upgrade() -> None:
    """Add the columns and the indexes: by a list's condition first, then by the order in it.

    Indexes that are the beginning of another one, or the key of their table, only make writing slower.
    """
    op.add_column("data_entries", sa.Column("position", sa.BigInteger()))
    op.add_column("data_entries", sa.Column("slug", sa.String(100)))
    order = sa.text("coalesce(position, id)")
    for name, condition in (
        ("ix_data_entries_listed", ("endpoint_id", "created_by_id", "is_active", "visibility")),
        ("ix_data_entries_own", ("endpoint_id", "created_by_id", "is_active")),
        ("ix_data_entries_ordered", ("endpoint_id", "is_active")),
    ):
        op.create_index(name, "data_entries", [*condition, order])
    # Only the engine's own word is said: another one would load that engine.
    has_slug: dict[str, Any] = {f"{op.get_bind().dialect.name}_where": sa.text("slug IS NOT NULL")}
    op.create_index(
        "ix_data_entries_slug",
        "data_entries",
        ["created_by_id", "endpoint_id", "slug"],
        unique=True,
        **has_slug,
    )
    for name in ("ix_data_entries_id", "ix_data_entries_endpoint_active", "ix_data_entries_visible"):
        op.drop_index(name, "data_entries")
    op.drop_index("ix_audit_logs_id", "audit_logs")
