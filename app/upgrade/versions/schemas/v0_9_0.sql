-- The schema of 0.9.0, frozen.
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
    role VARCHAR(10),
    email_key VARCHAR(100),
    erased_at DATETIME,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_users_username ON users (username);
CREATE UNIQUE INDEX ix_users_email ON users (email);
CREATE INDEX ix_users_id ON users (id);
CREATE INDEX ix_users_username_key ON users (username_key);
CREATE INDEX ix_users_email_key ON users (email_key);

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
    user_id INTEGER,
    short_name VARCHAR(100),
    is_shipped BOOLEAN,
    title VARCHAR(100),
    default_visibility VARCHAR(20),
    example JSON,
    schema_version INTEGER,
    PRIMARY KEY (id),
    FOREIGN KEY(created_by_id) REFERENCES users (id)
);
CREATE UNIQUE INDEX ix_endpoints_name ON endpoints (name);
CREATE INDEX ix_endpoints_id ON endpoints (id);
CREATE UNIQUE INDEX ix_endpoints_owner ON endpoints (user_id, short_name);

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
    shown_from DATETIME,
    shown_until DATETIME,
    revision INTEGER,
    PRIMARY KEY (id),
    FOREIGN KEY(endpoint_id) REFERENCES endpoints (id),
    FOREIGN KEY(created_by_id) REFERENCES users (id)
);
CREATE INDEX ix_data_entries_created_at ON data_entries (created_at);
CREATE INDEX ix_data_entries_owner ON data_entries (created_by_id);
CREATE INDEX ix_data_entries_shown
    ON data_entries
    (endpoint_id, created_by_id, is_active, visibility, coalesce(position, id), id, shown_from, shown_until);
CREATE INDEX ix_data_entries_own ON data_entries (endpoint_id, created_by_id, is_active, coalesce(position, id));
CREATE INDEX ix_data_entries_ordered ON data_entries (endpoint_id, is_active, coalesce(position, id));
CREATE UNIQUE INDEX ix_data_entries_slug
    ON data_entries (created_by_id, endpoint_id, slug) WHERE slug IS NOT NULL;
CREATE INDEX ix_data_entries_shown_from ON data_entries (shown_from) WHERE shown_from IS NOT NULL;
CREATE INDEX ix_data_entries_shown_until ON data_entries (shown_until) WHERE shown_until IS NOT NULL;

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
    kinds JSON,
    verbs JSON,
    privacy_level VARCHAR(20),
    prefix VARCHAR(20),
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
    salt VARCHAR(64),
    values_digest VARCHAR(64),
    actor_digest VARCHAR(64),
    changes_hash VARCHAR(64),
    events_hash VARCHAR(64),
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
    scrubbed_at TIMESTAMP,
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

CREATE TABLE kind_versions (
    endpoint_id INTEGER NOT NULL,
    version INTEGER NOT NULL,
    schema JSON NOT NULL,
    example JSON,
    created_at DATETIME,
    PRIMARY KEY (endpoint_id, version)
);

