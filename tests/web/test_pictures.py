"""Pictures over HTTP: what is taken, what is left of it, who is shown it, and when it is gone."""

from __future__ import annotations

import io
import re
import zipfile
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from PIL import Image, ImageDraw
from sqlalchemy import select

from app.entries.entry import Origin
from app.entries.person_archive import archive_of_person
from app.entries.question import Question
from app.erased_people import erase_whole
from app.erasures import OfToday
from app.formats.pictures import AVATAR_MOST_BYTES, PIXELS_MOST
from app.server import entry_lookup, list_worker, picture_lookup
from app.server.authenticate import Client
from app.server.list_worker import ListAnswer, ListRequest
from app.settings import Settings
from app.tables import picture_sizes, picture_use, pictures
from tests.databases import outside
from tests.web.conftest import PASSWORD, Site
from tests.web.test_feeds import as_json, atom
from tests.web.test_pages import page, publish
from tests.web.test_twins import twin

SECRET = b"SECRET-OF-THE-CAMERA"


def photo(size: tuple[int, int] = (1200, 800), form: str = "JPEG", seed: int = 1, **options: Any) -> bytes:
    """A picture whose upper left quarter is red, with a maker and a place in it."""
    made = Image.new("RGB", size, (20, 90 + seed % 100, 200))
    ImageDraw.Draw(made).rectangle((0, 0, size[0] // 2, size[1] // 2), fill=(220, 20, 20))
    exif = made.getexif()
    exif[0x010F], exif[0x0112] = SECRET.decode(), options.pop("orientation", 1)
    exif.get_ifd(0x8825)[1] = "N"
    file = io.BytesIO()
    known = {"exif": exif.tobytes()} if form in ("JPEG", "WEBP", "PNG", "AVIF") else {}
    made.save(file, form, **known, **options)
    return file.getvalue()


def sent(site: Site, who: dict[str, str], path: str, content: bytes, **headers: str) -> Any:
    method = "PUT" if path.endswith("/avatar") else "POST"
    said = {"Content-Type": "image/jpeg", **headers, **who}
    return site.client.request(method, path, content=content, headers=said)


def url(picture: dict[str, Any], size: str = "large") -> str:
    return "/" + str(picture["sizes"][size]["url"]).lstrip("./")


@pytest.fixture
def ann(site: Site) -> dict[str, str]:
    return site.log_in("ann")


@pytest.fixture
def idea(site: Site, ann: dict[str, str]) -> str:
    return f"/api/v1/ideas/{publish(site, ann, 'ideas', {'title': 'Hives', 'content': 'x'})}"


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF"])
def test_nothing_but_pixels_is_left_of_a_file(site: Site, ann: dict[str, str], idea: str, form: str) -> None:
    content = photo(form=form, orientation=6)
    assert SECRET in content or form == "AVIF"
    made = sent(site, ann, f"{idea}/pictures", content)
    assert made.status_code == 201, made.text
    assert made.json()["original_kept"] is False
    for name, longest in (("small", 320), ("medium", 960), ("large", 1200)):
        answer = site.client.get(url(made.json(), name))
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
        assert answer.headers["cache-control"] == "public, no-cache"
        found = Image.open(io.BytesIO(answer.content))
        assert max(found.size) == longest
        assert found.size[0] < found.size[1], "turned upright, as the camera was held"
        red = found.convert("RGB").getpixel((found.width - 5, 5))
        assert isinstance(red, tuple)
        assert red[0] > 150 > red[2]
        assert not {"exif", "icc_profile", "xmp"} & set(found.info)
        assert SECRET not in answer.content


def animation() -> bytes:
    frames, file = [Image.new("RGB", (9, 9), (n, 0, 0)) for n in (1, 99)], io.BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:])
    return file.getvalue()


