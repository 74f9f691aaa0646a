"""Models: what admins are shown of the installation: people, keys, counts, backups, audit and journal."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from app.entries.storage_use import LARGEST
from app.web.models.accounts import Account
from app.web.models.base import Answer, Body, Moment, PageOf, Stored, Whole, form
from app.web.models.keys import Key
from app.web.models.privacy import Action, Whose

Amount = form(type="integer", minimum=0, maximum=LARGEST)


class AuditRow(Answer):
    id: int
    created_at: Stored | None
    action: str
    table_name: str
    record_id: Any = Field(description="Of that table; 0: no one's.")
    user_id: int | None = Field(description="Who did it.")
    username: str | None
    api_key_id: int | None
    ip_address: str | None
    user_agent: str | None
    old_values: Any
    new_values: Any


class AuditPage(PageOf[AuditRow]):
    pass


class JournalLine(Answer):
    event: str
    at: str
    database: str
    tool_version: str
    from_version: str | None
    to_version: str | None
    backup: str | None
    message: str
    details: dict[str, Any]
    by: dict[str, Any] = Field(description="Who ran it: user, uid, sudo_user.")


class JournalPage(PageOf[JournalLine]):
    pass


class AccountPage(PageOf[Account]):
    pass


class ChangedPerson(Body):
    """A merge patch."""

    is_active: bool


class KeyOfAnybody(Key):
    user_id: int
    owner: str | None


class KeyOfAnybodyPage(PageOf[KeyOfAnybody]):
    pass


class KindCounts(Answer):
    active: int
    total: int
    deleted: int


class Totals(Answer):
    active_entries: int
    total_entries: int
    deleted_entries: int
    endpoints_count: int
    users: int


class System(Answer):
    version: str
    python_version: str
    platform: str
    disk_free_bytes: int | None


class Statistics(Answer):
    counted_at: Moment = Field(description="A minute ago at most.")
    endpoints: dict[str, KindCounts]
    totals: Totals
    system: System


class KindOfAnybody(Answer):
    id: int
    name: str
    owner: str | None = Field(description="Whose own it is; null: the installation's.")
    title: str | None
    description: str | None
    is_active: bool = Field(description="In use: where it is not, no stranger is shown its entries.")
    is_public: bool
    is_built_in: bool
    created_at: Stored | None


class KindOfAnybodyPage(PageOf[KindOfAnybody]):
    pass


class RuleOfAnybody(Answer):
    id: str = Field(description="Of a person's own `own:` and the path, which others may have too.")
    of: Whose
    owner: str | None = Field(description="Whose own it is; null: the installation's.")
    kind: str = Field(description="`*`: every kind.")
    path: str
    action: Action
    privacy_level: str | None
    field_name: str | None
    pattern: str | None
    is_active: bool = Field(description="Whether it holds; a person's own does.")
    made_by: str | None = Field(
        description="Who made one of the installation's; null: Daemon, or on the machine."
    )
    created_at: Stored | None


class RuleOfAnybodyPage(PageOf[RuleOfAnybody]):
    pass


class ChangedUse(Body):
    """A merge patch."""

    is_active: bool


class Cleanup(Answer):
    deleted_days: int = Field(description="So long deleted entries are kept (DELETED_DAYS); 0: for ever.")
    deleted_before: Moment | None
    entries: int = Field(description="How many may be cleared away: `entries` of the DELETE.")
    kinds: dict[str, int]


class Disk(Answer):
    total: int
    used: int
    free: int


class Machine(Answer):
    python_version: str
    platform: str
    cpu_count: int | None
    memory_total: int | None = Field(description="Bytes; null: not known.")
    memory_available: int | None
    disk_usage: Disk | None = Field(description="Of the disk of the database's folder.")


class Application(Answer):
    version: str
    database: str
    database_version: str
    database_size: int | None = Field(description="Bytes of the file; null: it is on a server.")
    backup_dir: str
    backup_enabled: bool
    rate_limit: str = Field(description="Requests of one person, in so many seconds.")


class SystemState(Answer):
    system: Machine
    application: Application
    timestamp: Moment


class Backup(Answer):
    filename: str
    created_at: Moment
    size_bytes: int
    state: str = Field(description="good, unproved, damaged or foreign.")
    version: str | None
    purpose: str | None
    whose: Literal["this", "another", "unknown"] = Field(
        description="Whose it is: of this installation, of another one; unknown where it does not tell."
    )


class BackupPage(Answer):
    backups: list[Backup]


class StayingBackup(Answer):
    filename: str
    reason: str


class PrunedBackups(Answer):
    deleted_count: int
    removed: list[str]
    stays: list[StayingBackup]


class Storage(Answer):
    entries: int = Field(description="Deleted ones included, until they are erased.")
    bytes: int = Field(description="Of their texts.")
    most_entries: int
    most_bytes: int


class ChangedStorage(Body):
    most_entries: Annotated[Whole, Amount] | None = None
    most_bytes: Annotated[Whole, Amount] | None = None


class OwnAuditRow(Answer):
    created_at: Stored | None
    action: str
    by: str | None = Field(description="Who did it; null on the command line, or someone who is gone.")
    is_own: bool
    table_name: str
    record_id: Any
    api_key_id: int | None
    ip_address: str | None = Field(description="Of one's own rows only.")
    user_agent: str | None
    details: dict[str, Any]


class OwnAuditPage(PageOf[OwnAuditRow]):
    pass
