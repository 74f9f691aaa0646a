"""LinkedIn's archive (ZIP of CSV files). What of thirty files is about the person, and what is others'?

Profile, positions, education, skills, certifications, languages and projects make one `resume`; connections,
messages, logins, searches and the like are other people's or no one's business, and are not read at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from app.formats.csv_rows import Table, read_table, value_of
from app.formats.dates import date_of, is_ongoing
from app.formats.items import Choices, Content, Found, LeftOut, Source

NAME = "LinkedIn archive"
_READ = {
    "profile": "basics",
    "positions": "work",
    "education": "education",
    "skills": "skills",
    "certifications": "certificates",
    "languages": "languages",
    "projects": "projects",
    "honors": "awards",
    "publications": "publications",
    "volunteering": "volunteer",
}
_EXPECTED = frozenset(
    {
        *("First Name", "Last Name", "Headline", "Summary", "Company Name", "Title", "Started On"),
        *("Finished On", "School Name", "Degree Name", "Start Date", "End Date", "Name", "Url", "Authority"),
        *("Proficiency", "Description", "Role", "Company", "Organization Name", "Publisher"),
    }
)
_FIELDS: Mapping[str, Mapping[str, str]] = {
    "work": {"Company Name": "name", "Title": "position", "Description": "summary", "Location": "location"},
    "education": {
        "School Name": "institution",
        "Degree Name": "studyType",
        "Notes": "notes",
        "Activities": "activities",
    },
    "skills": {"Name": "name"},
    "certificates": {"Name": "name", "Url": "url", "Authority": "issuer", "License Number": "license"},
    "languages": {"Name": "language", "Proficiency": "fluency"},
    "projects": {"Title": "name", "Description": "description", "Url": "url"},
    "awards": {"Title": "title", "Description": "summary", "Issued On": "date"},
    "publications": {
        "Name": "name",
        "Publisher": "publisher",
        "Published On": "releaseDate",
        "Description": "summary",
        "Url": "url",
    },
    "volunteer": {"Company Name": "organization", "Role": "position", "Description": "summary"},
}
_STARTS, _ENDS = ("Started On", "Start Date"), ("Finished On", "End Date")


def is_linkedin(source: Source) -> bool:
    """Whether the files are those of an archive: a profile, and positions or skills."""
    stems = {_stem(path) for path in source.files if path.lower().endswith(".csv")}
    return "profile" in stems and bool({"positions", "skills", "education"} & stems)


def _stem(path: str) -> str:
    return PurePosixPath(path).name.rsplit(".", 1)[0].strip().lower()


def read_source(source: Source, choices: Choices) -> tuple[Found, tuple[LeftOut, ...]]:
    """Return the resume, and which files were left out. Raises InvalidContent."""
    content: Content = {"basics": {}}
    left_out = []
    for path, raw in source.files.items():
        section = _READ.get(_stem(path)) if path.lower().endswith(".csv") else None
        if section is None:
            left_out.append(LeftOut(path, "not about the resume: not read, and not imported"))
            continue
        table = read_table(raw, path, choices, _EXPECTED)
        if section == "basics":
            content["basics"] = _basics(table)
        else:
            content[section] = [_item(section, row) for _, row in table.rows]
    found = Found("resume:linkedin", "resume", content, source.name)
    return found, tuple(left_out)


def _basics(table: Table) -> Content:
    row = {name: value_of(cell) for name, cell in table.rows[0][1].items()} if table.rows else {}
    basics: Content = {"name": f"{row.get('First Name', '')} {row.get('Last Name', '')}".strip()}
    for name, field in (("Headline", "label"), ("Summary", "summary")):
        if row.get(name):
            basics[field] = row[name]
    hidden = {
        name: value
        for name, value in row.items()
        if value and name not in ("First Name", "Last Name", "Headline", "Summary")
    }
    return basics | ({"linkedin": hidden} if hidden else {})


def _item(section: str, row: dict[str, str]) -> Content:
    given = {name: value for name, cell in row.items() if (value := value_of(cell))}
    fields = _FIELDS[section]
    item: dict[str, Any] = {fields[name]: value for name, value in given.items() if name in fields}
    for names, field in ((_STARTS, "startDate"), (_ENDS, "endDate")):
        text = next((given[name] for name in names if name in given), "")
        if text and not is_ongoing(text):
            item[field] = date_of(text) or text
    for field in ("date", "releaseDate"):
        if field in item:
            item[field] = date_of(item[field]) or item[field]
    others = {name: value for name, value in given.items() if name not in (*fields, *_STARTS, *_ENDS)}
    return item | ({"linkedin": others} if others else {})
