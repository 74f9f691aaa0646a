"""daemon.md. Which kinds do the sections of a daemon.md go to, and which of them are private?

A section begins with its name in capitals and brackets, alone in a line. What names where someone is, who
belongs to their family and how their day goes is private whatever its kind says.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator

from app.formats.items import Choices, Content, Found, LeftOut
from app.formats.texts import text_of

NAME = "daemon.md"
OTHER_KIND = "ideas"
_SECTION = re.compile(r"^[ \t]*\[([A-Z][A-Z0-9 _&/-]*[A-Z0-9])\][ \t]*$", re.MULTILINE)
_PLACEHOLDER = re.compile(
    r"\s*(?:none\.?|n/a|tbd\.?|\(?to be added.*?\)?|\(?coming soon.*?\)?|-|\.\.\.)\s*",
    re.IGNORECASE | re.DOTALL,
)
_BY = re.compile(r"[-*]\s+[\"“*_]{0,3}(?P<title>[^\"”\n]+?)[\"”*_]{0,3}\s+by\s+(?P<author>.+?)\s*")
_ITEM = re.compile(r"[-*]\s+(?P<text>.+?)\s*")
_KINDS = {
    "ABOUT": "about",
    "MISSION": "mission",
    "TELOS": "telos",
    "GOALS": "goals",
    "PROJECTS": "projects",
    "PROBLEMS": "problems",
    "IDEAS": "ideas",
    "SKILLS": "skills",
    "HOBBIES": "hobbies",
    "VALUES": "values",
    "LEARNING": "learning",
    "QUOTES": "quotes",
    "LOOKING_FOR": "looking_for",
    "CONTACT": "contact_info",
    "CONTACT_INFO": "contact_info",
    "FAVORITE_BOOKS": "favorite_books",
    "FAVORITE_MOVIES": "favorite_movies",
    "FAVORITE_TV": "favorite_movies",
    "FAVORITE_PODCASTS": "favorite_podcasts",
    "PREFERENCES": "preferences",
    "PREDICTIONS": "predictions",
    "DAILY_ROUTINE": "daily_routine",
    "CURRENT_LOCATION": "places",
    "CURRENTLY": "currently",
    "PERSONAL_STORY": "personal_story",
    "RECOMMENDATIONS": "recommendations",
}
_PRIVATE = re.compile(r"LOCATION|ROUTINE|FAMILY|CHILD|SPOUSE|PARTNER|KIDS|ADDRESS|HOME")
_ONE_EACH = frozenset({"favorite_books"})


def is_daemon_md(text: str) -> bool:
    """Whether a text has sections of a daemon.md, two at least."""
    return len(_SECTION.findall(text)) >= 2


def read_file(
    path: str, content: bytes, choices: Choices, known_kinds: frozenset[str]
) -> Iterator[Found | LeftOut]:
    """Yield what each section makes: an entry, or one for each book of a list. Raises InvalidContent."""
    text = text_of(content, path, choices.encoding).replace("\r\n", "\n")
    heads = list(_SECTION.finditer(text))
    seen: Counter[str] = Counter()
    if (preamble := text[: heads[0].start()].strip().strip("-").strip()) and not _PLACEHOLDER.fullmatch(
        preamble
    ):
        yield LeftOut(f"{path}, above the first section", "it belongs to no section")
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        name = head[1].strip().replace(" ", "_")
        seen[name] += 1
        ends = following.start() if following else len(text)
        body = re.sub(r"\n-{3,}\s*\Z", "", text[head.end() : ends].strip("\n").rstrip()).strip()
        place = f"{path}, section {name}" + (f" ({seen[name]})" if seen[name] > 1 else "")
        if not body or _PLACEHOLDER.fullmatch(body):
            yield LeftOut(place, "nothing is written there yet")
            continue
        kind = _KINDS.get(name, OTHER_KIND)
        if kind not in known_kinds:
            kind = OTHER_KIND
        yield from _entries(name, kind, body, place, seen[name])


def _entries(name: str, kind: str, body: str, place: str, count: int) -> Iterator[Found]:
    is_hidden = _PRIVATE.search(name) is not None
    lines = [line for line in body.splitlines() if line.strip()]
    books = [_BY.fullmatch(line.strip()) for line in lines] if kind in _ONE_EACH else []
    if books and all(books):
        for book in books:
            assert book is not None
            title = book["title"].strip()
            content: Content = {"title": title, "author": book["author"].strip()}
            told = hashlib.sha256(f"{title}\n{book['author']}".encode()).hexdigest()[:16]
            yield Found(f"daemon.md:{name}:{told}", kind, content, place, is_hidden)
        return
    content = {"content": body, "meta": {"title": name.replace("_", " ").capitalize(), "section": name}}
    yield Found(f"daemon.md:{name}:{count}", kind, content, place, is_hidden)
