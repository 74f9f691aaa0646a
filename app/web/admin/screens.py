"""Screens of the admin. Which are there, for whom, in which order, and which module answers them?"""

from __future__ import annotations

from dataclasses import dataclass

from app.web.admin.language import mark


@dataclass(frozen=True)
class Screen:
    """One line of the menu; ``title`` is translated where it is shown."""

    path: str
    title: str
    is_for_admins: bool = False


SCREENS = (
    Screen("/manage/", mark("Today")),
    Screen("/manage/entries", mark("Write")),
    Screen("/manage/profile", mark("Profile")),
    Screen("/manage/messages", mark("Inbox")),
    Screen("/manage/audience", mark("Audience")),
    Screen("/manage/links", mark("Share links")),
    Screen("/manage/import", mark("Import")),
    Screen("/manage/export", mark("Export")),
    Screen("/manage/page", mark("Look of your page")),
    Screen("/manage/activity", mark("Activity")),
    Screen("/manage/keys", mark("Keys")),
    Screen("/manage/webhooks", mark("Webhooks")),
    Screen("/manage/account", mark("Account")),
    Screen("/manage/people", mark("People"), is_for_admins=True),
    Screen("/manage/backups", mark("Backups"), is_for_admins=True),
    Screen("/manage/upgrade", mark("Upgrades"), is_for_admins=True),
    Screen("/manage/system", mark("System"), is_for_admins=True),
    Screen("/manage/audit", mark("Audit"), is_for_admins=True),
    Screen("/manage/settings", mark("Settings"), is_for_admins=True),
    Screen("/manage/findings", mark("Is it sound?"), is_for_admins=True),
)
"""The menu, from what is done each day to what is done once a year."""

MODULES = (
    "app.web.admin.sign_in",
    "app.web.admin.claim",
    "app.web.admin.today",
    "app.web.admin.entries",
    "app.web.admin.write",
    "app.web.admin.history",
    "app.web.admin.profile",
    "app.web.admin.pictures",
    "app.web.admin.audience",
    "app.web.admin.audience_views",
    "app.web.admin.second_look",
    "app.web.admin.share_links",
    "app.web.admin.importing",
    "app.web.admin.exporting",
    "app.web.admin.keys",
    "app.web.admin.account",
    "app.web.admin.second_factor",
    "app.web.admin.people",
    "app.web.admin.joining",
    "app.web.admin.backups",
    "app.web.admin.operations",
    "app.web.admin.upgrade",
    "app.web.admin.inbox",
    "app.web.admin.webhooks",
    "app.web.admin.activity",
    "app.web.admin.page_look",
    "app.web.admin.page_preview",
    "app.web.admin.installation",
)
"""Each has a `router`; a path is answered by the first that knows it."""


def menu_for(*, is_admin: bool) -> list[Screen]:
    """Return the lines of the menu that a person sees."""
    return [each for each in SCREENS if is_admin or not each.is_for_admins]