def large() -> bytes:
    file = io.BytesIO()
    Image.new("1", (PIXELS_MOST // 1000 + 1, 1000)).save(file, "PNG")
    return file.getvalue()


REFUSED = {
    "no picture": (b"not one", "no picture"),
    "a drawing": (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "no picture"),
    "another form": (photo((9, 9), "TIFF"), "no picture"),
    "cut off": (photo()[:4000], "damaged"),
    "one that moves": (animation(), "frames"),
    "too many pixels": (large(), "pixels"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_of_one_frame_is_refused_with_a_sentence(
    site: Site, ann: dict[str, str], name: str
) -> None:
    content, words = REFUSED[name]
    answer = sent(site, ann, "/api/v1/me/avatar", content)
    assert answer.status_code == 422
    assert words in answer.json()["detail"]
    assert site.client.get("/api/v1/me/avatar", headers=ann).status_code == 404


def test_what_is_larger_or_of_another_type_is_not_read(site: Site, ann: dict[str, str]) -> None:
    assert sent(site, ann, "/api/v1/me/avatar", b"x" * 10_000_001).status_code == 413
    assert sent(site, ann, "/api/v1/me/avatar", photo(), **{"Content-Type": "text/html"}).status_code == 415
    assert sent(site, {}, "/api/v1/me/avatar", photo()).status_code == 401


def test_an_avatar_is_on_the_page_and_one_takes_the_place_of_the_other(
    site: Site, ann: dict[str, str], idea: str
) -> None:
    first = sent(site, ann, "/api/v1/me/avatar", photo())
    assert first.status_code == 201
    said = site.client.patch("/api/v1/me/avatar", json={"alt": "Ann among hives"}, headers=ann)
    assert said.json()["alt"] == "Ann among hives"
    for name, most in AVATAR_MOST_BYTES.items():
        assert len(site.client.get(url(first.json(), name)).content) <= most
    text = page(site, "/@ann")
    assert f'src="{url(first.json(), "medium")[1:]}"' in text
    assert 'alt="Ann among hives"' in text
    assert f'"image":"{url(first.json(), "large")[1:]}"' in text, "for programs"
    second = sent(site, ann, "/api/v1/me/avatar", photo(seed=2))
    assert second.status_code == 200
    assert site.client.get(url(first.json())).status_code == 404
    assert url(second.json(), "medium")[1:] in page(site, "/@ann")
    assert site.client.delete("/api/v1/me/avatar", headers=ann).status_code == 204
    assert "/media/" not in page(site, "/@ann")


def test_pictures_of_an_entry_are_on_its_page_with_their_size_and_words(
    site: Site, ann: dict[str, str], idea: str
) -> None:
    made = [sent(site, ann, f"{idea}/pictures", photo(seed=seed)).json() for seed in range(2)]
    place = f"{idea}/pictures/{made[1]['id']}"
    assert site.client.patch(place, json={"alt": 'A hive "opened"'}, headers=ann).status_code == 200
    text = page(site, idea.replace("/api/v1", "/@ann"))
    assert text.index(url(made[0], "medium")) < text.index(url(made[1], "medium"))
    assert 'width="960" height="640"' in text
    assert "A hive &#34;opened&#34;" in text
    listed = site.client.get(f"{idea}/pictures").json()["items"]
    assert [(each["id"], each["alt"]) for each in listed] == [
        (made[0]["id"], ""),
        (made[1]["id"], 'A hive "opened"'),
    ]
    assert site.client.delete(place, headers=ann).status_code == 204
    assert site.client.delete(place, headers=ann).status_code == 404
    assert site.client.get(url(made[1])).status_code == 404


def test_words_about_a_picture_are_kept_from_strangers_as_those_of_a_text_are(
    site: Site, ann: dict[str, str], idea: str
) -> None:
    assert site.client.post("/api/v1/privacy/never-list", json={"word": "Wren"}, headers=ann).is_success
    for number, alt in enumerate(("Call +44 20 7946 0018", "My daughter Wren")):
        made = sent(site, ann, f"{idea}/pictures", photo(seed=number)).json()
        site.client.patch(f"{idea}/pictures/{made['id']}", json={"alt": alt}, headers=ann)
    assert [each["alt"] for each in site.client.get(f"{idea}/pictures").json()["items"]] == ["", ""]
    text = page(site, idea.replace("/api/v1", "/@ann"))
    assert "Wren" not in text
    assert "7946" not in text
    own = site.client.get(f"{idea}/pictures", headers=ann).json()["items"]
    assert own[1]["alt"] == "My daughter Wren"


def without_request(answer: Any) -> tuple[dict[str, str], dict[str, Any]]:
    headers = {name: value for name, value in answer.headers.items() if name != "x-request-id"}
    return headers, {**answer.json(), "request_id": "", "instance": ""}


@pytest.mark.parametrize(
    "change",
    [
        {"meta": {"visibility": "private"}},
        {"meta": {"visibility": "unlisted"}},
        {"meta": {"status": "draft"}},
        {"meta": {"expires_at": "2020-01-01T00:00:00Z"}},
        {"meta": {"publish_at": "2090-01-01T00:00:00Z"}},
        None,
    ],
    ids=["private", "unlisted", "draft", "expired", "later", "deleted"],
)
def test_where_the_entry_is_not_shown_its_picture_is_not_there(
    site: Site, ann: dict[str, str], idea: str, change: dict[str, Any] | None
) -> None:
    made = sent(site, ann, f"{idea}/pictures", photo()).json()
    assert site.client.get(url(made)).status_code == 200
    if change is None:
        assert site.client.delete(idea, headers=ann).status_code == 204
    else:
        assert site.client.patch(idea, json=change, headers=ann).status_code == 200
    site.add_user("otto")
    nothing = f"/media/{'A' * 24}.webp"
    for who in ({}, site.log_in("otto")):
        hidden, missing = (site.client.get(path, headers=who) for path in (url(made), nothing))
        assert hidden.status_code == missing.status_code == 404
        assert without_request(hidden) == without_request(missing)
        assert site.client.get(f"{idea}/pictures", headers=who).status_code == 404
    own = site.client.get(url(made), headers=ann)
    assert own.status_code == 200
    assert "no-store" in own.headers["cache-control"]


def test_there_is_room_for_so_much_and_room_again(serve: Callable[..., Site], settings: Settings) -> None:
    site = serve(replace(settings, picture_quota_bytes=30_000))
    site.add_user("ann", is_admin=True)
    ann = site.log_in("ann")
    first = f"/api/v1/ideas/{publish(site, ann, 'ideas', {'content': 'x'})}"
    made = sent(site, ann, f"{first}/pictures", noise(100)).json()
    assert made["most_bytes"] == 30_000
    assert 10_000 < made["used_bytes"] < 30_000
    refused = sent(site, ann, f"{first}/pictures", noise(100))
    assert (refused.status_code, refused.json()["code"]) == (403, "quota_reached")
    assert site.client.delete(f"{first}/pictures/{made['id']}", headers=ann).status_code == 204
    made = sent(site, ann, f"{first}/pictures", noise(100))
    assert made.status_code == 201
    site.client.post("/auth/confirm", json={"password": PASSWORD}, headers=ann)
    content = site.client.get(url(made.json())).content
    assert content in bytes_of(site.settings)
    assert site.client.post(f"{first}/erase", headers=ann).status_code == 200
    assert content not in bytes_of(site.settings)
    assert site.client.get(url(made.json()), headers=ann).status_code == 404
    second = f"/api/v1/ideas/{publish(site, ann, 'ideas', {'content': 'y'})}"
    assert sent(site, ann, f"{second}/pictures", noise(100)).status_code == 201


def noise(side: int) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((side, side), 120).save(file, "PNG")
    return file.getvalue()


def bytes_of(settings: Settings) -> bytes:
    """What is in the files of a database, its pages packed together or not."""
    if not settings.database_url.startswith("sqlite"):
        with outside(settings.database_url) as connection:
            return b"".join(map(bytes, connection.execute(select(picture_sizes.c.content)).scalars()))
    with outside(settings.database_url) as connection:
        stored = b"".join(map(bytes, connection.execute(select(picture_sizes.c.content)).scalars()))
    folder = settings.database_path.parent
    return stored + b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


def test_a_key_sees_no_more_pictures_than_entries(site: Site, ann: dict[str, str], idea: str) -> None:
    mine = f"/api/v1/ideas/{publish(site, ann, 'ideas', {'content': 'x', 'meta': {'visibility': 'private'}})}"
    shown, hidden = (sent(site, ann, f"{each}/pictures", photo()).json() for each in (idea, mine))
    scopes: dict[str, dict[str, Any]] = {
        "all": {},
        "another kind": {"kinds": ["goals"]},
        "a level": {"privacy_level": "business_card"},
    }
    expected = {"all": (200, 200, 200, 404), "another kind": (403, 404, 403, 404), "a level": (404,) * 4}
    for name, scope in scopes.items():
        made = site.client.post("/auth/keys", json={"name": name, **scope}, headers=ann)
        assert made.status_code == 201, made.text
        key = {"X-API-Key": made.json()["key"]}
        asked = (f"{idea}/pictures", url(shown), f"{mine}/pictures", url(hidden))
        assert tuple(site.client.get(path, headers=key).status_code for path in asked) == expected[name], name


def test_with_a_person_go_all_their_pictures(site: Site, ann: dict[str, str], idea: str) -> None:
    sent(site, ann, f"{idea}/pictures", photo())
    sent(site, ann, "/api/v1/me/avatar", photo())
    tables = (pictures, picture_sizes, picture_use)
    with site.writing() as connection:
        assert all(connection.execute(select(table)).first() for table in tables)
        erase_whole(OfToday(connection), site.user("ann").id, "2030-01-01 00:00:00.000000")
        assert not any(connection.execute(select(table)).first() for table in tables)


def test_everything_about_oneself_has_every_size(site: Site, ann: dict[str, str], idea: str) -> None:
    made = sent(site, ann, f"{idea}/pictures", photo()).json()
    user = site.user("ann")
    whole = b"".join(archive_of_person(site.app.server.supervisor.reading, user))
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        for name in ("small", "medium", "large"):
            file = archive.read(f"pictures/{made['id']}-{name}.webp")
            assert file == site.client.get(url(made, name)).content


def test_programs_get_the_pictures_of_what_is_shown_and_of_nothing_else(
    site: Site, ann: dict[str, str], idea: str
) -> None:
    mine = publish(site, ann, "ideas", {"content": "x", "meta": {"visibility": "private"}})
    face = sent(site, ann, "/api/v1/me/avatar", photo()).json()
    shown = [sent(site, ann, f"{idea}/pictures", photo(seed=seed)).json() for seed in range(2)]
    kept = sent(site, ann, f"/api/v1/ideas/{mine}/pictures", photo(seed=3)).json()
    alt = {"alt": 'A "hive" & <more>'}
    said = site.client.patch(f"{idea}/pictures/{shown[0]['id']}", json=alt, headers=ann)
    assert said.status_code == 200
    secret = {"alt": "Call +44 20 7946 0018"}
    site.client.patch(f"{idea}/pictures/{shown[1]['id']}", json=secret, headers=ann)
    addresses = [f"http://daemon.example{url(each)}" for each in shown]
    avatar = f"http://daemon.example{url(face, 'medium')}"
    for path in ("/@ann", "/@ann/ideas", ""):
        read = atom(site, f"{path}/feed.atom")
        assert [each.href for each in read.entries[0].enclosures] == addresses
        assert [each.get("title") for each in read.entries[0].enclosures] == [alt["alt"], None]
        assert {each.type for each in read.entries[0].enclosures} == {"image/webp"}
        assert read.feed.icon == avatar
        told = as_json(site, f"{path}/feed.json")
        assert (told["icon"], told["authors"][0]["avatar"]) == (avatar, avatar)
        assert told["items"][0]["image"] == addresses[0]
        assert [each["url"] for each in told["items"][0]["attachments"]] == addresses
        assert [each.get("title") for each in told["items"][0]["attachments"]] == [alt["alt"], None]
    own_page = idea.replace("/api/v1", "/@ann")
    assert [*links_of(site, f"{own_page}.md")] == [
        each.removeprefix("http://daemon.example") for each in addresses
    ]
    assert [*links_of(site, "/@ann.md")] == [url(face)]
    card = site.client.get("/@ann/card.vcf").text.replace("\r\n ", "")
    (_, photo_said) = re.findall("(PHOTO:data:image/webp;base64,)([A-Za-z0-9+/=]+)\r\n", card)[0]
    assert b64decode(photo_said) == site.client.get(url(face, "small")).content
    paths = [f"{base}/{form}" for base in ("", "/@ann", "/@ann/ideas") for form in ("feed.atom", "feed.json")]
    paths += ["/@ann.md", "/index.md", "/@ann/ideas.md", f"{own_page}.md", "/@ann/card.vcf"]
    for path in paths:
        text = site.client.get(path, headers=ann).text
        assert "7946" not in text
        for size in kept["sizes"].values():
            assert size["url"].rpartition("/")[2] not in text, path

    assert site.client.patch(idea, json={"meta": {"visibility": "private"}}, headers=ann).status_code == 200
    publish(site, ann, "ideas", {"content": "y"})
    site.client.put("/api/v1/me/page", json={"head_lines": ["does"]}, headers=ann)
    for path in paths:
        if path != f"{own_page}.md":
            assert "/media/" not in site.client.get(path, headers=ann).text, path
    assert "PHOTO" not in site.client.get("/@ann/card.vcf").text


def links_of(site: Site, path: str) -> Iterator[str]:
    """Addresses of pictures in a twin."""
    return (f"/{each.lstrip('./')}" for each in re.findall(r"\]\(<([^>]*media/[^>]*)>\)", twin(site, path)))


def test_what_is_costly_to_see_is_made_apart_and_decides_alike(
    site: Site, ann: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = publish(site, ann, "ideas", {"title": "Hives", "content": "Of bees. " * 9000})
    hidden = publish(site, ann, "ideas", {"content": "mine " * 9000, "meta": {"visibility": "private"}})
    lists = [f"/api/v1/ideas/{each}/pictures" for each in (shown, hidden)]
    media = [url(sent(site, ann, path, photo(seed=at)).json()) for at, path in enumerate(lists)]
    asked: list[ListRequest] = []

    def made_here(wanted: ListRequest) -> ListAnswer:
        asked.append(wanted)
        return list_worker.make(wanted)

    monkeypatch.setattr(site.app.server.list_workers, "ask", made_here)
    found = []
    for most in (0, 10**9):
        monkeypatch.setattr(entry_lookup, "SEARCHED_MOST_HERE", most)
        seen = []
        for path in (*media, *lists, "/@ann/feed.json?level=professional"):
            site.app.server.response_cache.forget()
            site.app.server.views.forget()
            answer = site.client.get(path)
            seen.append((answer.status_code, re.sub(rb'"request_id": "[^"]*"', b"", answer.content)))
        found.append(seen)
    assert found[0] == found[1]
    assert [status for status, _ in found[0]] == [200, 404, 200, 404, 200]
    assert b".webp" in found[0][4][1]
    assert {each.question.entry_id for each in asked if isinstance(each.question, Question)} >= {shown}
    # what is one question's is what many share: one that is above it does not end the others
    monkeypatch.setattr(entry_lookup, "SEARCHED_MOST_HERE", 100)
    small = publish(site, ann, "ideas", {"content": "A small one."})
    sent(site, ann, f"/api/v1/ideas/{small}/pictures", photo(seed=7))
    site.app.server.views.forget()
    asked.clear()
    told = picture_lookup.pictures_of_shown(site.app.server, Client(Origin()), [shown, small, hidden])
    assert set(told) == {shown, small}
    assert shown in {each.question.entry_id for each in asked if isinstance(each.question, Question)}
    assert small not in {each.question.entry_id for each in asked if isinstance(each.question, Question)}


def test_a_card_leads_to_the_picture_where_the_address_of_the_server_is_known(
    settings: Settings, serve: Callable[..., Site]
) -> None:
    site = serve(replace(settings, public_url="https://me.example"))
    site.add_user("ann", is_admin=True)
    ann = site.log_in("ann")
    publish(site, ann, "ideas", {"content": "x"})
    face = sent(site, ann, "/api/v1/me/avatar", photo()).json()
    card = site.client.get("/@ann/card.vcf").text.replace("\r\n ", "")
    assert f"PHOTO:https://me.example{url(face, 'medium')}\r\n" in card


def test_an_avatar_of_whoever_shows_nothing_is_not_there(site: Site, ann: dict[str, str]) -> None:
    made = sent(site, ann, "/api/v1/me/avatar", photo()).json()
    assert site.client.get(url(made)).status_code == 404
    assert "no-store" in site.client.get(url(made), headers=ann).headers["cache-control"]
    publish(site, ann, "ideas", {"content": "x"})
    assert site.client.get(url(made)).status_code == 200
    changed = site.client.patch("/api/v1/privacy/settings", json={"ai_assistant_access": False}, headers=ann)
    assert changed.status_code == 200
    assert site.client.get(url(made), headers={"User-Agent": "GPTBot/1.0"}).status_code == 404
    answer = site.client.get(url(made))
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")
