"""Privacy settings as stored rows. What has each person decided? What it means is for `privacy` to say."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from app import clock
from app.accounts.people import PEOPLE
from app.prepared_statements import PreparedQuery
from app.tables import user_privacy_settings

SettingsRow = dict[str, Any]
"""One row of user_privacy_settings, by the names of its columns."""


SETTINGS = select(user_privacy_settings).subquery("settings")
"""The rows of all people, to be joined."""

_WORD_CHANGES = PreparedQuery(select(func.coalesce(func.sum(user_privacy_settings.c.words_generation), 0)))


def rows_of(connection: Connection, user_id: int) -> list[SettingsRow]:
    """Return the rows of a person: one, or none."""
    return rows_by_person(connection, [user_id])[user_id]


def rows_by_person(connection: Connection, user_ids: Sequence[int]) -> dict[int, list[SettingsRow]]:
    """Return the rows of each of these people, in one statement; an empty list for who has none."""
    found: dict[int, list[SettingsRow]] = {user_id: [] for user_id in user_ids}
    for row in connection.execute(_OF_PEOPLE, {"user_ids": list(user_ids)}):
        found[row.user_id].append(dict(row._mapping))
    return found


_OF_PEOPLE = select(user_privacy_settings).where(
    user_privacy_settings.c.user_id.in_(bindparam("user_ids", expanding=True))
)


def custom_rules_from(connection: Connection, first_user_id: int, most: int) -> list[tuple[int, str, object]]:
    """Return id, name and stored custom_privacy_rules of accounts that have a row, by id from one on."""
    row = user_privacy_settings.c
    query = (
        select(row.user_id, PEOPLE.c.username, row.custom_privacy_rules)
        .join(PEOPLE, PEOPLE.c.id == row.user_id)
        .where(row.user_id >= first_user_id)
        .order_by(row.user_id)
        .limit(most)
    )
    return [
        (found.user_id, found.username, found.custom_privacy_rules) for found in connection.execute(query)
    ]


def count_word_changes(connection: Connection) -> int:
    """Return how often the never-lists of all people were changed."""
    return int(_WORD_CHANGES.value(connection))


COLUMNS = frozenset(column.name for column in user_privacy_settings.c)


def replace_row(connection: Connection, user_id: int, row: SettingsRow) -> None:
    """Write a row, that of another installation, in the place of the person's own."""
    connection.execute(delete(user_privacy_settings).where(user_privacy_settings.c.user_id == user_id))
    connection.execute(insert(user_privacy_settings).values({**row, "user_id": user_id}))


def words_generation_of(row: SettingsRow | None) -> int:
    """Return which state of a person's never-list a row names; 0 before there was any word."""
    generation = (row or {}).get("words_generation")
    return generation if isinstance(generation, int) else 0


def raise_words_generation(connection: Connection, user_id: int, now: datetime) -> None:
    """Note that a person's never-list is another one now: what was found in their texts holds no more."""
    rows = rows_of(connection, user_id)
    if not rows:
        add_defaults(connection, user_id, now)
    generation = max(map(words_generation_of, rows), default=0) + 1
    mine = update(user_privacy_settings).where(user_privacy_settings.c.user_id == user_id)
    connection.execute(mine.values(words_generation=generation))


def change_row(connection: Connection, user_id: int, values: SettingsRow, now: datetime) -> None:
    """Write new values of some columns; a person without a row gets that of a new account first."""
    if not rows_of(connection, user_id):
        add_defaults(connection, user_id, now)
    mine = update(user_privacy_settings).where(user_privacy_settings.c.user_id == user_id)
    connection.execute(mine.values({**values, "updated_at": clock.stored(now)}))


def add_defaults(
    connection: Connection, user_id: int, now: datetime, *, releases_shipped_rules: bool | None = None
) -> None:
    """Write the row of a new account, or that of one which had none.

    Of a new account nothing was hidden before by what earlier versions hid: it ``releases_shipped_rules``.
    """
    connection.execute(
        insert(user_privacy_settings).values(
            user_id=user_id,
            show_contact_info=True,
            show_location=True,
            show_current_company=True,
            show_salary_range=False,
            show_education_details=True,
            show_personal_projects=True,
            business_card_mode=False,
            ai_assistant_access=True,
            custom_privacy_rules="{}",
            releases_shipped_rules=releases_shipped_rules,
            created_at=clock.stored(now),
        )
    )
