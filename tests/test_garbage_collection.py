"""Garbage collection: is none done by anyone while others wait for the lock, and all of it afterwards?"""

from __future__ import annotations

import gc
from pathlib import Path

import pytest

from app import garbage_collection
from app.database import Database
from app.errors import UnknownDatabase
from app.storage.sqlite.storage import SQLiteStorage
from tests.storage.conftest import make_database


def test_who_asked_last_lets_it_go_on() -> None:
    garbage_collection.put_off()
    garbage_collection.put_off()
    garbage_collection.go_on()
    assert not gc.isenabled()
    garbage_collection.go_on()
    assert gc.isenabled()


def test_what_was_off_before_stays_off() -> None:
    gc.disable()
    try:
        garbage_collection.put_off()
        garbage_collection.go_on()
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_none_is_done_while_the_write_lock_is_held(tmp_path: Path) -> None:
    make_database(tmp_path / "daemon.db")
    database = Database(SQLiteStorage(tmp_path / "daemon.db"))
    with database.writing():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ZeroDivisionError), database.writing():
        raise ZeroDivisionError
    assert gc.isenabled()
    database.close()
    missing = Database(SQLiteStorage(tmp_path / "missing.db"))
    with pytest.raises(UnknownDatabase), missing.writing():
        pass
    assert gc.isenabled()
