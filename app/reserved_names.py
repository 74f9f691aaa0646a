"""Reserved names. Which words are addresses of Daemon's own below /api/v1, and so no names of new kinds?

A kind of such a name that is there already stays, and is reached by a tilde before it (docs/api.md); the
upgrade lists it. So is one from before whose name is that of a file beside the pages of kinds.
"""

from __future__ import annotations

RESERVED = frozenset(
    (
        *("account", "admin", "api", "assets", "assistants", "audit", "auth", "backup", "backups", "bulk"),
        *("claim", "data", "docs", "endpoints", "entries", "erase", "erasures", "explain", "export", "feed"),
        *("feeds", "files", "health", "import", "imports", "invitations", "jobs", "journal", "keys", "kinds"),
        *("limits", "links", "llms", "login", "logout", "manage", "me", "mcp", "media", "metrics", "new"),
        *("openapi",),
        *("operations", "password", "policies", "policy", "preview", "privacy", "profile"),
        *("receipts", "register", "releases", "reset", "restore", "review", "revisions", "rollback", "root"),
        *("rules", "schema", "schemas", "search", "selftest", "sessions", "settings", "setup", "share"),
        *("shared", "shares", "sitemap", "static", "statistics", "status", "system", "tags", "undelete"),
        *("upgrade", "uploads", "user", "users", "version", "versions", "webhooks", "well-known"),
    )
)

FILES_OF_PERSON = frozenset(
    (
        *("feed.atom", "feed.json", "sitemap.xml", "card.vcf", "card.svg", "card.png", "preview.png"),
        "resume.pdf",
    )
)
"""Addresses of Daemon's own below the page of a person, beside those of kinds. No new kind has a dot."""
