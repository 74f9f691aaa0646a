"""Dangerous acts. The password of a form is passed on first; then the API is asked for what it is for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from app.web.admin.language import _

if TYPE_CHECKING:
    from app.web.admin.api import Answer
    from app.web.admin.visit import Visit


async def confirmed(visit: Visit, method: str, path: str, json: Any = None) -> Answer:
    """Return what the API answers to a request that asks for the password again, or its refusal of that."""
    refusal = await visit.confirm()
    return await visit.api.call(method, path, json=json) if refusal is None else refusal


def fault_of_typed(visit: Visit, word: str) -> str:
    """Return what is wrong with the word that was typed to confirm; empty where it is the right one."""
    if visit.form.line("typed") == word:
        return ""
    return _("Nothing was done: what was typed is not %(word)s.", word=word)
