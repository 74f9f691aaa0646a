"""Planted bugs, as data: what each breaks, where, and what stands in its place while it is planted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import true

from app.entries import access
from app.entries.json_safe import read_content
from app.entries.validity import ALWAYS
from app.privacy.levels import LEVELS
from app.privacy.paths import Node
from app.privacy.released import Release
from app.privacy.viewer import Viewer
from app.web.answers import reply
from app.web.replies import keep_for_everybody


@dataclass(frozen=True)
class Bug:
    """``place``: ``module:name`` or ``module:class.name``, or two; ``instead`` makes another of what is."""

    name: str
    place: str
    instead: Callable[[Any], Any]


def always(value: Any) -> Callable[[Any], Any]:
    return lambda _original: lambda *_args, **_named: value


def value(one: Any) -> Callable[[Any], Any]:
    return lambda _original: one


def _with_settings(**changes: Any) -> Callable[[Any], Any]:
    def instead(original: Any) -> Any:
        return lambda self, *args, **named: original(replace(self, **changes), *args, **named)

    return instead


def _reply_to_anyone(_original: Any) -> Any:
    def reply_to(
        request: Any, server: Any, caller: Any, generation: int, value: Any, *rest: Any, **_: Any
    ) -> Any:
        response = reply(request, value, is_public=True, headers=rest[0] if rest else None)
        keep_for_everybody(request, server, generation, response)
        return response

    return reply_to


def _most_open_lists(original: Any) -> Any:
    return lambda *args: dict.fromkeys(LEVELS, original(*args)["public_full"])


def _without_key(original: Any) -> Any:
    def get_key(connection: Any, key_id: int, user_id: int | None = None) -> Any:
        return original(connection, key_id)

    return get_key


def _whole(row: Any, *_: object) -> dict[str, Any]:
    times = {"created_at": row.created_at, "updated_at": row.updated_at}
    return {"id": row.id, "data": read_content(row.data).value, **times}


def _by_path_alone(original: Any) -> Any:
    return lambda scope: original({**scope, "query_string": b""})


FILTER, PERSON = "app.privacy.filter:EntryFilter", "app.privacy.person_settings"
BUGS = (
    Bug("drafts, and what is not at its time, are shown", "app.entries.access:is_its_time", always(true())),
    # the filter
    Bug("names hide nothing", "app.privacy.filter:HiddenNames.__contains__", always(False)),
    Bug("what is on no list is shown", "app.privacy.paths:Node.child",
        lambda o: lambda s, k: o(s, k) or Node(True)),
    Bug("paths of rules hide nothing", f"{FILTER}._followed",
        lambda o: lambda s, child, nodes, places, key, found: s._walk(child, nodes, places, key, found)),
    Bug("a current company is shown", f"{FILTER}._is_company", value(staticmethod(lambda *_: False))),
    Bug("texts are shown whole", f"{FILTER}._hidden_in_text", always([])),
    Bug("names of members are shown whole", f"{FILTER}._name", lambda o: lambda s, key, found: key),
    Bug("patterns hide nothing", "app.privacy.filter:parts_hidden_by", always([])),
    Bug("contact data in texts is shown", "app.privacy.filter:CONTACT_MASKS", value(())),
    Bug("all that is found counts as released", "app.privacy.released:Releases.covering",
        always(Release(1, None, None, None, None))),
    Bug("words of the never-list are not looked for", "app.entries.policies:Policies.words_of", always(None)),
    Bug("strangers are shown the row", "app.entries.strangers:strangers_view",
        lambda o: _whole),
    # the policy
    Bug("rules of the installation hold nowhere", "app.privacy.rules:Rule.holds", always(False)),
    Bug("a rule holds at its own level only", "app.privacy.rules:Rule._hides_at",
        lambda o: lambda self, level: self.privacy_level in (None, level)),
    Bug("settings hide no groups", f"{PERSON}:PersonSettings.hidden_groups", value(frozenset())),
    Bug("settings close no kinds", f"{PERSON}:PersonSettings.closes", always(False)),
    Bug("a person's own level is no ceiling", f"{PERSON}:_ceiling", always(None)),
    Bug("the business card mode does nothing", f"{PERSON}:PersonSettings.level_for",
        _with_settings(business_card_mode=False)),
    Bug("who lets no assistant in is shown to them", f"{PERSON}:PersonSettings.level_for",
        _with_settings(ai_assistant_access=True)),
    Bug("no one is an assistant", "app.server.authenticate:agent_class", always("")),
    Bug("own rules are not read", f"{PERSON}:read_custom_rules", always(((), False))),
    Bug("ceilings bind no one", f"{PERSON}:effective_level",
        lambda o: lambda asked, *_: asked or "public_full"),
    Bug("each level has the list of the most open", "app.entries.kinds:allow_lists_of", _most_open_lists),
    Bug("levels hide no personal names", "app.privacy.policy:LEVELS",
        value({name: replace(level, without=()) for name, level in LEVELS.items()})),
    # who sees what
    Bug("whatever is there is public", "app.entries.access:is_published", lambda o: access.is_there),
    Bug("deleted is there", "app.entries.access:is_there", always(true())),
    Bug("accounts that are off are shown", "app.entries.access:IS_OF_ACTIVE_PERSON", value(true())),
    Bug("the word in a text is not heard", "app.entries.access:is_text_public", always(True)),
    Bug("everyone with an account sees everything", "app.entries.access:_belongs_to", always(true())),
    Bug("an admin's key has an admin's rights", "app.server.authenticate:Viewer",
        lambda o: lambda kind, *args, **more: Viewer("admin" if args[0] == 1 else kind, *args, **more)),
    Bug("admins' addresses are everyone's", "app.web.deps:check_admin", lambda o: lambda caller: None),
    Bug("keys are anyone's", "app.accounts.api_keys:get_key", _without_key),
    Bug("a paper is asked for at the most open level", "app.web.routes.paper:look_at_profile",
        lambda o: lambda server, client, username, _level: o(server, client, username, "public_full")),
    Bug("pictures are anyone's", "app.server.picture_lookup:_stranger_sees", always(ALWAYS)),
    Bug("a key that reads writes", "app.web.deps:check_writer app.server.authenticate:_check_scope",
        always(None)),
    # caches and headers
    Bug("answers to owners are kept for all", "app.web.entry_forms:reply_to", _reply_to_anyone),
    Bug("what is kept is kept by its path alone",
        "app.web.replies:address_kept app.web.ready_answers:address_kept", _by_path_alone),
    Bug("what was kept holds for ever", "app.server.response_cache:ResponseCache.find",
        lambda o: lambda self, address, _: self._kept[address].response if address in self._kept else None),
    Bug("views are kept without their level", "app.entries.view_memory:_key",
        lambda o: lambda entry_id, level: (entry_id, "")),
    Bug("all answers have one tag", "app.web.answers:etag_of", always('"one"')),
    Bug("private answers may be kept", "app.web.answers:PRIVATE_CACHE", value("public, max-age=60")),
    Bug("public answers are kept for a while", "app.web.answers:PUBLIC_CACHE", value("public, max-age=60")),
)  # fmt: skip