CREATE TABLE share_links (
    id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    label VARCHAR(100),
    privacy_level VARCHAR(20),
    views_most INTEGER,
    views_count INTEGER NOT NULL,
    created_at DATETIME NOT NULL,
    expires_at DATETIME,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_share_links_token_hash ON share_links (token_hash);
CREATE INDEX ix_share_links_user_id ON share_links (user_id);

CREATE TABLE share_targets (
    link_id INTEGER NOT NULL,
    target VARCHAR(10) NOT NULL,
    target_id INTEGER NOT NULL,
    PRIMARY KEY (link_id, target, target_id)
);
CREATE INDEX ix_share_targets_target ON share_targets (target, target_id);

CREATE TABLE idempotency_keys (
    user_id INTEGER NOT NULL,
    key_hash VARCHAR(64) NOT NULL,
    request_hash VARCHAR(64) NOT NULL,
    outcome TEXT NOT NULL,
    created_at DATETIME NOT NULL,
    PRIMARY KEY (user_id, key_hash)
);
CREATE INDEX ix_idempotency_keys_created_at ON idempotency_keys (created_at);

CREATE TABLE search_rows (
    id INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    audience VARCHAR(20) NOT NULL,
    user_id INTEGER NOT NULL,
    endpoint_id INTEGER NOT NULL,
    stamp VARCHAR(32) NOT NULL,
    content_hash VARCHAR(64) NOT NULL,
    sorted_at INTEGER NOT NULL,
    words TEXT NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_search_rows_entry ON search_rows (entry_id, audience);
CREATE INDEX ix_search_rows_user ON search_rows (user_id, audience);

CREATE TABLE search_stamps (
    stamp VARCHAR(32) NOT NULL,
    completed_at DATETIME NOT NULL,
    PRIMARY KEY (stamp)
);

CREATE TABLE entry_revisions (
    entry_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    data JSON NOT NULL,
    visibility VARCHAR(20),
    slug VARCHAR(100),
    is_active BOOLEAN,
    more JSON,
    written_at DATETIME,
    ended_at DATETIME NOT NULL,
    PRIMARY KEY (entry_id, number)
);
CREATE INDEX ix_entry_revisions_ended_at ON entry_revisions (ended_at);

CREATE TABLE audit_anchors (
    id INTEGER NOT NULL,
    kind VARCHAR(20) NOT NULL,
    before_hash VARCHAR(64),
    after_hash VARCHAR(64),
    first_id INTEGER,
    last_id INTEGER,
    rows_count INTEGER NOT NULL,
    made_at DATETIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ix_audit_anchors_before_hash ON audit_anchors (before_hash);
CREATE INDEX ix_audit_anchors_after_hash ON audit_anchors (after_hash);

CREATE TABLE erasures (
    installation_id VARCHAR(36) NOT NULL,
    table_name VARCHAR(50) NOT NULL,
    record_id INTEGER NOT NULL,
    created_at VARCHAR(40) NOT NULL,
    erased_at DATETIME NOT NULL,
    user_id INTEGER,
    PRIMARY KEY (installation_id, table_name, record_id, created_at)
);
CREATE INDEX ix_erasures_record ON erasures (table_name, record_id);
CREATE INDEX ix_erasures_user_id ON erasures (user_id);

CREATE TABLE imports (
    id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    format VARCHAR(30) NOT NULL,
    label VARCHAR(255),
    source_sha256 VARCHAR(64) NOT NULL,
    mapping JSON,
    created_at DATETIME NOT NULL,
    undone_at DATETIME,
    PRIMARY KEY (id)
);
CREATE INDEX ix_imports_user_id ON imports (user_id);

CREATE TABLE import_files (
    import_id INTEGER NOT NULL,
    number INTEGER NOT NULL,
    path TEXT NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (import_id, number)
);

CREATE TABLE imported_entries (
    import_id INTEGER NOT NULL,
    source_key VARCHAR(64) NOT NULL,
    user_id INTEGER NOT NULL,
    entry_id INTEGER NOT NULL,
    content_hash VARCHAR(64) NOT NULL,
    PRIMARY KEY (import_id, source_key)
);
CREATE INDEX ix_imported_entries_source ON imported_entries (user_id, source_key);
CREATE INDEX ix_imported_entries_entry_id ON imported_entries (entry_id);

CREATE TABLE sessions (
    id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    created_at DATETIME NOT NULL,
    last_used_at DATETIME NOT NULL,
    expires_at DATETIME NOT NULL,
    confirmed_at DATETIME,
    refresh_hash VARCHAR(64),
    ip_address VARCHAR(45),
    user_agent TEXT,
    PRIMARY KEY (id)
);
CREATE INDEX ix_sessions_user_id ON sessions (user_id);

CREATE TABLE one_time_links (
    id INTEGER NOT NULL,
    purpose VARCHAR(20) NOT NULL,
    token_hash VARCHAR(64) NOT NULL,
    user_id INTEGER,
    role VARCHAR(10),
    label VARCHAR(100),
    created_by_id INTEGER,
    created_at DATETIME NOT NULL,
    expires_at DATETIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_one_time_links_token_hash ON one_time_links (token_hash);
CREATE INDEX ix_one_time_links_user_id ON one_time_links (user_id);
CREATE INDEX ix_one_time_links_created_by_id ON one_time_links (created_by_id);

CREATE TABLE second_factors (
    user_id INTEGER NOT NULL,
    secret VARCHAR(200) NOT NULL,
    created_at DATETIME NOT NULL,
    confirmed_at DATETIME,
    last_step INTEGER,
    failed_count INTEGER,
    failed_at DATETIME,
    PRIMARY KEY (user_id)
);

CREATE TABLE recovery_codes (
    user_id INTEGER NOT NULL,
    code_hash VARCHAR(64) NOT NULL,
    PRIMARY KEY (user_id, code_hash)
);

CREATE TABLE departures (
    user_id INTEGER NOT NULL,
    asked_at DATETIME NOT NULL,
    due_at DATETIME NOT NULL,
    was_active BOOLEAN NOT NULL,
    PRIMARY KEY (user_id)
);
CREATE INDEX ix_departures_due_at ON departures (due_at);

CREATE TABLE operations (
    id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    name VARCHAR(50) NOT NULL,
    state VARCHAR(20) NOT NULL,
    done_count INTEGER,
    total_count INTEGER,
    created_at DATETIME,
    seen_at DATETIME,
    finished_at DATETIME,
    expires_at DATETIME,
    file_name VARCHAR(255),
    size_bytes INTEGER,
    sha256 VARCHAR(64),
    fault TEXT,
    PRIMARY KEY (id)
);
CREATE INDEX ix_operations_user_id ON operations (user_id);
CREATE INDEX ix_operations_expires_at ON operations (expires_at);

CREATE TABLE storage_limits (
    user_id INTEGER NOT NULL,
    most_entries INTEGER,
    most_bytes INTEGER,
    PRIMARY KEY (user_id)
);

CREATE TABLE storage_use (
    user_id INTEGER NOT NULL,
    entries_count INTEGER NOT NULL,
    bytes_count INTEGER NOT NULL,
    PRIMARY KEY (user_id)
);

CREATE TABLE page_wishes (
    user_id INTEGER NOT NULL,
    theme VARCHAR(20),
    accent VARCHAR(20),
    language VARCHAR(35),
    kinds JSON,
    kinds_left_out JSON,
    head_lines JSON,
    formats_off JSON,
    updated_at DATETIME,
    PRIMARY KEY (user_id)
);

CREATE TABLE login_identities (
    issuer VARCHAR(255) NOT NULL,
    subject VARCHAR(255) NOT NULL,
    user_id INTEGER NOT NULL,
    created_at DATETIME NOT NULL,
    last_used_at DATETIME,
    PRIMARY KEY (issuer, subject)
);
CREATE UNIQUE INDEX ix_login_identities_user ON login_identities (user_id, issuer);

CREATE TABLE ai_reads (
    id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    read_at DATETIME NOT NULL,
    client VARCHAR(100),
    client_version VARCHAR(100),
    key_id INTEGER,
    tool VARCHAR(50) NOT NULL,
    kind VARCHAR(100),
    fields TEXT NOT NULL,
    entry_count INTEGER NOT NULL,
    hidden_count INTEGER NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ix_ai_reads_user ON ai_reads (user_id, id);
CREATE INDEX ix_ai_reads_read_at ON ai_reads (read_at);

CREATE TABLE pictures (
    id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    entry_id INTEGER,
    avatar_of INTEGER,
    number INTEGER NOT NULL,
    alt TEXT,
    bytes_count INTEGER NOT NULL,
    created_at DATETIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ix_pictures_user ON pictures (user_id, bytes_count);
CREATE UNIQUE INDEX ix_pictures_entry ON pictures (entry_id, number);
CREATE UNIQUE INDEX ix_pictures_avatar ON pictures (avatar_of);

CREATE TABLE picture_sizes (
    picture_id INTEGER NOT NULL,
    size VARCHAR(10) NOT NULL,
    address VARCHAR(40) NOT NULL,
    media_type VARCHAR(30) NOT NULL,
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    content BLOB NOT NULL,
    PRIMARY KEY (picture_id, size)
);
CREATE UNIQUE INDEX ix_picture_sizes_address ON picture_sizes (address);

CREATE TABLE picture_use (
    user_id INTEGER NOT NULL,
    pictures_count INTEGER NOT NULL,
    bytes_count INTEGER NOT NULL,
    PRIMARY KEY (user_id)
);

CREATE TABLE message_boxes (
    user_id INTEGER NOT NULL,
    is_open BOOLEAN NOT NULL,
    full_at DATETIME,
    proof_full_at DATETIME,
    updated_at DATETIME NOT NULL,
    PRIMARY KEY (user_id)
);

CREATE TABLE messages (
    id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    received_at DATETIME NOT NULL,
    came_by VARCHAR(20) NOT NULL,
    client VARCHAR(100),
    sender_name VARCHAR(100),
    sender_contact VARCHAR(200),
    body TEXT NOT NULL,
    network_hash VARCHAR(64),
    proof_hash VARCHAR(64),
    read_at DATETIME,
    PRIMARY KEY (id)
);
CREATE INDEX ix_messages_user ON messages (user_id, received_at, id);
CREATE INDEX ix_messages_received_at ON messages (received_at);
CREATE INDEX ix_messages_network ON messages (network_hash, received_at);
CREATE UNIQUE INDEX ix_messages_proof_hash ON messages (proof_hash);

CREATE TABLE message_blocks (
    id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    what VARCHAR(20) NOT NULL,
    value_hash VARCHAR(64) NOT NULL,
    label VARCHAR(200),
    created_at DATETIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_message_blocks_value ON message_blocks (user_id, value_hash);

CREATE TABLE webhooks (
    id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    url TEXT NOT NULL,
    label VARCHAR(100),
    secret VARCHAR(200) NOT NULL,
    events JSON,
    kinds JSON,
    is_active BOOLEAN NOT NULL,
    created_at DATETIME NOT NULL,
    failed_count INTEGER NOT NULL,
    off_since DATETIME,
    off_why VARCHAR(50),
    published_until DATETIME,
    PRIMARY KEY (id)
);
CREATE INDEX ix_webhooks_user_id ON webhooks (user_id);

CREATE TABLE webhook_events (
    id INTEGER NOT NULL,
    user_id INTEGER NOT NULL,
    event VARCHAR(20) NOT NULL,
    publishes BOOLEAN,
    kind VARCHAR(100) NOT NULL,
    entry_id INTEGER NOT NULL,
    occurred_at DATETIME NOT NULL,
    PRIMARY KEY (id)
);
CREATE INDEX ix_webhook_events_user_id ON webhook_events (user_id);

CREATE TABLE webhook_deliveries (
    id INTEGER NOT NULL,
    webhook_id INTEGER NOT NULL,
    event VARCHAR(30) NOT NULL,
    kind VARCHAR(100) NOT NULL,
    entry_id INTEGER NOT NULL,
    occurred_at DATETIME NOT NULL,
    state VARCHAR(20) NOT NULL,
    attempts INTEGER NOT NULL,
    next_attempt_at DATETIME,
    last_attempt_at DATETIME,
    last_status INTEGER,
    last_fault VARCHAR(50),
    PRIMARY KEY (id)
);
CREATE INDEX ix_webhook_deliveries_webhook ON webhook_deliveries (webhook_id, occurred_at, id);
CREATE INDEX ix_webhook_deliveries_due ON webhook_deliveries (next_attempt_at);
