"""What does every test of the entries use? A database of today's schema with two people in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Connection, Table, func, insert, select, update

from app.entries import endpoints as endpoint_rows
from app.entries import read
from app.entries.entry import Page, View
from app.entries.question import Question
from app.privacy.viewer import Viewer
from app.tables import data_entries, data_privacy_rules, endpoints, user_privacy_settings, users
from tests.databases import Databases

ANN = Viewer("admin", 1, "ann")
BEN = Viewer("person", 2, "ben")


@dataclass
class World:
    """A database and the rows that a test puts into it as they might have been stored by anyone."""

    conn: Connection

    def person(
        self, user_id: int, username: str, *, is_active: Any = 1, is_admin: Any = 0, **values: Any
    ) -> int:
        row = {
            "id": user_id,
            "username": username,
            "email": f"{username}@x.example",
            "hashed_password": "hash",
            "username_key": username.casefold(),
            **values,
        }
        self.conn.execute(insert(users).values(**row, is_active=is_active, is_admin=is_admin))
        return user_id

    def endpoint(self, name: str, **values: Any) -> int:
        row = {"name": name, "schema": "{}", "is_active": 1, "is_public": 1, **values}
        return self._insert(endpoints, row)

    def change_endpoint(self, named: str, **values: Any) -> None:
        self.conn.execute(update(endpoints).where(endpoints.c.name == named).values(values))

    def entry(
        self,
        kind: str,
        data: Any,
        *,
        owner: int | None = 1,
        visibility: str | None = "public",
        is_active: Any = 1,
        **values: Any,
    ) -> int:
        """Store an entry; text (and bytes) is stored as it is, anything else as JSON."""
        endpoint_id = self.conn.execute(select(endpoints.c.id).where(endpoints.c.name == kind)).scalar_one()
        stored = data if isinstance(data, str | bytes) else json.dumps(data)
        row = {"endpoint_id": endpoint_id, "data": stored, "created_by_id": owner, "is_active": is_active}
        return self._insert(data_entries, {**row, "visibility": visibility, **values})

    def settings(self, user_id: int, **values: Any) -> None:
        row = {
            **dict.fromkeys(("show_contact_info", "show_location", "show_current_company"), 1),
            **dict.fromkeys(("show_education_details", "show_personal_projects", "ai_assistant_access"), 1),
            **dict.fromkeys(("show_salary_range", "business_card_mode"), 0),
            "custom_privacy_rules": "{}",
        }
        self.conn.execute(insert(user_privacy_settings).values(user_id=user_id, **{**row, **values}))

    def rule(self, **values: Any) -> None:
        row = {"endpoint_name": "*", "field_path": "*", "is_active": 1, **values}
        self.conn.execute(insert(data_privacy_rules).values(row))

    def page(
        self,
        viewer: Viewer,
        kind: str,
        owner: str | None = None,
        *,
        watch: read.Watch | None = None,
        **more: Any,
    ) -> Page:
        """The list that the viewer is answered; ``more`` goes into the question."""
        question = Question(kind, viewer, owner, **more)
        return read.page(self.conn, question, watch=watch)

    def item(
        self,
        viewer: Viewer,
        kind: str,
        entry_id: int,
        *,
        watch: read.Watch | None = None,
        **more: Any,
    ) -> View:
        """The entry that the viewer is answered."""
        question = Question(kind, viewer, entry_id=entry_id, **more)
        return read.item(self.conn, question, watch=watch).view

    def _insert(self, table: Table, row: dict[str, Any]) -> int:
        """Add a row whose id, unless it is given, is one above those that are there, on every engine."""
        free = int(self.conn.execute(select(func.coalesce(func.max(table.c.id), 0) + 1)).scalar_one())
        row_id = int(row.get("id", free))
        self.conn.execute(insert(table).values({"id": row_id, **row}))
        return row_id

    def count(self, table: Any) -> int:
        return int(self.conn.execute(select(func.count()).select_from(table)).scalar_one())


@pytest.fixture
def world(databases: Databases) -> Iterator[World]:
    """Ann (admin, id 1) and Ben (id 2), the 33 kinds, nothing else."""
    with made_world(databases) as made:
        yield made


@contextmanager
def made_world(databases: Databases) -> Iterator[World]:
    with databases.rooms() as connection:
        made = World(connection)
        made.person(1, "ann", is_admin=1)
        made.person(2, "ben")
        endpoint_rows.add_missing_endpoints(connection)
        yield made
