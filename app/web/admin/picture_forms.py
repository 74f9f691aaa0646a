"""Pictures in forms of the admin. Which are there, and beside which field is what the API refuses?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.web.admin.api import Answer, path_of_kind

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

AVATAR = "/api/v1/me/avatar"
FILE, ALT = "picture", "alt"
ANY_PICTURE = "application/octet-stream"  # the API looks at the bytes, whatever a browser calls them


async def avatar_of(visit: Visit) -> dict[str, Any] | None:
    """Return one's own picture as it is shown; None where there is none."""
    found = await visit.api.call("GET", AVATAR)
    return _shown(found.body) if found.is_ok else None


def path_of_entry(visit: Visit) -> str:
    """Return the API's address of the pictures of the entry of this screen."""
    return path_of_kind(visit.names["kind"], visit.names["entry"], "pictures")


async def pictures_of_entry(visit: Visit) -> list[dict[str, Any]]:
    """Return the pictures of the entry of this screen, as they are shown."""
    found = await visit.api.call("GET", path_of_entry(visit))
    return [_shown(each) for each in found.body["items"]] if found.is_ok else []


async def add(visit: Visit, method: str, path: str) -> Answer | None:
    """Send the file that was chosen, and the words about it; None, or what the API refused of either."""
    chosen = visit.form.file(FILE)
    content = b"" if chosen is None else chosen.content
    sent = await visit.api.call(method, path, body=content, headers={"Content-Type": ANY_PICTURE})
    if not sent.is_ok:
        return _beside(FILE, sent)
    if not visit.form.line(ALT):
        return None
    where = path if method == "PUT" else f"{path}/{sent.body['id']}"
    return await _say(visit, where, ALT, f"{ALT}.{sent.body['id']}")


async def say(visit: Visit, path: str, picture_id: int) -> Answer | None:
    """Change the words about a picture; None, or what the API refused."""
    name = f"{ALT}.{picture_id}"
    return await _say(visit, path, name, name)


async def remove(visit: Visit, path: str) -> Answer | None:
    """Remove a picture for good; None, or what the API refused."""
    done = await visit.api.call("DELETE", path)
    return None if done.is_ok else _beside(FILE, done)


async def _say(visit: Visit, path: str, typed: str, beside: str) -> Answer | None:
    done = await visit.api.call("PATCH", path, json={"alt": visit.form.line(typed)})
    return None if done.is_ok else _beside(beside, done)


def _beside(name: str, refusal: Answer) -> Answer:
    """Return a refusal that is said beside a field of a form of pictures."""
    body = refusal.body if isinstance(refusal.body, dict) else {}
    faults = [str(each.get("detail", "")) for each in body.get("errors", ())] or [str(body.get("detail", ""))]
    return refusal._replace(body={**body, "errors": [{"pointer": f"/{name}", "detail": "; ".join(faults)}]})


def _shown(picture: dict[str, Any]) -> dict[str, Any]:
    """Return what a form shows: its small size, at an address that the browser's session opens."""
    small = picture["sizes"]["small"]
    name = small["url"].rpartition("/")[2]
    return {
        "id": picture["id"],
        "alt": picture["alt"],
        "path": f"/manage/media/{name}",
        "width": small["width"],
        "height": small["height"],
    }
