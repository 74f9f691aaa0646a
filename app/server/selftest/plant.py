"""What is planted for the self-test: scratch people with a marker in every private field, on a copy.

Expected is never what the filter says, but what the files of the kinds and the rows of `privacy.fields` say.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from app import clock
from app.accounts import api_keys, claim, one_time_links, operations, sessions, tokens, users
from app.accounts.api_keys import NewKey
from app.accounts.audit import COMMAND_LINE, Actor
from app.accounts.key_scope import new_scope
from app.accounts.people import Person
from app.accounts.users import NewUser, User
from app.entries import (
    endpoints,
    import_runs,
    kinds,
    never_words,
    policies,
    privacy_rules,
    privacy_settings,
    releases,
    share_links,
    store_writing,
)
from app.entries.import_plans import plan_of, read_for
from app.entries.share_links import NewLink
from app.entries.shown_times import NO_TIMES, NOT_YET, ShownTimes
from app.entries.write import FROM_COMMAND_LINE
from app.formats.items import Choices
from app.formats.sources import read_bytes
from app.privacy.fields import FIELDS
from app.privacy.levels import LEVELS, NAMES, STRICTEST
from app.privacy.person_settings import GROUP_OF
from app.privacy.rules import Rule
from app.privacy.viewer import Viewer
from app.server.selftest.markers import Markers
from app.server.selftest.plant_inbox import plant_messages

NO_PASSWORD = "!"  # no password is that of these accounts
FULL = tuple(name for name in NAMES if "professional" in LEVELS[name].tiers)
OPEN, OTHER, ADMIN, GONE = "open", "other", "admin", "gone"
VARIANTS: dict[str, dict[str, Any]] = {
    **{name: {name: False} for name in GROUP_OF},
    "business_card_mode": {"business_card_mode": True},
    "ai_assistant_access": {"ai_assistant_access": False},
    **{f"privacy_level {level}": {"privacy_level": level} for level in NAMES[:-1]},
}
"""People who differ from the open one in one setting."""

CLOSED_BY = {"contact_info": "show_contact_info", "projects": "show_personal_projects"}
KINDS_OF_VARIANTS = ("resume", "projects", "contact_info", "ideas")


@dataclass
class Planted:
    """Who and what is in the copy besides what was there: names and ids for addresses, and credentials."""

    markers: Markers
    people: dict[str, User] = field(default_factory=dict)
    headers: dict[str, dict[str, str]] = field(default_factory=dict)
    entries: list[tuple[str, int]] = field(default_factory=list)  # kind and id: of the open person
    others_entries: list[tuple[str, int]] = field(default_factory=list)
    hidden_entries: list[tuple[str, int]] = field(
        default_factory=list
    )  # of the open person, from all strangers
    media: list[str] = field(default_factory=list)  # addresses of pictures
    hidden_media: set[str] = field(default_factory=set)  # those of hidden entries
    kinds: list[str] = field(default_factory=list)
    ids: dict[str, list[str]] = field(default_factory=dict)  # what stands for a parameter of an address
    shows: dict[str, set[str]] = field(default_factory=dict)  # by username: kinds that were planted for them


class Planting:
    """Plants in one transaction."""

    def __init__(self, connection: Connection, secret: str, only_kinds: Iterable[str] | None = None) -> None:
        self._connection = connection
        self._secret = secret
        self._only = None if only_kinds is None else set(only_kinds)
        self.done = Planted(Markers())
        self._new = self.done.markers.new
        self._named = ""  # a telephone number that the name of a field is

    def everything(self) -> Planted:
        """Plant all of it; returns what was planted. Writes nearly every table of the copy."""
        endpoints.add_missing_endpoints(self._connection)
        for name in (ADMIN, OPEN, OTHER, GONE, *VARIANTS):
            self._person(name)
        custom = self._custom_kind()
        self.done.kinds += [custom]
        for kind in kinds.built_in():
            if (endpoint := endpoints.find_named(self._connection, kind)) and self._is_wanted(kind):
                self.done.kinds.append(kind)
                self._entry(OPEN, kind, self._tree(OPEN, kind, is_open=endpoint.is_open))
        self._fields(OPEN, custom)
        self._texts(custom)
        self._of_account()
        before = len(self.done.entries)
        self._hidden_entries(custom)
        self.done.hidden_entries = self.done.entries[before:]
        for name in (*VARIANTS, GONE):
            self._fields(name, custom)
            for kind in KINDS_OF_VARIANTS:
                endpoint = endpoints.find_named(self._connection, kind)
                if endpoint is not None:
                    self._entry(name, kind, self._tree(name, kind, is_open=endpoint.is_open))
        for name, values in VARIANTS.items():
            privacy_settings.change_settings(self._connection, self.done.people[name].id, values)
        users.set_active(self._connection, self.done.people[GONE].username, False, clock.now())
        return self.done

    def _of_account(self) -> None:
        """What of the open person's account has an address: a login, and an admin's invitation to another."""
        person, now = self.done.people[OPEN], clock.now()
        actor = Actor(user_id=self.done.people[ADMIN].id)
        session_id = sessions.begin(self._connection, person.id, actor, now, now + timedelta(hours=1))
        label = self._new("the label of an invitation", self.done.people[ADMIN].id)
        link, _ = one_time_links.invite(self._connection, "member", 1, label, now, actor)
        begun = operations.begin(self._connection, person.id, self._new("an operation", person.id), now)
        self.done.ids |= {
            "operation_id": [str(begun.id)],
            "endpoint_id": ["1"],
            "backup": ["backup_20300131_120000.db"],
            "user_id": [str(person.id)],
            "session_id": [str(session_id)],
            "invitation_id": [str(link.id)],
        }

    def _is_wanted(self, kind: str) -> bool:
        return self._only is None or kind in self._only

    # -- people

    def _person(self, name: str) -> None:
        username = f"selftest-{name.replace(' ', '-').replace('_', '-')}-{secrets.token_hex(3)}"
        full_name = self._new(f"the name of {name}")
        mail = f"{username}@selftest.invalid"
        new = NewUser(username, mail, NO_PASSWORD, full_name, is_admin=name == ADMIN)
        made = claim.create_account(self._connection, new, clock.now())
        self.done.markers.give(full_name, made.id)
        self.done.people[name] = made
        self.done.shows[made.username] = set()
        token = tokens.issue_token(self._secret, made, now=clock.now(), minutes=60)
        self.done.headers[name] = {"authorization": f"Bearer {token}"}
        for can_write in (False, True):
            scope, ends = new_scope(can_write=can_write), clock.now() + timedelta(hours=1)
            new_key = NewKey(self._new(f"the key of {name}", made.id), scope, ends)
            key, text = api_keys.make_key(self._connection, made, new_key, clock.now())
            self.done.headers[f"{name}'s key that {'writes' if can_write else 'reads'}"] = {"x-api-key": text}
            if name == OPEN:
                self.done.ids.setdefault("key_id", []).append(str(key.id))
        if name == OPEN:
            self._limited_keys(made)

    def _limited_keys(self, person: User) -> None:
        """Keys that read one kind, or what strangers see at the narrowest level."""
        ends = clock.now() + timedelta(hours=1)
        scopes = {"kind": new_scope(kinds=["ideas"]), "level": new_scope(level=STRICTEST)}
        for what, scope in scopes.items():
            new_key = NewKey(self._new(f"the key of a {what}", person.id), scope, ends)
            _, text = api_keys.make_key(self._connection, person, new_key, clock.now())
            self.done.headers[f"{OPEN}'s key of a {what}"] = {"x-api-key": text}

    # -- entries

    def _entry(
        self,
        name: str,
        kind: str,
        content: object,
        visibility: str | None = "public",
        is_active: int = 1,
        times: ShownTimes = NO_TIMES,
    ) -> int:
        """Keep an entry as any program might have written it: nothing is checked, nothing is searched."""
        person = self.done.people[name]
        endpoint = endpoints.find_named(self._connection, kind)
        assert endpoint is not None, "the kind was looked up before"
        entry_id = store_writing.add_entry_as_it_was(
            self._connection,
            endpoint_id=endpoint.id,
            data=json.dumps(content),
            is_active=is_active,
            created_at=clock.stored(clock.now()),
            created_by_id=person.id,
            visibility=visibility,
            **times._asdict(),
        )
        (self.done.entries if name == OPEN else self.done.others_entries).append((kind, entry_id))
        self.done.shows[person.username].add(kind)
        return entry_id

    def _tree(self, name: str, kind: str, *, is_open: bool) -> dict[str, Any]:
        """An entry with a marker at each path that a level shows, and private members beside each."""
        owner_id = self.done.people[name].id
        shown = kinds.built_in()[kind].shown
        tiers = {path: tier for tier, paths in shown.items() for path in paths}
        tree: dict[str, Any] = {}
        for path in sorted(tiers, key=lambda path: (-path.count("."), path)):
            levels = self._levels_of(name, kind, tiers[path]) if is_open else frozenset()
            at = tree
            *above, last = path.split(".")
            for key in above:
                at = at.setdefault(key, {})
            if last not in at:
                text = self._of(name, f"{kind} {path}", levels)
                at[last] = "public" if last == "visibility" else text
        self._add_private(tree, f"{kind} of {name}", owner_id)
        return tree

    def _add_private(self, tree: dict[str, Any], place: str, owner_id: int) -> None:
        for key, child in list(tree.items()):
            if isinstance(child, dict):
                self._add_private(child, f"{place} {key}", owner_id)
        for key in ("phone", "zz_unlisted"):
            tree.setdefault(key, self._new(f"{place} {key}", owner_id))
        tree["zz_list"] = [
            self._new(f"{place} zz_list", owner_id),
            {"zz": self._new(f"{place} zz", owner_id)},
        ]

    def _levels_of(self, name: str, kind: str, tier: str) -> frozenset[str]:
        """At which levels strangers may see what is of a tier: as the settings of the person are meant."""
        if name == GONE or CLOSED_BY.get(kind) == name:
            return frozenset()
        levels = {level for level in NAMES if tier in LEVELS[level].tiers}
        settings = VARIANTS.get(name, {})
        ceiling = "business_card" if "business_card_mode" in settings else settings.get("privacy_level")
        if ceiling is not None and ceiling not in levels:
            return frozenset()
        return frozenset(levels - {"ai_safe"} if name == "ai_assistant_access" else levels)

    def _of(self, name: str, place: str, levels: Iterable[str]) -> str:
        """Plant a marker of a person, and return its text."""
        owner_id = self.done.people[name].id
        for_assistants = name != "ai_assistant_access"
        return self._new(f"{place} of {name}", owner_id, levels, for_assistants=for_assistants)

    # -- a kind of the owner's own, which declares every name that is to vanish

    def _custom_kind(self) -> str:
        name = f"selftest_{secrets.token_hex(4)}"
        self._named = self._found("phone", self.done.people[OPEN].id)
        declared = {key: {"type": "string"} for key in (*self._names(), self._named)}
        row: dict[str, Any] = {"name": name, "schema": json.dumps(declared), "is_active": 1, "is_public": 1}
        row["created_at"] = clock.stored(clock.now())
        endpoints.add_endpoint(self._connection, row, None)
        return name

    @staticmethod
    def _names() -> Iterator[str]:
        yield from ("plain", "own_hidden", "ruled_place", "selfruled", "ruled_text", "off_rule")
        yield from dict.fromkeys(row.vanishes for row in FIELDS)

    def _fields(self, name: str, kind: str) -> None:
        """An entry of the custom kind with a marker in every field whose name is to vanish for someone."""
        owner_id = self.done.people[name].id
        shown = self._levels_of(name, kind, "professional")
        groups: dict[str, set[str]] = {}
        for row in FIELDS:
            groups.setdefault(row.vanishes, set()).add(row.group)
        off = GROUP_OF.get(name)
        content: dict[str, Any] = {"plain": self._of(name, "custom plain", shown)}
        for field_name, in_groups in groups.items():
            levels = shown & {"public_full"} if "personal" in in_groups else shown
            if "always" in in_groups or off in in_groups:
                levels = frozenset()
            content[field_name] = self._of(name, f"custom {field_name}", levels)
        if name == OPEN:
            content |= self._ruled(owner_id, kind)
        self._entry(name, kind, content)

    def _ruled(self, owner_id: int, kind: str) -> dict[str, Any]:
        """Fields that rules hide: the person's own, and those of the installation, one of them only below."""
        privacy_rules.add_own_rule(self._connection, owner_id, f"{kind}.own_hidden")
        texts = {
            "own_hidden": self._new("own rule", owner_id),
            "ruled_place": self._new("rule for a place", owner_id),
            "selfruled": self._new("rule for a name", owner_id, {"public_full"}),
            "ruled_text": self._new("rule for a text", owner_id),
            "off_rule": self._new("rule that is off", owner_id, FULL),
        }
        made = [
            Rule(kind, "ruled_place"),
            Rule(kind, "*", "professional", field_name="selfruled"),
            Rule(kind, "*", None, pattern=texts["ruled_text"]),
            Rule(kind, "off_rule"),
        ]
        ids = [policies.add_rule(self._connection, rule, clock.now()) for rule in made]
        policies.change_rule(self._connection, ids[-1], {"is_active": 0})
        self.done.ids["rule_id"] = [f"own:{kind}.own_hidden", *map(str, ids)]
        return texts

    # -- texts, and entries that are not there

    def _texts(self, kind: str) -> None:
        """Contact data, secrets and a word that must never leave, in texts; one of them is released."""
        owner_id = self.done.people[OPEN].id
        word = self._new("word of the never-list", owner_id)
        made = never_words.add_word(self._connection, owner_id, word)
        self.done.ids["word_id"] = [str(made["id"])]
        shown = self._new("custom text", owner_id, FULL)
        hidden = {what: self._found(what, owner_id) for what in ("phone", "mail", "secret")}
        text = f"{shown}. {' '.join(hidden.values())} and {word} too"
        content: dict[str, Any] = {"plain": text, "meta": {"title": text, "tags": [text, word]}}
        content |= {text: text, self._named: "a number as a name"}
        self._entry(OPEN, kind, content)
        released = self._found("phone", owner_id, FULL)
        entry_id = self._entry(OPEN, kind, {"plain": f"Call me: {released}"})
        one = releases.release(self._connection, owner_id, entry_id=entry_id, detector="phone")[0]
        self.done.ids["release_id"] = [str(one.id)]
        self._shared(kind, owner_id)
        if "message_id" not in self.done.ids:
            found = plant_messages(self._connection, owner_id, lambda place: self._new(place, owner_id))
            self.done.ids |= found
        if "import_id" not in self.done.ids:
            self.done.ids["import_id"] = [str(self._import(owner_id))]

    def _shared(self, kind: str, owner_id: int) -> None:
        """An unlisted entry with a link to it, and a link that never was."""
        content = {
            "plain": self._new("shared by a link", owner_id, FULL),
            "zz_unlisted": self._new("zz", owner_id),
        }
        entry_id = self._entry(OPEN, kind, content, "unlisted")
        owner = self.done.people[OPEN]
        viewer, new = Viewer("person", owner.id, owner.username), NewLink(entries=(entry_id,))
        link, token = share_links.make(self._connection, viewer, new, clock.now(), COMMAND_LINE)
        self.done.ids["link_id"] = [str(link.id)]
        self.done.ids["token"] = [token, f"{token[:-2]}AA"]

    def _import(self, owner_id: int) -> int:
        """What came in from elsewhere: private by its kind, and its source beside it."""
        owner = Person(owner_id, OPEN, is_active=True)
        mark = self._new("a card of a phone", owner_id)
        source = read_bytes("cards.vcf", f"BEGIN:VCARD\nFN:{mark}\nTEL:1\nEND:VCARD\n".encode())
        read = read_for(self._connection, owner, source, Choices())
        plan = plan_of(self._connection, owner, source, read)
        done = import_runs.apply(self._connection, owner, plan, FROM_COMMAND_LINE)
        assert done.id is not None
        return done.id

    def _found(self, what: str, owner_id: int, levels: Iterable[str] = ()) -> str:
        place = f"{what} in a text" + (", released" if levels else "")
        number = f"+1 415-555-{100 + len(self.done.markers.planted) % 100:04}"
        if what == "phone":
            return self._new(place, owner_id, levels, text=number)
        if what == "mail":
            return self._new(place, owner_id, levels, text=f"{self._new(place, owner_id)}@selftest.example")
        token = f"ghp_{self._new(place, owner_id)}A1b2C3d4E5f6G7h8I9j0K1l2"
        return self._new(place, owner_id, text=token)

    @staticmethod
    def _hiding_times() -> dict[str, ShownTimes]:
        past, to_come = (clock.stored(clock.now() + timedelta(days=days)) for days in (-1, 1))
        return {
            "a draft": ShownTimes(NOT_YET),
            "to come": ShownTimes(to_come),
            "over": ShownTimes(None, past),
            "over, and to come": ShownTimes(to_come, past),
        }

    def _hidden_entries(self, custom: str) -> None:
        """Entries that no stranger knows of, each for another reason."""
        owner_id = self.done.people[OPEN].id
        for kind in (custom, "ideas"):
            for visibility, is_active in (
                ("private", 1),
                ("unlisted", 1),
                (None, 1),
                ("Public", 1),
                ("public", 0),
            ):
                place = f"{kind} that is {visibility}, active {is_active}"
                deleted_by_id = None if is_active else owner_id
                marker = self._new(place, owner_id if is_active else None, deleted_by_id=deleted_by_id)
                content = dict.fromkeys(("content", "plain", "title", "name"), marker)
                self._entry(OPEN, kind, content, visibility, is_active)
            for what, times in self._hiding_times().items():
                marker = self._new(f"{kind} that is {what}", owner_id)
                content = dict.fromkeys(("content", "plain", "title", "name"), marker)
                self._entry(OPEN, kind, content, times=times)
            marker = self._new(f"{kind} whose text says that it is private", owner_id)
            said = {"visibility": "private", "title": marker}
            self._entry(OPEN, kind, {"content": marker, "plain": marker, "meta": said})
