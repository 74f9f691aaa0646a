"""Paper: is a resume as PDF what strangers see of the page, in its order, on its sheets, tagged?"""

from __future__ import annotations

import contextlib
import re
import subprocess
import zlib
from typing import Any

import html5lib
import pytest

from app.formats import pdf_process
from app.formats.pdf_process import _answer
from app.privacy.levels import NAMES
from app.worker_process import Message
from tests.web.conftest import Site
from tests.web.test_pages import HTML, RESUME, page, publish

READS_PDF = pytest.mark.needs("pdftotext")
CITY = "Ten hives on roofs, and what they need in a year. " * 12


@pytest.fixture
def ann(site: Site) -> dict[str, str]:
    who = site.log_in("ann")
    publish(site, who, "resume", {**RESUME})
    publish(site, who, "looking_for", {"content": "A meadow of my own"})
    publish(site, who, "projects", {"title": "City hives", "content": CITY, "tags": ["roofs"]})
    publish(site, who, "ideas", {"title": "An idea", "content": "No matter of a resume."})
    return who


def pdf_of(site: Site, query: str = "", path: str = "/@ann/resume.pdf") -> bytes:
    answer = site.client.get(path + query)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/pdf"
    return bytes(answer.content)


def read(content: bytes, program: str, *options: str) -> str:
    asked = [program, *options, "-", *(["-"] if program == "pdftotext" else [])]
    return subprocess.run(asked, input=content, capture_output=True, check=True).stdout.decode()


def unpacked(content: bytes) -> str:
    """What stands in the compressed objects of a PDF."""
    found = []
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        with contextlib.suppress(zlib.error):
            found.append(zlib.decompress(stream).decode("latin-1"))
    return "\n".join(found)


def words_of(text: str) -> list[str]:
    return re.findall(r"\w+", text)


@READS_PDF
def test_it_is_tagged_and_says_what_the_page_says_in_its_order(site: Site, ann: dict[str, str]) -> None:
    content = pdf_of(site)
    facts = read(content, "pdfinfo")
    assert re.search(r"Tagged: +yes", facts)
    assert re.search(r"Title: +Ann Bee", facts)
    assert "595.276 x 841.89 pts (A4)" in facts
    assert "/Lang (en)" in unpacked(content)
    text = words_of(read(content, "pdftotext", "-raw"))
    tree = html5lib.parse(site.client.get("/@ann", headers=HTML).text, namespaceHTMLElements=False)
    places: list[int] = []
    for each in tree.iter():
        if each.tag in ("h1", "h3", "h4", "h5") or each.get("class") in ("sub", "lead p-job-title"):
            said = words_of("".join(each.itertext()))
            if said and said != ["An", "idea"]:
                start = places[-1] if places else 0
                found = next(
                    (at for at in range(start, len(text)) if text[at : at + len(said)] == said), None
                )
                assert found is not None, f"{said} is not there, or not in the order of the page"
                places.append(found)
    assert len(places) >= 7
    assert "idea" not in text
    assert "7946" not in text
    assert "90000" not in text
    assert words_of(CITY)[-1] == text[text.index("Tags") - 1] if "Tags" in text else "year" in text


@READS_PDF
def test_letter_and_the_only_person_here(site: Site, ann: dict[str, str]) -> None:
    assert "612 x 792 pts (letter)" in read(pdf_of(site, "?page=letter", "/resume.pdf"), "pdfinfo")
    site.add_user("otto")
    publish(site, site.log_in("otto"), "ideas", {"content": "x"})
    assert site.client.get("/resume.pdf").status_code == 404
    assert site.client.get("/@otto/resume.pdf").status_code == 404, "nothing of his is in a resume"
    assert site.client.get("/@ann/resume.pdf?page=a0").status_code in (400, 422)


@READS_PDF
def test_one_sheet_or_what_takes_most_room(site: Site, ann: dict[str, str]) -> None:
    assert re.search(r"Pages: +1\n", read(pdf_of(site, "?one_page=1"), "pdfinfo"))
    publish(
        site, ann, "projects", {"title": "The long one", "content": "\n\n".join(["All of it. " * 50] * 12)}
    )
    answer = site.client.get("/@ann/resume.pdf?one_page=1")
    assert answer.status_code == 400
    assert re.search(
        r"takes [2-9]\. Longest: The long one \([67],\d{3} characters\), ", answer.json()["detail"]
    )
    assert int(re.findall(r"Pages: +(\d+)", read(pdf_of(site), "pdfinfo"))[0]) > 1


