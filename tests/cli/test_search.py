"""What does `daemon search` find, for strangers and as a person's own?"""

from __future__ import annotations

from app.database import open_database
from app.entries import search_due, search_index, write
from app.entries.search_making import Maker
from app.privacy.viewer import Viewer
from app.settings import load_settings
from tests.cli.conftest import Typed
from tests.cli.test_user import PASSWORD

ENTRIES = (("public", "Bees in the garden"), ("private", "Bees of my own"))


def test_it_finds_what_strangers_find_and_what_is_a_persons_own(typed: Typed) -> None:
    typed("init")
    typed("user", "create", "ann", "--admin", "--password-stdin", stdin=PASSWORD + "\n")
    assert "not whole yet" in typed("search", "bees").err
    database, settings = open_database(load_settings()), load_settings()
    with database.writing() as connection:
        search_index.see_to_it(connection)
        for visibility, text in ENTRIES:
            content = {"content": text, "meta": {"title": visibility, "visibility": visibility}}
            write.create(connection, Viewer("admin", 1, "ann"), "ideas", content)
    with database.reading() as connection:
        made = Maker(connection, settings.privacy_level).make(search_due.ids_after(connection, 0, 10))
    with database.writing() as connection:
        search_index.keep(connection, made)
    database.close()
    found = typed("search", "bees", "--json").json["items"]
    assert [one["title"] for one in found] == ["public"]
    found = typed("search", "bees", "--user", "ann", "--json").json["items"]
    assert sorted(one["title"] for one in found) == ["private", "public"]
    found = typed("search", "bees", "--user", "ann", "--level", "ai_safe", "--json").json["items"]
    assert [one["title"] for one in found] == ["public"]
    assert "[Bees] in the garden" in typed("search", "bees", "--sort", "date").out
    assert typed("search", "-bees", status=2).status == 2
    for command in (("upgrade", "check"), ("backup", "create"), ("status",), ("doctor",), ("stats",)):
        said = typed(*command, status=None)
        assert said.status in (0, 10), said
        assert "_daemon_search" not in said.out + said.err
