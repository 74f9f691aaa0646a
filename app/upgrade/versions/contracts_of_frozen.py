"""Step contracts, frozen. What may the four steps do that were released before steps had contracts?

They stand here because a step is never edited once it is out: databases have its hash in their history. Every
later step has its CONTRACT in its own file; see contracts.py for what the words mean. Nothing is added here.
"""

from __future__ import annotations

# Here a stranger sees what is active, public, and of an active account. The old server showed every entry of
# a kind that is public, also a deleted one to whoever asked, unless its own meta.visibility said otherwise:
# so that word must stand there, where SQL surely reads the text as that server did.
_SHOWN_THERE_ONLY = """
    NOT (t.is_active IS 1 AND t.visibility IS 'public'
         AND EXISTS (SELECT 1 FROM users u WHERE u.id = t.created_by_id AND u.is_active IS 1))
    AND NOT EXISTS (SELECT 1 FROM endpoints p WHERE p.id = t.endpoint_id
                    AND (p.is_public IS 0 OR p.is_active IS 0))
    AND NOT CASE WHEN typeof(t.data) = 'text' AND (t.data || char(1)) GLOB '*' || char(1)
                  AND t.data NOT GLOB '*visibility*visibility*' AND t.data NOT GLOB '*"meta"*"meta"*'
                  AND json_valid(t.data)
             THEN coalesce(json_extract(t.data, '$.meta.visibility') IN ('private', 'unlisted'), 0) ELSE 0 END
"""

CONTRACTS: dict[str, dict[str, tuple[str, ...] | dict[str, str]]] = {
    "0001": {
        "adds": (
            "users",
            "endpoints",
            "data_entries",
            "api_keys",
            "audit_logs",
            "ix_users_username",
            "ix_users_email",
            "ix_users_id",
            "ix_endpoints_name",
            "ix_endpoints_id",
            "ix_data_entries_endpoint_active",
            "ix_data_entries_id",
            "ix_data_entries_created_at",
            "ix_api_keys_id",
            "ix_api_keys_key_hash",
            "ix_audit_logs_created_at",
            "ix_audit_logs_table_record",
            "ix_audit_logs_id",
        ),
        "grows": (),
        "changes": {},
        "needs": {},
        "down": dict.fromkeys(("users", "endpoints", "data_entries", "api_keys", "audit_logs"), "kept"),
        "withheld": {},
        "readable": {},
    },
    "0002": {
        "adds": (
            "user_privacy_settings",
            "data_privacy_rules",
            "database_versions",
            "kept_values",
            "users.full_name",
            "data_entries.visibility",
            "user_privacy_settings.privacy_level",
            "data_privacy_rules.field_name",
            "data_privacy_rules.pattern",
            "ix_data_entries_visible",
            "ix_data_entries_owner",
            "ix_api_keys_user_id",
            "ix_audit_logs_user_id",
            "ix_data_privacy_rules_id",
            "ix_data_privacy_rules_active",
            "ix_kept_values_place",
        ),
        "grows": ("endpoints", "user_privacy_settings", "data_privacy_rules"),
        "changes": {
            "users.full_name": "filled",  # with what the owner had in a column of that name
            "user_privacy_settings.privacy_level": "filled",
            "data_privacy_rules.field_name": "filled",
            "data_privacy_rules.pattern": "filled",
            "data_entries.visibility": "filled",
            "database_versions.is_claim": "filled",
        },
        "needs": {},
        "down": {
            "user_privacy_settings": "kept",
            "data_privacy_rules": "kept",
            "database_versions": "derived",
            "kept_values": "derived",
            "users.full_name": "kept",
            "data_entries.visibility": "kept",
            "user_privacy_settings.privacy_level": "kept",
            "data_privacy_rules.field_name": "kept",
            "data_privacy_rules.pattern": "kept",
        },
        "withheld": {"data_entries": _SHOWN_THERE_ONLY},
        "readable": {"users.hashed_password": "t.hashed_password LIKE '$2_$%'"},  # bcrypt
    },
    "0003": {
        "adds": (),
        "grows": (),
        "changes": {},
        "needs": {},
        "down": {},
        "withheld": {},
        "readable": {},
    },
    "0004": {
        "adds": (
            "users.token_generation",
            "users.username_key",
            "api_keys.can_write",
            "audit_logs.api_key_id",
            "login_places",
            "unclaimed_entries",
            "id_counters",
            "ix_users_username_key",
        ),
        "grows": ("id_counters",),
        "changes": {"users.username_key": "set", "id_counters.last_id": "raised"},
        "needs": {},
        "down": {
            "users.token_generation": "kept",
            "users.username_key": "derived",
            "api_keys.can_write": "kept",
            "audit_logs.api_key_id": "kept",
            "login_places": "kept",
            "unclaimed_entries": "kept",
            "id_counters": "derived",
        },
        "withheld": {"api_keys": "t.is_active IS 1 AND t.can_write IS NOT 1"},
        "readable": {},
    },
}