@READS_PDF
def test_a_business_card_has_its_size_and_no_more_than_its_level(site: Site, ann: dict[str, str]) -> None:
    content = pdf_of(site, "?level=business_card")
    assert "240.945 x 155.906 pts" in read(content, "pdfinfo"), "85 x 55 mm"
    text = read(content, "pdftotext")
    assert "Keeper of bees" in text
    shown = site.client.get("/api/v1/resume?level=business_card").text
    for word in ("Copperline", "7946", "Honey"):
        assert word not in text
    assert ("ann@bees.example" in text) == ("ann@bees.example" in shown)


def test_who_sees_no_page_gets_no_pdf_and_without_the_extra_it_says_so(
    site: Site, ann: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    site.client.put("/api/v1/me/page", json={"formats_off": ["pdf"]}, headers=ann)
    assert site.client.get("/@ann/resume.pdf").status_code == 404
    assert "resume.pdf" not in page(site, "/@ann")
    site.client.put("/api/v1/me/page", json={}, headers=ann)
    assert 'href="@ann/resume.pdf"' in page(site, "/@ann")
    site.add_user("otto")
    answers = [site.client.get(f"/@{name}/resume.pdf") for name in ("otto", "nobody-here")]
    assert [each.status_code for each in answers] == [404, 404]
    monkeypatch.setattr(pdf_process, "is_installed", lambda: False)
    answer = site.client.get("/@ann/resume.pdf")
    assert (answer.status_code, answer.json()["code"]) == (501, "not_installed")
    assert "daemon-personal-api[pdf]" in answer.json()["hint"]


def test_a_browser_is_told_as_a_page_that_there_is_no_pdf(
    site: Site, ann: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf_process, "is_installed", lambda: False)
    for path in ("/@ann/resume.pdf", "/resume.pdf"):
        assert "daemon-personal-api[pdf]" in page(site, path, 501)
        answer = site.client.get(path, headers={"Accept": "*/*"})
        assert (answer.status_code, answer.json()["code"]) == (501, "not_installed")


@pytest.mark.parametrize("level", NAMES)
def test_what_is_hidden_at_a_level_changes_no_byte_of_what_it_is_made_of(
    site: Site, monkeypatch: pytest.MonkeyPatch, level: str
) -> None:
    given: list[bytes] = []

    def noted(html: bytes, styles: list[str]) -> tuple[bytes, int]:
        given.append(html + "".join(styles).encode())
        return b"%PDF-", 1

    monkeypatch.setattr(site.app.server.pdfs, "pdf_of", noted)
    who = site.log_in("ann")
    made = publish(site, who, "resume", {**RESUME})
    publish(site, who, "about", {"content": "Call +44 20 7946 0018", "name": "Ann Bee"})
    hidden = publish(
        site, who, "projects", {"title": "Hidden", "content": "x", "meta": {"visibility": "private"}}
    )
    assert site.client.get(f"/@ann/resume.pdf?level={level}").status_code == 200
    changed = {"contact": {"phone": "+44 20 7946 0999"}, "zz_unlisted": "more" * 9}
    assert site.client.patch(f"/api/v1/resume/{made}", json=changed, headers=who).status_code == 200
    site.client.patch(f"/api/v1/projects/{hidden}", json={"title": "Another", "tags": ["q"]}, headers=who)
    assert site.client.get(f"/@ann/resume.pdf?level={level}").status_code == 200
    first, second = (re.sub(rb"Updated <time.*?</time>", b"", each) for each in given)
    assert first == second
    for word in (b"7946", b"90000", b"Hidden", b"zz_unlisted", b"moremore"):
        assert word not in first


def test_nothing_that_a_page_names_is_fetched(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    asked: list[object] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _self, address: asked.append(address))
    secret = tmp_path / "secret.css"
    secret.write_text("h1::after{content:'the secret'}")
    page = (
        f'<html lang="en"><title>x</title><link rel="stylesheet" href="file://{secret}">'
        '<link rel="stylesheet" href="http://127.0.0.1:9/x.css"><img src="http://127.0.0.1:9/x.png" alt="x">'
        f'<h1>A</h1><p style="background:url(file://{secret})">B'
    )
    styles = f"@import url(file://{secret});@font-face{{font-family:x;src:url(http://127.0.0.1:9/f)}}p{{font-family:x}}"
    found = _answer(Message({}, [page.encode(), styles.encode()]))
    assert found.pieces[0].startswith(b"%PDF-")
    assert b"secret" not in found.pieces[0]
    assert asked == []
