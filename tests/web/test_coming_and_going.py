"""Someone comes with a resume, a blog, books and contacts, sees what will be shown, and moves on later."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from app import clock
from app.entries.export_folder import read_export
from app.entries.import_writing import run_import
from app.entries.importing import plan_import
from app.privacy.levels import NAMES
from app.settings import Settings
from tests.databases import Databases
from tests.web.conftest import PASSWORD, Site

RESUME = {
    "basics": {
        "name": "Ann Bee",
        "label": "Engineer",
        "email": "ann@work.example",
        "phone": "+1 415 555 0134",
    },
    "work": [
        {"company": "Copperline", "position": "Principal", "startDate": "2019-03", "endDate": "Present"}
    ],
}
BOOKS = (
    "Book Id,Title,Author,My Rating,Exclusive Shelf,Date Read,My Review\n"
    "1,Dune,Frank Herbert,5,read,2020/10/25,good\n2,Emma,Jane Austen,0,to-read,,\n"
)
CARDS = "BEGIN:VCARD\nVERSION:3.0\nFN:Bob\nTEL;TYPE=CELL:+1 212 555 0142\nUID:b\nEND:VCARD\n"
POSTS = {
    "content/posts/first.md": "---\ntitle: First\ndate: 2020-01-02\ntags: [a]\n---\nCall +1 212 555 0199.\n",
    "content/posts/second.md": "+++\ntitle = 'Second'\ndraft = true\n+++\nnot yet\n",
}


def sources() -> dict[str, dict[str, str]]:
    """What is brought, each as the body of an import."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in POSTS.items():
            archive.writestr(path, text)
    return {
        "resume": {"name": "resume.json", "text": json.dumps(RESUME)},
        "ideas": {"name": "blog.zip", "base64": base64.b64encode(packed.getvalue()).decode()},
        "favorite_books": {"name": "goodreads_library_export.csv", "text": BOOKS},
        "contacts": {"name": "phone.vcf", "text": CARDS},
    }


def shown(site: Site, kind: str, level: str) -> list[Any]:
    """What strangers see of a kind, without ids and times."""
    items = site.client.get(f"/api/v1/{kind}?level={level}").json()["items"]
    return [each["data"] for each in items]


def test_someone_comes_is_published_and_moves_on(
    site: Site, serve: Callable[..., Site], settings: Settings, databases: Databases, tmp_path: Path
) -> None:
    ann = site.log_in("ann")
    for kind, body in sources().items():
        planned = site.client.post("/api/v1/import", json={**body, "dry_run": True}, headers=ann)
        assert planned.status_code == 200, planned.text
        promised = {
            level: [view for each in planned.json()["items"] if (view := each["strangers_see"][level])]
            for level in NAMES
        }
        assert shown(site, kind, "public_full") == [], "a dry run writes nothing"
        assert site.client.post("/api/v1/import", json=body, headers=ann).status_code == 200
        for level in NAMES:
            seen = [each for each in shown(site, kind, level) if each]
            assert seen == promised[level], (kind, level)
    whole = "".join(json.dumps(shown(site, kind, "public_full")) for kind in sources())
    assert "Copperline" in whole
    assert "Dune" in whole
    assert "First" in whole
    assert not [each for each in ("555", "not yet", "Emma", "Bob") if each in whole]
    site.client.post("/auth/confirm", json={"password": PASSWORD}, headers=ann)
    path = tmp_path / "ann.zip"
    path.write_bytes(site.client.post("/api/v1/me/archive", json={}, headers=ann).content)
    other = tmp_path / "second"
    other.mkdir()
    second = serve(replace(settings, database_url=databases.fresh(other), data_dir=other / "data"))
    with second.writing() as connection:
        plan = plan_import(connection, read_export(path), "public_full", into=None, is_admin=True)
        run_import(connection, plan, clock.now())
    for kind in sources():
        for level in NAMES:
            assert shown(second, kind, level) == shown(site, kind, level), (kind, level)
