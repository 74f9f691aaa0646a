"""Archive of a person (export of everything as one ZIP). What is in it, and in which files?

It is read a few rows at a time, each time in a snapshot of its own, and made piece by piece
(`app.formats.archive`): neither a lock nor the whole of it is held meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy import Row

from app import __version__, clock
from app.accounts import audit_reading
from app.accounts.audit_reading import Wanted
from app.accounts.export_rows import account_rows
from app.accounts.users import User
from app.entries import export_rows, pictures_transfer
from app.entries.own_audit import own_audit_view
from app.entries.shown_audit import audit_view
from app.formats.archive import Member, archive_of, json_pieces
from app.row_pages import Reading

FORMAT = 1
LINES_OF_A_PAGE = 50
Told = Callable[[int, int], None]
"""Hears how many entries of how many are in the archive; called often, and may raise to end the work."""

_README = """\
# Everything about {username}

Begun by Daemon {version} at {made_at}: all that this installation has about this account. What was changed
while it was made is in it as it was before or after. Nothing of it needs Daemon to be read: the files are
JSON in UTF-8, each with a list `rows`.

| file | what is in it |
|---|---|
| account.json | name, full name, mail address, role, times |
| entries/KIND.json | every entry of that kind: public, unlisted, private, drafts, deleted (`is_active` 0) |
| revisions/KIND.json | the earlier states of those entries; a deletion too |
| kinds.json, kind_versions.json | the kinds of those entries, and every version of your own |
| privacy_settings.json, privacy_rules.json | what you have decided about what others see |
| never_list.json | your never-list: lengths and levels. The words themselves were never stored |
| findings.json, releases.json | what was found in your texts, and what of it you have released |
| view_changes.json | when what others see of an entry changed last |
| share_links.json, share_targets.json | your share links and what they show, without their tokens |
| api_keys.json | your API keys, without the keys |
| sessions.json, second_factor.json | your logins that go on, whether a second factor is on |
| links_and_invitations.json | one-time links for you, and those that you made |
| audit.json | what you did and what others did about you: an admin who read what is private, too |
| imports.json, imported_entries.json, imports/ | your imports, what each made, the files as they came |
| pictures.json, pictures/ | your pictures, in every size, and what you say of them |
| page.json | what you have decided about your page |
| logins_of_providers.json | accounts elsewhere with which you can log in here |
| read_by_assistants.json | what assistants have read of yours: names of fields and counts |
| messages.json, message_box.json | messages that you were left, and whether anyone may leave any |
| message_blocks.json | from whom you want no more of them |
| webhooks.json, webhook_deliveries.json | which programs are told of changes, and what they were told |
| storage.json | how much you use and may use |
| operations.json, departure.json, erased.json | what runs for you, whether you leave, what is erased |

`content` is what an entry holds. Where its stored text says more than a JSON value can (a name that stands
twice), the text is there as `stored`; where it is no text, its bytes as `stored_base64`. Times are UTC.

`manifest.json` names every file with its bytes and SHA-256. To check them: `sha256sum -c SHA256SUMS`

Not in here: password, second factor, keys and tokens (with those someone could come in), keyed hashes of
networks that you came from, the backups of the installation, and its log files.
"""


def archive_of_person(
    reading: Reading, user: User, told: Told = lambda _done, _total: None
) -> Iterator[bytes]:
    """Yield the ZIP with everything that there is about a person, piece by piece.

    Reads as it goes, and raises what ``reading`` raises.
    """
    made_at = clock.rfc3339(clock.now())
    about = {"format": FORMAT, "username": user.username, "made_at": made_at, "tool_version": __version__}
    return archive_of(_members(reading, user, about, told), about)


def _members(reading: Reading, user: User, about: dict[str, Any], told: Told) -> Iterator[Member]:
    words = {"username": user.username, "version": __version__, "made_at": about["made_at"]}
    yield Member("README.md", [_README.format(**words).encode("utf-8", "replace")])
    for name, rows in account_rows(reading, user.id):
        yield _file(name, rows)
    with reading() as connection:
        done, total = [0], export_rows.count_entries(connection, user.id)

    def counted(rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for row in rows:
            yield row
            done[0] += 1
            told(done[0], total)

    def watched(rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        for row in rows:
            yield row
            told(done[0], total)

    for name, entries, states in export_rows.entry_files(reading, user.id):
        yield _file(f"entries/{name}", counted(entries))
        yield _file(f"revisions/{name}", watched(states))
    for name, rows in export_rows.other_rows(reading, user.id):
        yield _file(name, watched(rows))
    yield _file("audit", watched(_audit(reading, user.id)))
    files = (export_rows.source_files, pictures_transfer.files_of)
    for path, content in (each for files_of in files for each in files_of(reading, user.id)):
        yield Member(path, [content])
        told(done[0], total)


def _file(name: str, rows: Iterator[dict[str, Any]]) -> Member:
    return Member(f"{name}.json", json_pieces({"format": FORMAT}, "rows", rows))


def _audit(reading: Reading, user_id: int) -> Iterator[dict[str, Any]]:
    """Yield the lines by and about a person, the newest first; of entries that are others' no values."""
    before: int | None = None
    while True:
        with reading() as connection:
            found = audit_reading.look(connection, Wanted(user_id=user_id), LINES_OF_A_PAGE, before)
            lines = list(audit_reading.rows_of(connection, found.ids))
            about_entries = [line.record_id for line in lines if line.table_name == "data_entries"]
            own = export_rows.ids_of_own(connection, user_id, about_entries)
        for line in lines:
            yield own_audit_view(line, user_id) | (_values(line) if _is_theirs(line, user_id, own) else {})
        if found.next is None:
            return
        before = found.next


def _is_theirs(line: Row[Any], user_id: int, own_entries: set[int]) -> bool:
    if line.user_id != user_id:
        return False
    if line.table_name == "data_entries":
        return line.record_id in own_entries
    return bool(line.table_name != "users" or line.record_id == user_id)


def _values(line: Row[Any]) -> dict[str, Any]:
    view = audit_view(line)
    return {name: view[name] for name in ("old_values", "new_values")}
