"""Recognition of formats. What is this, which reader takes it, and what is refused by name?"""

from __future__ import annotations

from collections.abc import Iterable

from app.errors import InvalidContent, UsageError
from app.formats import csv_mapped, daemon_md, goodreads, json_resume, linkedin, markdown, old_folders, vcard
from app.formats.csv_rows import lines_of, table_of
from app.formats.items import Choices, Found, LeftOut, ReadSource, Source
from app.formats.json_text import read_json
from app.formats.texts import text_of

ITEMS_MOST = 20_000
_SUFFIXES_OF_OTHERS = {
    ".bak": "a backup copy of another program",
    ".pdf": "a PDF",
    ".docx": "a document of a word processor",
    ".odt": "a document of a word processor",
    ".html": "a page",
    ".xlsx": "a spreadsheet",
    ".db": "a database",
}
_FORMATS = (
    "JSON Resume, Markdown (with front matter), daemon.md, vCard, CSV (Goodreads, LinkedIn, any other with"
    " --column), folders of the earlier server, an export of Daemon"
)


def read_source(
    source: Source, choices: Choices, known_kinds: frozenset[str], today: str, name: str | None = None
) -> ReadSource:
    """Return what a source holds. ``known_kinds`` are those that there are, ``today`` the date.

    Raises InvalidContent for what is no known format or is broken, UsageError where a choice is missing.
    """
    if not source.files:
        raise InvalidContent(f"{source.name} holds no file; nothing was imported.")
    format_name, found = _read(source, choices, known_kinds, today)
    items = tuple(each for each in found if isinstance(each, Found))
    left_out = tuple(each for each in found if isinstance(each, LeftOut))
    if name is not None and name != format_name:
        raise UsageError(f"{source.name} is {format_name}, not {name}; nothing was imported.")
    if len(items) > ITEMS_MOST:
        raise InvalidContent(f"{source.name} holds more than {ITEMS_MOST} entries; nothing was imported.")
    return ReadSource(format_name, items, left_out)


def _read(
    source: Source, choices: Choices, known_kinds: frozenset[str], today: str
) -> tuple[str, list[Found | LeftOut]]:
    if linkedin.is_linkedin(source):
        resume, left_out = linkedin.read_source(source, choices)
        return linkedin.NAME, [resume, *left_out]
    if len(source.files) == 1:
        ((path, content),) = source.files.items()
        return _read_file(path, content, choices, known_kinds, today)
    if old_folders.is_old_folder(source, known_kinds):
        return old_folders.NAME, list(old_folders.read_source(source, choices, known_kinds))
    return _read_each(source, choices, known_kinds, today)


def _read_each(
    source: Source, choices: Choices, known_kinds: frozenset[str], today: str
) -> tuple[str, list[Found | LeftOut]]:
    """Read a folder of texts, of resumes in several languages, of cards, or of all of these."""
    found: list[Found | LeftOut] = []
    names: dict[str, None] = {}
    texts = {path: content for path, content in source.files.items() if markdown.is_markdown(path)}
    if texts:
        found += markdown.read_files(Source(source.name, texts), choices, today)
        names[markdown.NAME] = None
    for path, content in source.files.items():
        if path in texts:
            continue
        if not path.lower().endswith((".json", ".vcf", ".vcard")):
            found.append(LeftOut(path, "no format that is read here"))
            continue
        if texts and path.lower().endswith(".json") and not json_resume.is_named_so(path):
            found.append(LeftOut(path, "a file of settings or data beside the texts"))
            continue
        name, items = _read_file(path, content, choices, known_kinds, today)
        names[name] = None
        found += items
    if not names:
        raise _unknown(source.name)
    return " and ".join(names), found


def _read_file(
    path: str, content: bytes, choices: Choices, known_kinds: frozenset[str], today: str
) -> tuple[str, list[Found | LeftOut]]:
    lower = path.lower()
    if vcard.is_vcard(path, content):
        return vcard.NAME, list(vcard.read_file(path, content, choices))
    if lower.endswith((".csv", ".tsv")):
        return _read_csv(path, content, choices)
    if lower.endswith(".json"):
        return _read_json_file(path, content, choices, known_kinds)
    if markdown.is_markdown(path) or lower.endswith(".txt"):
        if daemon_md.is_daemon_md(text_of(content, path, choices.encoding)):
            return daemon_md.NAME, list(daemon_md.read_file(path, content, choices, known_kinds))
        return markdown.NAME, [markdown.read_file(path, content, choices, today)]
    raise _unknown(path)


def _read_csv(path: str, content: bytes, choices: Choices) -> tuple[str, list[Found | LeftOut]]:
    expected = frozenset(choices.columns) or goodreads.COLUMNS
    lines = lines_of(content, path, choices)
    if not choices.columns:
        goodreads.refuse_without_header(lines, path)
    table = table_of(lines, path, expected)
    if not choices.columns and goodreads.is_goodreads(table):
        return goodreads.NAME, list(goodreads.read_table(table, path))
    return csv_mapped.NAME, list(csv_mapped.read_table(table, path, choices))


def _read_json_file(
    path: str, content: bytes, choices: Choices, known_kinds: frozenset[str]
) -> tuple[str, list[Found | LeftOut]]:
    value = read_json(text_of(content, path, choices.encoding), path, choices)
    if json_resume.is_resume(value):
        return json_resume.NAME, [json_resume.read_resume(value, path, choices)]
    kind = choices.kind or old_folders.kind_in(path, known_kinds)
    if kind is not None:
        source = Source(path, {f"{kind}/{path}" if "/" not in path else path: content})
        return old_folders.NAME, list(old_folders.read_source(source, choices, frozenset({kind})))
    raise _unknown(path)


def _unknown(path: str) -> InvalidContent:
    suffixes: Iterable[tuple[str, str]] = _SUFFIXES_OF_OTHERS.items()
    what = next((name for suffix, name in suffixes if path.lower().endswith(suffix)), "")
    said = (
        f"{path} is {what}, which is not read here" if what else f"{path} is of no format that is read here"
    )
    return InvalidContent(f"{said}; nothing was imported.", hint=f"What is: {_FORMATS}.")
