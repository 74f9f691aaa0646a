"""How did the old programs spell their tables? Written from what they made, in their own words and order."""

from __future__ import annotations

USERS_A = """
CREATE TABLE users (
	id INTEGER NOT NULL, 
	username VARCHAR(50) NOT NULL, 
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
"""  # noqa: W291
USERS_B = USERS_A.replace(
    "\tusername VARCHAR(50) NOT NULL, \n", "\tusername VARCHAR(50) NOT NULL, \n\tfull_name VARCHAR(100), \n"
)
ADD_FULL_NAME = "ALTER TABLE users ADD COLUMN full_name VARCHAR(100);"

REST = """
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
CREATE INDEX ix_data_entries_created_at ON data_entries (created_at);
CREATE INDEX ix_data_entries_id ON data_entries (id);
CREATE INDEX ix_data_entries_endpoint_active ON data_entries (endpoint_id, is_active);
"""  # noqa: W291
ADD_VALIDATION_STATUS = "ALTER TABLE data_entries ADD COLUMN validation_status VARCHAR(20) DEFAULT 'pending';"

OWN_SETTINGS = """
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
"""  # noqa: W291
OWN_RULES = """
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
"""  # noqa: W291

SECOND_SETTINGS = """
CREATE TABLE user_privacy_settings (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            user_id INTEGER NOT NULL,
            privacy_level VARCHAR(20) DEFAULT 'public_full',
            show_contact_info BOOLEAN DEFAULT TRUE,
            ai_assistant_access BOOLEAN DEFAULT TRUE,
            business_card_mode BOOLEAN DEFAULT FALSE,
            custom_filters TEXT,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
            updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
            FOREIGN KEY(user_id) REFERENCES users (id)
        );
"""
SECOND_RULES = """
CREATE TABLE data_privacy_rules (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            field_name VARCHAR(50) NOT NULL,
            pattern VARCHAR(200) NOT NULL,
            privacy_level VARCHAR(20) NOT NULL,
            is_active BOOLEAN DEFAULT TRUE,
            created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
        );
"""
THIRD_SETTINGS = """
CREATE TABLE user_privacy_settings (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    user_id INTEGER NOT NULL,
                    setting_name VARCHAR(100) NOT NULL,
                    setting_value TEXT NOT NULL,
                    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
                    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
                    FOREIGN KEY (user_id) REFERENCES users (id),
                    UNIQUE(user_id, setting_name)
                );
"""
THIRD_RULES = """
CREATE TABLE data_privacy_rules (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    rule_name VARCHAR(100) NOT NULL UNIQUE,
                    rule_type VARCHAR(50) NOT NULL,
                    rule_config TEXT NOT NULL,
                    is_active BOOLEAN DEFAULT TRUE,
                    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
                    updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
                );
"""
SCRIPT_VERSIONS = """
CREATE TABLE database_versions (
                    id INTEGER PRIMARY KEY AUTOINCREMENT,
                    version VARCHAR(20) NOT NULL,
                    applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
                    migration_script VARCHAR(100),
                    description TEXT,
                    rollback_notes TEXT
                );
"""
FOURTH_USERS = """
CREATE TABLE users (
                id INTEGER PRIMARY KEY AUTOINCREMENT,
                username VARCHAR(50) UNIQUE NOT NULL,
                email VARCHAR(100) UNIQUE NOT NULL,
                hashed_password VARCHAR(100) NOT NULL,
                is_admin BOOLEAN DEFAULT FALSE,
                created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
            );
"""

SETTINGS = {"own": OWN_SETTINGS, "second": SECOND_SETTINGS, "third": THIRD_SETTINGS, "none": ""}
RULES = {"own": OWN_RULES, "second": SECOND_RULES, "third": THIRD_RULES, "none": ""}
