"""Privacy rules of everyone. What do admins see of them? They change those of the installation elsewhere.

Never with a key.
"""

from __future__ import annotations

from fastapi import Request
from starlette.responses import Response

from app.entries import everyones_rules
from app.entries.entry import LIMIT_DEFAULT, check_limit
from app.web.answers import reply
from app.web.deps import ServerOf, admin_of
from app.web.models.admin import RuleOfAnybodyPage
from app.web.models.parameters import Limit, RuleCursor
from app.web.operation import ADMIN, read_operation, router_of
from app.web.routes.admin_people import PLACES

router = router_of("admin")


def list_rules(
    request: Request, server: ServerOf, limit: Limit = LIMIT_DEFAULT, cursor: RuleCursor = None
) -> Response:
    """List the privacy rules of the installation, by id, and then everyone's own. A page may be short."""
    most = check_limit(limit)
    with server.supervisor.reading() as connection:
        admin_of(request, server, connection)
        found, following = everyones_rules.page_of_all(connection, cursor, most)
    return reply(request, {"items": found, "next": following}, is_public=False)


for at, old in PLACES:
    router.get(
        f"{at}/rules",
        **read_operation(f"admin_rules{old}", RuleOfAnybodyPage, who=ADMIN),
        deprecated=bool(old),
    )(list_rules)
