"""How are the core tables of 0.1.0 made? With these statements, where they are missing."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
VERSION = "0.1.0"
TITLE = "create the five core tables"

STATEMENTS = (
    """
    CREATE TABLE IF NOT EXISTS users (
        id INTEGER NOT NULL,
        username VARCHAR(50) NOT NULL,
        email VARCHAR(100) NOT NULL,
        hashed_password VARCHAR(128) NOT NULL,
        is_active BOOLEAN,
        is_admin BOOLEAN,
        created_at DATETIME DEFAULT (CURRENT_TIMESTAMP),
        last_login DATETIME,
        PRIMARY KEY (id)
    )
    """,
    "CREATE UNIQUE INDEX IF NOT EXISTS ix_users_username ON users (username)",
    "CREATE UNIQUE INDEX IF NOT EXISTS ix_users_email ON users (email)",
    "CREATE INDEX IF NOT EXISTS ix_users_id ON users (id)",
    """
    CREATE TABLE IF NOT EXISTS endpoints (
        id INTEGER NOT NULL,
        name VARCHAR(100) NOT NULL,
        description TEXT,
        schema JSON NOT NULL,
        is_active BOOLEAN,
        is_public BOOLEAN,
        created_at DATETIME DEFAULT (CURRENT_TIMESTAMP),
        updated_at DATETIME,
        created_by_id INTEGER,
        PRIMARY KEY (id),
        FOREIGN KEY(created_by_id) REFERENCES users (id)
    )
    """,
    "CREATE UNIQUE INDEX IF NOT EXISTS ix_endpoints_name ON endpoints (name)",
    "CREATE INDEX IF NOT EXISTS ix_endpoints_id ON endpoints (id)",
    """
    CREATE TABLE IF NOT EXISTS data_entries (
        id INTEGER NOT NULL,
        endpoint_id INTEGER NOT NULL,
        data JSON NOT NULL,
        is_active BOOLEAN,
        created_at DATETIME DEFAULT (CURRENT_TIMESTAMP),
        updated_at DATETIME,
        created_by_id INTEGER,
        PRIMARY KEY (id),
        FOREIGN KEY(endpoint_id) REFERENCES endpoints (id),
        FOREIGN KEY(created_by_id) REFERENCES users (id)
    )
    """,
    "CREATE INDEX IF NOT EXISTS ix_data_entries_endpoint_active ON data_entries (endpoint_id, is_active)",
    "CREATE INDEX IF NOT EXISTS ix_data_entries_id ON data_entries (id)",
    "CREATE INDEX IF NOT EXISTS ix_data_entries_created_at ON data_entries (created_at)",
    """
    CREATE TABLE IF NOT EXISTS api_keys (
        id INTEGER NOT NULL,
        name VARCHAR(100) NOT NULL,
        key_hash VARCHAR(128) NOT NULL,
        user_id INTEGER NOT NULL,
        is_active BOOLEAN,
        expires_at DATETIME,
        last_used DATETIME,
        created_at DATETIME DEFAULT (CURRENT_TIMESTAMP),
        PRIMARY KEY (id),
        FOREIGN KEY(user_id) REFERENCES users (id)
    )
    """,
    "CREATE INDEX IF NOT EXISTS ix_api_keys_id ON api_keys (id)",
    "CREATE UNIQUE INDEX IF NOT EXISTS ix_api_keys_key_hash ON api_keys (key_hash)",
    """
    CREATE TABLE IF NOT EXISTS audit_logs (
        id INTEGER NOT NULL,
        action VARCHAR(50) NOT NULL,
        table_name VARCHAR(50) NOT NULL,
        record_id INTEGER NOT NULL,
        old_values JSON,
        new_values JSON,
        user_id INTEGER,
        ip_address VARCHAR(45),
        user_agent TEXT,
        created_at DATETIME DEFAULT (CURRENT_TIMESTAMP),
        PRIMARY KEY (id),
        FOREIGN KEY(user_id) REFERENCES users (id)
    )
    """,
    "CREATE INDEX IF NOT EXISTS ix_audit_logs_created_at ON audit_logs (created_at)",
    "CREATE INDEX IF NOT EXISTS ix_audit_logs_table_record ON audit_logs (table_name, record_id)",
    "CREATE INDEX IF NOT EXISTS ix_audit_logs_id ON audit_logs (id)",
)


def upgrade() -> None:
    """Make users, endpoints, data_entries, api_keys and audit_logs; a table that is there stays as it is."""
    for statement in STATEMENTS:
        op.execute(statement)
