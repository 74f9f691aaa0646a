"""Import in the browser: a file is chosen, what would be added is shown, then it is added, and undone."""

from __future__ import annotations

import base64
import json
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.responses import Response

from app.web.admin import csv_columns
from app.web.admin.api import path_of
from app.web.admin.audience_words import level_names
from app.web.admin.language import _, ngettext
from app.web.admin.routing import ScreenRouter
from app.web.admin.shown import kind_title

if TYPE_CHECKING:
    from app.web.admin.api import Answer
    from app.web.admin.visit import Visit

router = ScreenRouter()
IMPORT = "/api/v1/import"
CARRIED_MOST = 1_000_000
"""Characters of a file that the page which shows it carries on; a larger one is chosen again."""

SHOWN_MOST = 200


@router.get("import")
async def ask(visit: Visit) -> Response:
    """Ask for a file, and list what came in so."""
    return await _page(visit)


@router.post("import")
async def look_or_add(visit: Visit) -> Response:
    """Show what a file would add, or add it. Nothing is added that was not shown."""
    source = _source(visit)
    if source is None:
        return visit.go_to("import", _("No file was chosen."), "bad")
    if not visit.form.has("add"):
        asked = source | {"dry_run": True} | ({"columns": {}} if csv_columns.fault_in(visit.form) else {})
        answer = await visit.api.call("POST", IMPORT, json=asked)
        return _shown(visit, source, answer) if answer.is_ok else await _refused(visit, source, answer)
    answer = await visit.api.call("POST", IMPORT, json=source)
    if not answer.is_ok:
        return await _page(visit, answer)
    count = sum(each["action"] == "add" for each in answer.body["items"])
    said = ngettext("%(num)s entry was added.", "%(num)s entries were added.", count)
    return visit.go_to("import", said if count else _("Nothing was added: all of it is here already."))


@router.post("import/{import_id:int}/undo")
async def undo(visit: Visit) -> Response:
    """Delete what an import has added."""
    answer = await visit.api.call("DELETE", path_of("api", "v1", "imports", visit.names["import_id"]))
    if not answer.is_ok:
        return visit.refused(answer, "import")
    return visit.go_to("import", _("What that import had added is deleted."))


def _source(visit: Visit) -> dict[str, Any] | None:
    form = visit.form
    chosen = form.file("file")
    if chosen is not None:
        source: dict[str, Any] = {"name": chosen.name, "base64": base64.b64encode(chosen.content).decode()}
    elif form.has("base64"):
        source = {"name": form.line("name"), "base64": form.line("base64")}
    else:
        return None
    for name in ("kind", "passphrase"):
        if form.line(name):
            source[name] = form.text(name).strip()
    if columns := csv_columns.chosen_columns(form):
        source["columns"] = columns
    return source | ({"without_unfit": True} if form.has("without_unfit") else {})


async def _refused(visit: Visit, source: dict[str, Any], answer: Answer) -> Response:
    """Ask what the columns of a CSV file are, where that is all that is not known; else say why not."""
    columns = csv_columns.unknown_columns(answer)
    if not columns:
        return await _page(visit, answer)
    kinds = (await visit.got("/api/v1/endpoints"))["items"]
    kind = next((each for each in kinds if each["name"] == source.get("kind")), None)
    members: list[tuple[str, str]] = []
    if kind is not None:
        schema = (await visit.got(path_of("api", "v1", "endpoints", kind["name"])))["schema"]
        members = csv_columns.members_of(schema)
    return visit.page(
        "import_columns.html",
        title=_("What are its columns?"),
        source=source,
        is_carried=_is_carried(source),
        kind=kind,
        kinds=[(each["name"], kind_title(each)) for each in kinds],
        columns=columns,
        members=members,
        guessed=source.get("columns") or csv_columns.guessed(columns, members),
        wrong=csv_columns.fault_in(visit.form),
    )


def _is_carried(source: dict[str, Any]) -> bool:
    return len(source["base64"]) <= CARRIED_MOST and "passphrase" not in source


def _shown(visit: Visit, source: dict[str, Any], answer: Answer) -> Response:
    items = answer.body["items"]
    return visit.page(
        "import_shown.html",
        title=_("What would be added"),
        source=source,
        is_carried=_is_carried(source),
        found=answer.body,
        items=items[:SHOWN_MOST],
        more=max(0, len(items) - SHOWN_MOST),
        counts={action: sum(each["action"] == action for each in items) for action in _actions()},
        actions=_actions(),
        levels=level_names(),
        text_of=partial(json.dumps, indent=2, ensure_ascii=False),
    )


def _actions() -> dict[str, str]:
    return {
        "add": _("would be added"),
        "here": _("is here already"),
        "changed": _("is here, and was changed since"),
        "unfit": _("does not fit its kind"),
        "erased": _("was erased here for good"),
    }


async def _page(visit: Visit, refusal: Answer | None = None) -> Response:
    kinds = (await visit.got("/api/v1/endpoints"))["items"]
    return visit.page(
        "import.html",
        title=_("Import"),
        refusal=refusal,
        imports=(await visit.got("/api/v1/imports"))["items"],
        kinds=[(each["name"], kind_title(each)) for each in kinds],
    )
