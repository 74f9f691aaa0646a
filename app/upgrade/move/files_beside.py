"""Files beside a database. Which files of an installation go along when its database is moved?

The key that signs tokens, the claim token, what was noted of proxies, and what rollbacks kept: without them
everyone would be logged out, or what is to come back would not. They are copied, and the old ones stay; what
has such a name at the target gets another one.
"""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

from app import clock, files
from app.disk import real_path
from app.upgrade.records import kept_writes

if TYPE_CHECKING:
    from pathlib import Path

    from app.settings import Settings


def files_to_copy(source: Settings, target: Settings) -> dict[Path, Path]:
    """Return the files that are beside the source and belong beside the target, with their new places."""
    own = {
        source.secret_path: target.secret_path,
        source.claim_path: target.claim_path,
        source.proxies_path: target.proxies_path,
        source.hold_path: target.hold_path,
    }
    before, after = real_path(source.database_path), real_path(target.database_path)
    for path, _ in kept_writes.find_all(source.database_path):
        own[path] = after.with_name(after.name + path.name.removeprefix(before.name))
    return {old: new for old, new in own.items() if old != new and old.exists()}


def copy_files(source: Settings, target: Settings) -> list[Path]:
    """Copy them, each durable and private when this returns; return the new ones. Raises OSError."""
    made = []
    for old, new in files_to_copy(source, target).items():
        if new.exists() and new.read_bytes() == old.read_bytes():
            continue
        files.private_folder(new.parent)
        if new.exists():  # of an earlier life in that folder
            new.rename(new.with_name(f"{new.name}.before-{clock.stamp(clock.now())}"))
        draft = new.with_name(f".{new.name}.moving")
        shutil.copyfile(old, draft)
        files.private_file(draft)
        files.sync_file(draft)
        draft.replace(new)
        files.sync_folder(new.parent)
        made.append(new)
    return made
