-- The schema of 0.6.0, frozen.
CREATE TABLE users (
    id INTEGER NOT NULL,
    username VARCHAR(50) NOT NULL,
    full_name VARCHAR(100),
    email VARCHAR(100) NOT NULL,
    hashed_password VARCHAR(128) NOT NULL,
    is_active BOOLEAN,
    is_admin BOOLEAN,
    created_at DATETIME DEFAULT (CURRENT_TIMESTAMP),
    last_login DATETIME,
    token_generation INTEGER,
    username_key VARCHAR(50),
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_users_username ON users (username);
CREATE UNIQUE INDEX ix_users_email ON users (email);
CREATE INDEX ix_users_id ON users (id);
CREATE INDEX ix_users_username_key ON users (username_key);

CREATE TABLE endpoints (
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
);
CREATE UNIQUE INDEX ix_endpoints_name ON endpoints (name);
CREATE INDEX ix_endpoints_id ON endpoints (id);

CREATE TABLE data_entries (
    id INTEGER NOT NULL,
    endpoint_id INTEGER NOT NULL,
    data JSON NOT NULL,
    is_active BOOLEAN,
    created_at DATETIME DEFAULT (CURRENT_TIMESTAMP),
    updated_at DATETIME,
    created_by_id INTEGER,
    visibility VARCHAR(20),
    position BIGINT,
    slug VARCHAR(100),
    PRIMARY KEY (id),
    FOREIGN KEY(endpoint_id) REFERENCES endpoints (id),
    FOREIGN KEY(created_by_id) REFERENCES users (id)
);
CREATE INDEX ix_data_entries_created_at ON data_entries (created_at);
CREATE INDEX ix_data_entries_owner ON data_entries (created_by_id);
CREATE INDEX ix_data_entries_listed
    ON data_entries (endpoint_id, created_by_id, is_active, visibility, coalesce(position, id));
CREATE INDEX ix_data_entries_own ON data_entries (endpoint_id, created_by_id, is_active, coalesce(position, id));
CREATE INDEX ix_data_entries_ordered ON data_entries (endpoint_id, is_active, coalesce(position, id));
CREATE UNIQUE INDEX ix_data_entries_slug
    ON data_entries (created_by_id, endpoint_id, slug) WHERE slug IS NOT NULL;

CREATE TABLE api_keys (
    id INTEGER NOT NULL,
    name VARCHAR(100) NOT NULL,
    key_hash VARCHAR(128) NOT NULL,
    user_id INTEGER NOT NULL,
    is_active BOOLEAN,
    expires_at DATETIME,
    last_used DATETIME,
    created_at DATETIME DEFAULT (CURRENT_TIMESTAMP),
    can_write BOOLEAN,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX ix_api_keys_id ON api_keys (id);
CREATE UNIQUE INDEX ix_api_keys_key_hash ON api_keys (key_hash);
CREATE INDEX ix_api_keys_user_id ON api_keys (user_id);

CREATE TABLE audit_logs (
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
    api_key_id INTEGER,
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX ix_audit_logs_created_at ON audit_logs (created_at);
CREATE INDEX ix_audit_logs_table_record ON audit_logs (table_name, record_id);
CREATE INDEX ix_audit_logs_user_id ON audit_logs (user_id);

CREATE TABLE user_privacy_settings (
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
    preferred_contact VARCHAR(100),
    words_generation INTEGER,
    releases_shipped_rules BOOLEAN,
    PRIMARY KEY (user_id),
    FOREIGN KEY(user_id) REFERENCES users (id)
);

CREATE TABLE data_privacy_rules (
    id INTEGER NOT NULL,
    endpoint_name VARCHAR(100) NOT NULL,
    field_path VARCHAR(200) NOT NULL,
    privacy_level VARCHAR(20),
    is_active BOOLEAN,
    created_at DATETIME DEFAULT (CURRENT_TIMESTAMP),
    field_name VARCHAR(50),
    pattern VARCHAR(200),
    PRIMARY KEY (id)
);
CREATE INDEX ix_data_privacy_rules_id ON data_privacy_rules (id);
CREATE INDEX ix_data_privacy_rules_active ON data_privacy_rules (is_active);

CREATE TABLE database_versions (
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
);

CREATE TABLE kept_values (
    id INTEGER PRIMARY KEY,
    table_name VARCHAR(100) NOT NULL,
    row_key TEXT NOT NULL,
    column_name VARCHAR(100) NOT NULL,
    value BLOB,
    value_type VARCHAR(10),
    kept_at TIMESTAMP
);
CREATE INDEX ix_kept_values_place ON kept_values (table_name, row_key, column_name);

CREATE TABLE login_places (
    user_id INTEGER NOT NULL,
    network VARCHAR(64) NOT NULL,
    last_seen_at DATETIME,
    PRIMARY KEY (user_id, network)
);

CREATE TABLE unclaimed_entries (
    entry_id INTEGER NOT NULL,
    size_bytes INTEGER NOT NULL,
    received_at DATETIME,
    PRIMARY KEY (entry_id)
);

CREATE TABLE id_counters (
    table_name VARCHAR(100) NOT NULL,
    last_id INTEGER NOT NULL,
    PRIMARY KEY (table_name)
);

CREATE TABLE installation (
    id INTEGER NOT NULL,
    installation_id VARCHAR(36) NOT NULL,
    backups_made INTEGER,
    seen_host VARCHAR(255),
    seen_path TEXT,
    clock_seen_at TIMESTAMP,
    clock_leapt_from TIMESTAMP,
    clock_leapt_to TIMESTAMP,
    PRIMARY KEY (id)
);

CREATE TABLE text_findings (
    entry_id INTEGER NOT NULL,
    content_hash VARCHAR(64) NOT NULL,
    detectors_version INTEGER NOT NULL,
    words_generation INTEGER,
    found TEXT NOT NULL,
    searched_at DATETIME,
    PRIMARY KEY (entry_id)
);

CREATE TABLE finding_releases (
    id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    entry_id INTEGER,
    endpoint_id INTEGER,
    detector VARCHAR(50),
    value_hash VARCHAR(64),
    created_at DATETIME,
    PRIMARY KEY (id)
);
CREATE INDEX ix_finding_releases_user_id ON finding_releases (user_id);

CREATE TABLE never_words (
    id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    word_hash VARCHAR(64) NOT NULL,
    length INTEGER NOT NULL,
    privacy_level VARCHAR(20),
    created_at DATETIME,
    PRIMARY KEY (id)
);
CREATE INDEX ix_never_words_user_id ON never_words (user_id);

CREATE TABLE privacy_secrets (
    name VARCHAR(50) NOT NULL,
    secret VARCHAR(128) NOT NULL,
    created_at DATETIME,
    PRIMARY KEY (name)
);

CREATE TABLE view_changes (
    entry_id INTEGER NOT NULL,
    privacy_level VARCHAR(20) NOT NULL,
    view_hash VARCHAR(64) NOT NULL,
    changed_at DATETIME,
    PRIMARY KEY (entry_id, privacy_level)
);

CREATE TABLE privacy_selftests (
    id INTEGER NOT NULL,
    started_at DATETIME,
    finished_at DATETIME,
    outcome VARCHAR(20) NOT NULL,
    findings TEXT,
    PRIMARY KEY (id)
);
