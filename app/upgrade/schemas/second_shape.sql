-- The privacy tables as scripts/migrate_database.py of the earlier project made them where they were missing.
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

CREATE TABLE data_privacy_rules (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    field_name VARCHAR(50) NOT NULL,
    pattern VARCHAR(200) NOT NULL,
    privacy_level VARCHAR(20) NOT NULL,
    is_active BOOLEAN DEFAULT TRUE,
    created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP
);
