"""What changes in the database from 0.2.x to 0.3.0? Nothing: containers and commands got new names."""

from __future__ import annotations

revision = "0003"
down_revision = "0002"
VERSION = "0.3.0"
TITLE = "settle on 0.3.0: the schema is that of 0.2.0"


def upgrade() -> None:
    """Change nothing; that the step was taken is written into the history by who runs it."""
