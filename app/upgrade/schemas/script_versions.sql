-- The version table of scripts/version_tracker.py and migrate_comprehensive.py of the earlier project.
CREATE TABLE database_versions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    version VARCHAR(20) NOT NULL,
    applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,
    migration_script VARCHAR(100),
    description TEXT,
    rollback_notes TEXT
);
