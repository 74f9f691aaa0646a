"""Text scan. What does an upgrade hide from strangers, and which words are not heard? In one pass.

Every entry's text has to be read for either, and that takes longer than most of what `upgrade check` does.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.storage.types import StorageConnection
from app.upgrade.legacy import visibility_changes
from app.upgrade.legacy.ordinary_texts import with_quick_reading
from app.upgrade.legacy.unheard_words import Listening, Unheard, unheard_words
from app.upgrade.legacy.visibility_changes import Hidden


@dataclass(frozen=True)
class Texts:
    """What the pass found; ``hidden`` is None where the tables have a form from which it cannot be read."""

    unheard: Unheard
    hidden: Hidden | None


def scan_texts(connection: StorageConnection, *, hides: bool, has_text: bool) -> Texts:
    """Return both; what is hidden only where the upgrade to come ``hides`` something. Looks only.

    ``has_text`` where switches hold texts, which the upgrade reads first: other entries are active then, and
    two passes are made.
    """
    if not hides:
        return Texts(unheard_words(connection), ())
    if not visibility_changes.can_be_asked(connection):
        return Texts(unheard_words(connection), None)
    if has_text:
        return Texts(unheard_words(connection), _scanned(connection, has_text=True).hidden)
    return _scanned(connection, has_text=False)


def _scanned(connection: StorageConnection, *, has_text: bool) -> Texts:
    def scan(is_json: str) -> Texts:
        listening = Listening()
        hidden = []
        for *row, schema_text, is_shown in connection.each_row(
            visibility_changes.beforehand(is_json, has_text=has_text)
        ):
            listening.hear(row[0], row[1], schema_text, row[6])
            entry = visibility_changes.hidden_entry(visibility_changes.as_stepped(row)) if is_shown else None
            if entry is not None:
                hidden.append(entry)
        return Texts(listening.heard(), tuple(hidden))

    return with_quick_reading(connection, scan)
