"""Routes. Which addresses are there, in which order is a path held against them?

Loaded where someone asks for one that a start does without (`deferred_routes.py`).
"""

from __future__ import annotations

from starlette.routing import BaseRoute

from app.web.routes import (
    admin,
    admin_backups,
    admin_departures,
    admin_entries,
    admin_installation,
    admin_people,
    admin_previews,
    admin_rules,
    admin_system,
    audience,
    auth,
    bulk,
    cards,
    claim,
    endpoints,
    entries,
    feeds,
    health,
    imports,
    keys,
    links,
    me,
    message_form,
    messages,
    never_list,
    oidc,
    operations,
    own_audit,
    own_history,
    page_wishes,
    pages,
    paper,
    people,
    pictures,
    preview_images,
    privacy,
    privacy_findings,
    privacy_rules,
    privacy_selftest,
    privacy_views,
    revisions,
    search,
    second_factor,
    sessions,
    shares,
    sitemap,
    storage,
    system,
    twins,
    webhooks,
    well_known,
)

PAGES = (feeds, sitemap, cards, well_known, twins, paper, preview_images, pages, page_wishes, pictures)
ACCOUNTS = (auth, sessions, second_factor, oidc, links, own_audit, keys, claim)
ADMINS = (
    *(admin, admin_people, admin_system, admin_backups, admin_previews, admin_entries, admin_rules),
    *(admin_installation, admin_departures),
)
PRIVACY = (
    *(privacy, privacy_rules, never_list, privacy_findings, privacy_views, audience, privacy_selftest),
)
MINE = (own_history, me, operations, messages, message_form)
ENTRIES = (bulk, entries, revisions)  # found only where no other address is


def all_routes() -> list[BaseRoute]:
    """Return every route; of two that a path fits the first answers."""
    before = [each.router for each in (health, system, *PAGES, *ACCOUNTS, *ADMINS)]
    old = [people.old_router, people.router, storage.router]
    after = [*PRIVACY, imports, shares, webhooks, search, *MINE, endpoints, *ENTRIES]
    routers = [*before, *old, *(each.router for each in after)]
    return [route for router in routers for route in router.routes]
