"""What admins see of how the installation is set up, and whether it is sound. Never with a key."""

from __future__ import annotations

from dataclasses import asdict

from fastapi import Request
from starlette.responses import Response

from app.accounts import audit_verify
from app.accounts.operations import Result
from app.server.operations import Progress
from app.server.shown_settings import shown_settings
from app.typed_commands import in_answer
from app.web.answers import reply
from app.web.deps import ServerOf, admin_of
from app.web.models import installation as model
from app.web.models.operations import Operation
from app.web.operation import ADMIN, operation, read_operation, router_of
from app.web.routes.operations import accepted

router = router_of("admin", "/api/v1/admin")


@router.get("/settings", **read_operation("admin_settings", model.SettingPage, who=ADMIN))
def list_settings(request: Request, server: ServerOf) -> Response:
    """List the settings as this server has them, and where each is said. Secrets are not told."""
    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
    return reply(request, {"items": shown_settings(server.settings), "next": None}, is_public=False)


@router.get("/findings", **read_operation("admin_findings", model.FoundPage, who=ADMIN))
def list_findings(request: Request, server: ServerOf) -> Response:
    """List what is old or dangerous about the installation, the worst first; half a minute old at most."""
    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
    items = [
        {name: said[name] for name in ("code", "severity", "message")}
        | {"hint": in_answer(said["hint"]), "can_be_fixed": can}
        for said, can in ((asdict(one), one.can_be_fixed) for one in server.examination.find())
    ]
    return reply(request, {"items": items, "next": None}, is_public=False)


@router.post("/audit/verify", **operation("admin_audit_verify", Operation, 409, who=ADMIN, status=202))
def begin_verification(request: Request, server: ServerOf) -> Response:
    """Begin to read the whole audit: is it as it was written? The operation fails where it is not."""

    def work(progress: Progress) -> Result:
        with server.supervisor.reading() as reading:
            found = audit_verify.verify(reading, progress.note)
        found.refuse_if_broken()
        return Result()

    with server.supervisor.reading() as connection:
        actor = admin_of(request, server, connection)
    assert actor.user_id is not None, "an admin has an account"
    return accepted(request, server.operations.start(actor.user_id, "audit-verify", work))
