-- Layout B: every database made by a release from 0.2.2 on (before this project): layout A and users.full_name.
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
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_users_username ON users (username);
CREATE UNIQUE INDEX ix_users_email ON users (email);
CREATE INDEX ix_users_id ON users (id);

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
    PRIMARY KEY (id),
    FOREIGN KEY(endpoint_id) REFERENCES endpoints (id),
    FOREIGN KEY(created_by_id) REFERENCES users (id)
);
CREATE INDEX ix_data_entries_endpoint_active ON data_entries (endpoint_id, is_active);
CREATE INDEX ix_data_entries_id ON data_entries (id);
CREATE INDEX ix_data_entries_created_at ON data_entries (created_at);

CREATE TABLE api_keys (
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
);
CREATE INDEX ix_api_keys_id ON api_keys (id);
CREATE UNIQUE INDEX ix_api_keys_key_hash ON api_keys (key_hash);

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
    PRIMARY KEY (id),
    FOREIGN KEY(user_id) REFERENCES users (id)
);
CREATE INDEX ix_audit_logs_created_at ON audit_logs (created_at);
CREATE INDEX ix_audit_logs_table_record ON audit_logs (table_name, record_id);
CREATE INDEX ix_audit_logs_id ON audit_logs (id);

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
    PRIMARY KEY (id)
);
CREATE INDEX ix_data_privacy_rules_id ON data_privacy_rules (id);
