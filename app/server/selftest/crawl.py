"""Crawl of every door. Which marker is answered to whom it is hidden from, which door was not asked?

The addresses are those that the application describes (OpenAPI). One whose parameter has no example here and
that no reason leaves out is a fault, so that a new door cannot stay outside.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import product

from app.formats.entry_forms import forms_of
from app.privacy.levels import NAMES
from app.progress import Event, OnEvent, say_nothing
from app.server.selftest import papers
from app.server.selftest.asking import Answer, Application, ask
from app.server.selftest.audiences import Audience, asking_for_paper, audiences_of
from app.server.selftest.picture_chunks import beside_pixels
from app.server.selftest.plant import OPEN, Planted

LEFT_OUT: Mapping[str, str] = {
    "POST /api/v1/privacy/selftest": "It would begin another self-test.",
    "GET /auth/oidc/login": "It leads to the provider of logins, where one is set up.",
    "GET /assets/{name}": "Files of the code, the same for everyone.",
}
"""Addresses that are not asked, each with its reason."""

AT_ONCE = 4  # addresses; whoever asks for one asks one after the other
BROWSER = {"accept": "text/html,*/*;q=0.8"}
PAGES = "/@{username}"
IN_FULL = ("/{kind}", "/{kind}/{entry_id}", "/{kind}/feed.atom", "/{kind}.md")
SAID_AGAIN_EVERY = 4
MOST_FAULTS = 50
READS = frozenset({"GET"})
WRITES_TRIED = 8  # of one address: the first entries that are planted are those of every sort


def has_levels(path: str) -> bool:
    """Whether an address takes a level: those of entries, and not those of their history."""
    is_of_entries = "{kind}" in path or path == SEARCH or path.startswith((PAGES, "/feed.", papers.SUFFIX))
    without = (
        "/revisions",
        "/revisions/{number}",
        "/difference",
        "/pictures",
        "/card.svg",
        "/card.png",
        ".xml",
    )
    return is_of_entries and not path.endswith(without)


def has_deleted(target: str) -> bool:
    """Whether an address answers to its owner what they have deleted, so that they can bring it back."""
    return target == "/api/v1/me/deleted" or "/revisions" in target or "/difference" in target


SEARCH = "/api/v1/search"
SEARCHED_MOST = 12  # words, of which everyone asks
SEARCHED_EVERY = 3  # word, of which a stranger asks


@dataclass
class Crawl:
    """One walk through all doors; ``faults`` say what was found wrong, without any marker's text."""

    application: Application
    planted: Planted
    ceiling: str
    stops_at_first: bool = False
    on_event: OnEvent = say_nothing
    faults: list[str] = field(default_factory=list)
    asked_count: int = 0
    shown_count: int = 0
    papers_count: int = 0
    shown_on_papers_count: int = 0

    async def run(self) -> None:
        """Ask every address as every audience."""
        described = await ask(self.application, "GET", "/openapi.json")
        paths = json.loads(described.body)["paths"]
        order = [*reversed(paths)]  # entries, where most is hidden, are described last
        order.sort(key=lambda path: path.endswith(papers.SUFFIX))  # papers take longest
        named = [(method.upper(), path) for path in order for method in sorted(paths[path])]
        asked = [each for each in named if " ".join(each) not in LEFT_OUT]
        what = f"asking {len(asked)} addresses, as everyone who may or may not see something there"
        self.on_event(Event("phase", "ask", what))
        for at, (method, path) in enumerate(asked):
            await self._address(method, path)
            self.on_event(Event("progress", "ask", what, (at + 1) * 100 / len(asked)))
        self.on_event(Event("phase", "search", "searching for what is hidden"))
        await self._search_lists()
        await self._search()
        await self._change()
        if not self.shown_count:
            self._fault("Nothing that is public was shown to a stranger: the crawl saw nothing.")
        if self.papers_count and not self.shown_on_papers_count:
            self._fault("Nothing that is public was read on a PDF: the crawl saw nothing there.")

    async def _search_lists(self) -> None:
        """Ask a list for each word that it hides from strangers: they find nothing, its owner does."""
        target, own_id = f"/api/v1/{self.planted.kinds[0]}?q=", self.planted.people[OPEN].id
        found_count = 0
        for text, marker in self.planted.markers.planted.items():
            if marker.owner_id != own_id or marker.levels or not text.isalpha():
                continue
            answer = await self._ask("GET", target + text, Audience("a stranger", {}))
            if b'"items":[]' not in answer.body:
                self._fault(f"{target} finds for a stranger: {marker.place}.")
            own = await self._ask("GET", target + text, Audience("its owner", self.planted.headers[OPEN]))
            found_count += b'"items":[]' not in own.body
        if not found_count:
            self._fault(f"{target} finds nothing for its owner: the search saw nothing.")

    async def _search(self) -> None:
        """Search for words that were planted: strangers do not find them where they are hidden, owners do."""
        stranger, owner = Audience("a stranger", {}), Audience("its owner", self.planted.headers[OPEN])
        own_id, found_count = self.planted.people[OPEN].id, 0
        words = [each for each in self.planted.markers.planted.items() if each[0].isalpha()]
        for at, (text, marker) in enumerate(words[::SEARCHED_EVERY]):
            hiding = [level for level in NAMES if level not in marker.levels]
            if hiding:
                level = hiding[at % len(hiding)]
                answer = await self._ask("GET", at_level(f"{SEARCH}?q={text}", level), stranger)
                if answer.status != 200 or b'"items":[]' not in answer.body:
                    said = f"finds for a stranger at {level} ({answer.status})"
                    self._fault(f"{SEARCH} {said}: {marker.place}.")
            if marker.owner_id == own_id and at % SEARCHED_EVERY == 0:
                answer = await self._ask("GET", f"{SEARCH}?q={text}", owner)
                found_count += b'"items":[]' not in answer.body
        if not found_count:
            self._fault(f"{SEARCH} finds nothing for its owner: the search saw nothing.")

    async def _change(self) -> None:
        """Hide what a stranger was shown: at the next request it is gone, from every kept answer too."""
        kind, username = self.planted.kinds[0], self.planted.people[OPEN].username
        target = f"/api/v1/{kind}/users/{username}"
        before = await ask(self.application, "GET", target)
        again = await ask(self.application, "GET", target)
        if again.body != before.body:
            self._fault(f"{target} is answered in two ways.")
        rule = {"path": f"{kind}.plain"}
        made = await ask(self.application, "POST", "/api/v1/privacy/rules", self.planted.headers[OPEN], rule)
        after = await ask(self.application, "GET", target, {"if-none-match": before.header("etag")})
        if (
            made.status != 201
            or after.status != 200
            or b'"plain"' in after.body
            or b'"plain"' not in before.body
        ):
            self._fault(f"{target} is not changed at the next request by a rule that hides: {after.status}.")

    async def _address(self, method: str, path: str) -> None:
        targets = list(self._targets(path))
        if not targets:
            self._fault(f"{method} {path} is a door that the self-test does not know how to ask.")
        tried = targets if method in READS else targets[:WRITES_TRIED]
        for at in range(0, len(tried), AT_ONCE):
            if self.faults and self.stops_at_first:
                return
            await asyncio.gather(*(self._one(method, path, target) for target in tried[at : at + AT_ONCE]))

    async def _one(self, method: str, path: str, target: str) -> None:
        if method in READS:
            await self._read(target, has_levels=has_levels(path))
        else:
            await self._write(method, target, is_of_owner="{" in path.replace("{kind}", ""))

    def _targets(self, path: str) -> Iterator[str]:
        """Yield what stands for an address: each of its examples, none where a parameter has none."""
        if path.startswith(_ENTRY):
            found = (*self.planted.entries, *self.planted.others_entries)
            below = path.removeprefix(_ENTRY).replace("{number}", "1")
            below = below.replace("{picture_id}", self.planted.ids["picture_id"][0])
            yield from (f"/api/v1/{kind}/{entry_id}{below}" for kind, entry_id in found)
            if path == _ENTRY:
                yield from self._entries_in_other_forms()
            return
        if path == "/media/{name}":
            yield from self.planted.media
            return
        if path.startswith(PAGES):
            yield from self._pages(path.removeprefix(PAGES))
            return
        if path == "/api/v1/{kind}/users/{username}":
            for username, shown in self.planted.shows.items():
                yield from (f"/api/v1/{kind}/users/{username}" for kind in sorted(shown))
            return
        if path == SEARCH:
            words = [text for text in self.planted.markers.planted if text.isalpha()]
            some = words[:: max(1, len(words) // SEARCHED_MOST)]
            yield from (f"{SEARCH}?q={text}&sort=date" for text in some)
            return
        names = [part[1:-1].removesuffix(":path") for part in path.split("/") if part.startswith("{")]
        known = {
            "kind": self.planted.kinds,
            "name": self.planted.kinds,
            "code": ["not_found"],
            "username": list(self.planted.shows),
        } | self.planted.ids
        for values in product(*(known.get(name, ()) for name in names)):
            target = path
            for name, value in zip(names, values, strict=True):
                target = target.replace(f"{{{name}}}", value)
            yield target + _QUERIES.get(path, "").format(
                entry=self.planted.entries[0][1], open=self.planted.people[OPEN].username
            )
            if path == "/api/v1/{kind}":
                yield f"{target}{_SORTED}"
                yield from (f"{target}.{each}" for each in self._forms(values[0]))

    def _pages(self, below: str) -> Iterator[str]:
        """Yield the pages of everyone; of the open person those of each kind, and of each entry.

        What says in another form what is asked for in one already is asked for now and then.
        """
        own, every = f"/@{self.planted.people[OPEN].username}", 1 if below in IN_FULL else SAID_AGAIN_EVERY
        if below == papers.SUFFIX:
            others = [name for name in self.planted.shows if name != self.planted.people[OPEN].username]
            yield from (f"/@{username}{below}" for username in (own[2:], *others[::every]))
        elif "{kind}" not in below:
            yield from (f"/@{username}{below}" for username in self.planted.shows)
        elif "{entry_id}" not in below:
            yield from (own + below.replace("{kind}", kind) for kind in self.planted.kinds[::every])
        else:
            for kind, entry_id in self.planted.entries[::every]:
                yield own + below.replace("{kind}", kind).replace("{entry_id}", str(entry_id))

    def _asking_for_page(self, target: str) -> list[Audience]:
        """Who asks for a page: browsers, and a program; of each entry few."""
        everyone = [replace(one, headers={**one.headers, **BROWSER}) for one in audiences_of(self.planted)]
        if target.count("/") > 2:
            return [replace(one, levels=one.levels[:1]) for one in everyone if not one.has_credential]
        programs = [one for one in audiences_of(self.planted) if one.name == "a stranger"]
        if not target.startswith(f"/@{self.planted.people[OPEN].username}"):
            everyone = [one for one in everyone if not one.has_credential]
        return [*everyone, *programs]

    def _entries_in_other_forms(self) -> Iterator[str]:
        """Yield an entry of each kind that has forms of its own, in all of them."""
        for kind, entry_id in dict(reversed(self.planted.entries)).items():
            yield from (f"/api/v1/{kind}/{entry_id}.{each}" for each in self._forms(kind))

    def _forms(self, kind: str) -> list[str]:
        """The suffixes besides JSON's: of what every kind has in one kind, or where there are others, too."""
        found = [form.suffix for form in forms_of(kind)]
        return found if len(found) > 1 or kind == self.planted.kinds[0] else []

    async def _read(self, target: str, *, has_levels: bool) -> None:
        for audience in self._asking(target):
            for level in audience.levels if has_levels else (None,):
                answer = await self._ask("GET", at_level(target, level), audience)
                self._judge(answer, target, audience, level)
                self._judge_cache(answer, target, audience)
                self._judge_picture(answer, target, audience)

    def _asking(self, target: str) -> list[Audience]:
        """Who asks for an address: everyone for what is of the open person, strangers for what is others'."""
        if target.endswith(papers.SUFFIX):
            return asking_for_paper(self.planted, target)
        if target == "/":
            return [replace(one, headers={**one.headers, **BROWSER}) for one in audiences_of(self.planted)]
        if target.startswith("/@"):
            return self._asking_for_page(target)
        everyone = audiences_of(self.planted)
        if target.startswith("/api/v1/shared/"):
            strangers = [one for one in everyone if not one.has_credential]
            return [*everyone, *(replace(one, headers={**one.headers, **BROWSER}) for one in strangers)]
        if "/users/" in target and not target.endswith(self.planted.people[OPEN].username):
            return [one for one in everyone if not one.has_credential]
        others = {f"/api/v1/{kind}/{entry_id}" for kind, entry_id in self.planted.others_entries}
        if "/".join(target.split("/")[:5]) in others:
            return [replace(one, levels=(None,)) for one in everyone if one.name == "a stranger"]
        return everyone

    async def _write(self, method: str, target: str, *, is_of_owner: bool) -> None:
        """Try to change what is the owner's: as whoever may not."""
        for audience in audiences_of(self.planted):
            may_write = audience.has_credential and not (is_of_owner or "that reads" in audience.name)
            if audience.owner_id == self.planted.people[OPEN].id or may_write:
                continue
            answer = await self._ask(method, target, audience, {})
            self._judge(answer, f"{method} {target}", audience, None)
            if answer.status < 400:
                self._fault(f"{audience.name} may {method} {target}: {answer.status}.")

    async def _ask(self, method: str, target: str, audience: Audience, body: object = None) -> Answer:
        self.asked_count += 1
        answer = await ask(self.application, method, target, audience.headers, body)
        for _ in range(papers.TRIES - 1):
            if answer.status != 503 or papers.SUFFIX not in target:
                break
            answer = await ask(self.application, method, target, audience.headers, body)
        return answer

    def _judge(self, answer: Answer, target: str, audience: Audience, level: str | None) -> None:
        is_paper = papers.is_paper(answer)
        if answer.status >= 500 and not (papers.SUFFIX in target and papers.is_not_made(answer)):
            self._fault(f"{target} failed for {audience.name}: {answer.status}.")
        for marker in self.planted.markers.found_in(self._readable(answer)):
            whose = marker.deleted_by_id if has_deleted(target) else marker.owner_id
            is_own = level is None and audience.owner_id is not None and not target.startswith(_OF_STRANGERS)
            is_own = is_own and audience.owner_id in (marker.owner_id, whose)
            # What a link shows, it shows to whoever has it: no one's key makes that less.
            most = self.ceiling if target.startswith("/api/v1/shared/") else audience.ceiling or self.ceiling
            bounds = {level or self.ceiling, self.ceiling, most}
            is_open = bounds <= marker.levels and (marker.for_assistants or not audience.is_assistant)
            if is_open and not audience.has_credential:
                self.shown_count += 1
                self.shown_on_papers_count += is_paper
            if not is_own and not is_open:
                at = f" at {level}" if level else ""
                self._fault(f"{target}{at} shows {audience.name}: {marker.place}.")

    def _readable(self, answer: Answer) -> bytes:
        """An answer as it is read: without folds within a word (vCard, iCalendar), the words of a PDF."""
        if not papers.is_paper(answer):
            return answer.whole.replace(b"\r\n ", b"")
        self.papers_count += 1
        if papers.can_be_read():
            return answer.whole + papers.words_of(answer.body)
        self._fault("A PDF is made here, and cannot be read: pip install 'daemon-personal-api[pdf]'.")
        return answer.whole

    def _judge_picture(self, answer: Answer, target: str, audience: Audience) -> None:
        """Of a hidden entry there is none but for its owner; and nothing but pixels is in any."""
        is_owner = audience.owner_id == self.planted.people[OPEN].id
        if target in self.planted.hidden_media and answer.status != 404 and not is_owner:
            self._fault(f"{target} of a hidden entry is answered to {audience.name}: {answer.status}.")
        if found := beside_pixels(answer.body):
            self._fault(f"{target} holds more than pixels: {', '.join(found)}.")

    def _judge_cache(self, answer: Answer, target: str, audience: Audience) -> None:
        """What depends on who asks is kept by no one; what is everyone's, by who asks again each time."""
        control = answer.header("cache-control")
        if audience.has_credential and target.startswith(("/api/", "/auth/", "/media/", *_OF_STRANGERS)):
            is_alike = target.startswith(_ALIKE)
            if not is_alike and "no-store" not in control:
                self._fault(f"{target} lets others keep what {audience.name} is answered: {control}.")
        elif "no-store" not in control and ("no-cache" not in control or not answer.header("etag")):
            self._fault(f"{target} may be kept beyond what decides it: {control or 'no Cache-Control'}.")

    def _fault(self, said: str) -> None:
        if len(self.faults) < MOST_FAULTS and said not in self.faults:
            self.faults.append(said)


def at_level(target: str, level: str | None) -> str:
    """Return an address that asks for a level."""
    return f"{target}{'&' if '?' in target else '?'}level={level}" if level else target


_ALIKE = ("/api/v1/system/", "/auth/link")  # the same to everyone, whoever they say they are
_OF_STRANGERS = ("/@", papers.SUFFIX)  # shown as to a stranger, whoever asks
_SORTED = "?sort=-title&since=2000"
_ENTRY = "/api/v1/{kind}/{entry_id}"
_QUERIES = {
    "/api/v1/privacy/preview": "?kind=ideas",
    "/api/v1/privacy/explain": "?entry={entry}",
    "/.well-known/webfinger": "?resource=acct:{open}@daemon.example",
}
