"""Second factor in the browser: a code to scan, a code to confirm it, recovery codes, and off again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import segno
from markupsafe import Markup
from starlette.responses import Response

from app.web.admin.api import Answer
from app.web.admin.dangerous import confirmed
from app.web.admin.language import _
from app.web.admin.routing import ScreenRouter

if TYPE_CHECKING:
    from app.web.admin.visit import Visit

router = ScreenRouter()
FACTOR = "/auth/second-factor"
BACK = "account/second-factor"


@router.get(BACK)
async def show(visit: Visit) -> Response:
    """Show whether it is on, and what can be done."""
    return await _page(visit)


@router.post(BACK + "/begin")
async def begin(visit: Visit) -> Response:
    """Show the secret as a code to scan and as text: on this page, and nowhere else."""
    answer = await confirmed(visit, "POST", FACTOR)
    return await _page(visit, enrolment=answer.body) if answer.is_ok else await _page(visit, answer)


@router.post(BACK + "/confirm")
async def confirm(visit: Visit) -> Response:
    """Turn it on with a code of the authenticator; show the recovery codes once."""
    answer = await visit.api.call("POST", f"{FACTOR}/confirm", json={"otp": visit.form.line("code")})
    if answer.is_ok:
        return await _page(visit, codes=answer.body["recovery_codes"])
    enrolment = {"uri": visit.form.text("uri"), "secret": visit.form.text("secret")}
    return await _page(visit, answer, enrolment=enrolment)


@router.post(BACK + "/recovery-codes")
async def renew(visit: Visit) -> Response:
    """Make new recovery codes in the place of all earlier ones."""
    answer = await confirmed(visit, "POST", f"{FACTOR}/recovery-codes")
    return (
        await _page(visit, codes=answer.body["recovery_codes"])
        if answer.is_ok
        else await _page(visit, answer)
    )


@router.post(BACK + "/off")
async def turn_off(visit: Visit) -> Response:
    """Turn it off: the password alone is asked for."""
    answer = await confirmed(visit, "DELETE", FACTOR)
    if not answer.is_ok:
        return await _page(visit, answer)
    return visit.go_to(BACK, _("It is off: your password alone lets one in."))


async def _page(
    visit: Visit,
    refusal: Answer | None = None,
    *,
    enrolment: dict[str, Any] | None = None,
    codes: list[str] | None = None,
) -> Response:
    is_ours = enrolment is not None and enrolment["uri"].startswith("otpauth://totp/")
    return visit.page(
        "second_factor.html",
        title=_("Second factor"),
        refusal=refusal,
        factor=await visit.got(FACTOR),
        enrolment=enrolment if is_ours else None,
        picture=_picture(enrolment["uri"]) if enrolment is not None and is_ours else "",
        codes=codes,
    )


def _picture(uri: str) -> Markup:
    """Return a QR code as SVG within the page: it has an address nowhere, and loads nothing."""
    made = segno.make(uri, error="m", micro=False)
    drawn = made.svg_inline(
        scale=5,
        border=4,
        light="#fff",
        dark="#000",
        svgclass="qr",
        lineclass=None,
        title=_("The code to scan"),
    )
    return Markup(drawn)
