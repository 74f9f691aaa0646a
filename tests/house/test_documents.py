"""Do the documents say what the code does? Settings, errors, pinned packages, links."""

from __future__ import annotations

import inspect
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from app import errors
from app.settings import ROWS, load_settings
from tests.house.sources import ROOT, imported_by, python_files, shown, tracked

IMPORTED_AS = {
    "google-re2": "re2",
    "markdown-it-py": "markdown_it",
    "pillow": "PIL",
    "phonenumberslite": "phonenumbers",
    "pyjwt": "jwt",
    "pyyaml": "yaml",
    "python-dotenv": "dotenv",
}
USED_BY_OTHERS = {
    "python-multipart",  # by fastapi, for the form in which people log in
}


def table_rows(document: str) -> list[tuple[str, ...]]:
    """Return the cells of every row of the tables in a document, without headings and backticks."""
    rows: list[tuple[str, ...]] = []
    for line in (ROOT / document).read_text(encoding="utf-8").splitlines():
        if line.startswith("|---"):
            rows.pop()
        elif line.startswith("|"):
            rows.append(tuple(cell.strip().replace("`", "") for cell in line.strip("|").split("|")))
    return rows


def settings_as_documented() -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, row in ROWS.items():
        allowed = row.allowed + "".join(f"; also read as {alias}" for alias in row.aliases)
        rows.append((name, row.shown_default, row.unit, allowed.replace("`", ""), row.help.replace("`", "")))
    return rows


def every_error(root: type[errors.DaemonError] = errors.DaemonError) -> list[type[errors.DaemonError]]:
    own = [kind for kind in vars(errors).values() if inspect.isclass(kind) and issubclass(kind, root)]
    return [kind for kind in own if kind is not root]


def first_sentence(kind: type) -> str:
    text = " ".join((inspect.getdoc(kind) or "").split("\n\n")[0].split())
    return text.replace("`", "")


def errors_as_documented() -> list[tuple[str, ...]]:
    return [
        (kind.__name__, kind.code, str(kind.exit_code), str(kind.status), first_sentence(kind))
        for kind in every_error()
    ]


def test_the_table_of_settings_is_that_of_the_code() -> None:
    assert table_rows("docs/settings.md") == settings_as_documented()


@pytest.mark.parametrize("name", ROWS)
def test_a_documented_default_is_the_real_one(name: str) -> None:
    row = ROWS[name]
    if not row.shown_default.startswith("("):
        given = load_settings({name: row.shown_default})
        assert getattr(given, name.lower()) == getattr(load_settings({}), name.lower())


def test_the_example_file_has_every_setting_with_its_default(tmp_path: Path) -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert re.findall(r"^#?([A-Z_]+)=", text, re.MULTILINE) == list(ROWS)
    example = tmp_path / "example"
    example.write_text(re.sub(r"^#([A-Z_]+=)", r"\1", text, flags=re.MULTILINE), encoding="utf-8")
    assert load_settings({}, example) == load_settings({}, tmp_path / "none")


def test_the_table_of_errors_is_that_of_the_code() -> None:
    assert table_rows("docs/errors.md") == errors_as_documented()


def test_the_tree_that_the_errors_draw_is_the_real_one() -> None:
    drawn = re.findall(r"^[ |]*(?:\||`)-- (\w+) +(\d+) +(\d+) ", inspect.getdoc(errors) or "", re.MULTILINE)
    real = [(kind.__name__, str(kind.exit_code), str(kind.status)) for kind in every_error()]
    assert sorted(drawn) == sorted(real)


def test_no_error_is_without_a_code_of_its_own() -> None:
    codes = [kind.code for kind in every_error()]
    assert sorted(set(codes)) == sorted(codes)


def asked_for(group: str) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lines = project["dependency-groups"]["dev"] if group == "dev" else project["project"]["dependencies"]
    return [Requirement(line) for line in lines]


def pinned_in(document: str) -> dict[str, str]:
    text = (ROOT / document).read_text(encoding="utf-8")
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;\\]+)", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("group", "document"),
    [("run", "requirements.txt"), ("run", "requirements-dev.txt"), ("dev", "requirements-dev.txt")],
)
def test_what_is_asked_for_is_pinned(group: str, document: str) -> None:
    pinned = pinned_in(document)
    loose = [
        str(wanted)
        for wanted in asked_for(group)
        if not wanted.specifier.contains(pinned.get(canonicalize_name(wanted.name), "0"), prereleases=True)
    ]
    assert loose == []


def test_both_pinned_files_agree_and_carry_hashes() -> None:
    run, dev = pinned_in("requirements.txt"), pinned_in("requirements-dev.txt")
    assert {name: dev.get(name) for name in run} == run
    for document, pinned in (("requirements.txt", run), ("requirements-dev.txt", dev)):
        text = (ROOT / document).read_text(encoding="utf-8")
        entries = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
        assert all("--hash=sha256:" in entry for entry in entries)
        assert len({entry.partition("==")[0] for entry in entries}) == len(pinned)  # twice for two Pythons


def test_every_package_that_is_asked_for_is_used() -> None:
    used = {name.split(".")[0] for path in python_files("app") for name in imported_by(path)}
    names = {canonicalize_name(wanted.name) for wanted in asked_for("run")} - USED_BY_OTHERS
    assert {name for name in names if IMPORTED_AS.get(name, name) not in used} == set()


def test_every_link_in_the_documents_leads_somewhere() -> None:
    dead = []
    for path in (path for path in tracked() if path.suffix == ".md"):
        for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
            if (
                "://" not in target
                and not target.startswith("mailto:")
                and not (path.parent / target).exists()
            ):
                dead.append(f"{shown(path)} links to {target}")
    assert dead == []
