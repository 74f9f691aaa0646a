"""Which versions are there, which schema has each, which steps lead there? Rows, to be read at a glance."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

from app.errors import UsageError

APPLICATION_ID = 0x446D6E31  # "Dmn1", in the header of every database that this project upgraded


@dataclass(frozen=True)
class Release:
    """A version that someone may name, and the schema version that it stands for here."""

    version: str
    schema_version: str


RELEASES = (
    Release("0.1.0", "0.1.0"),
    Release("0.1.1", "0.1.0"),
    Release("0.2.0", "0.2.0"),
    Release("0.2.1", "0.2.0"),
    Release("0.2.2", "0.2.0"),
    Release("0.3.0", "0.3.0"),
    Release("0.3.1", "0.3.0"),
    Release("0.3.2", "0.3.0"),
    Release("0.4.0", "0.4.0"),
    Release("0.5.0", "0.5.0"),
    Release("0.6.0", "0.6.0"),
    Release("0.7.0", "0.7.0"),
    Release("0.8.0", "0.8.0"),
    Release("0.9.0", "0.9.0"),
)
NEWEST = "0.9.0"
FIRST_ON_SERVERS = "0.5.0"  # no database on a server was ever older: earlier steps are for SQLite
NEWEST_CLAIM = "0.3.2"  # the last release whose scripts wrote versions without our own history line
NEWEST_UNMARKED = "0.3.0"  # the newest schema that a database without our mark may be compared with


@dataclass(frozen=True)
class SchemaVersion:
    """A version that a database can be at, by the file with its schema and the number in its header."""

    version: str
    revision: str  # the step that leads to it
    title: str
    file: str
    user_version: int


SCHEMA_VERSIONS = (
    SchemaVersion("0.1.0", "0001", "create the five core tables", "v0_1_0.sql", 100),
    SchemaVersion(
        "0.2.0",
        "0002",
        "add privacy settings, rules, the 33 kinds and each entry's visibility",
        "v0_3_0.sql",
        200,
    ),
    SchemaVersion("0.3.0", "0003", "settle on 0.3.0: the schema is that of 0.2.0", "v0_3_0.sql", 300),
    SchemaVersion(
        "0.4.0",
        "0004",
        "add what ends tokens, limits keys, remembers logins and counts ids",
        "v0_4_0.sql",
        400,
    ),
    SchemaVersion(
        "0.5.0",
        "0005",
        "add the installation's identity, and what is found in texts",
        "v0_5_0.sql",
        500,
    ),
    SchemaVersion(
        "0.6.0",
        "0006",
        "add the order of lists, which ids no longer tell, and slugs",
        "v0_6_0.sql",
        600,
    ),
    SchemaVersion(
        "0.7.0",
        "0007",
        "add what publishing, people and their keys need",
        "v0_7_0.sql",
        700,
    ),
    SchemaVersion(
        "0.8.0",
        "0008",
        "add pages, logins of providers, and what assistants read",
        "v0_8_0.sql",
        800,
    ),
    SchemaVersion(
        "0.9.0",
        "0009",
        "add pictures, messages and webhooks",
        "v0_9_0.sql",
        900,
    ),
)

# What a database at that version has, as one hash; tests compare it with the files and with today's tables.
FINGERPRINTS = {
    "0.1.0": "712000ae8867b42af8083aa350c95923082985ffb4d5b249a1eda5bc8069c857",
    "0.2.0": "7be5e3d479715a6856778f2a169bd627c30140ad6a7038bd55947111bc3aab36",
    "0.3.0": "7be5e3d479715a6856778f2a169bd627c30140ad6a7038bd55947111bc3aab36",
    "0.4.0": "45f0234fda20bbf651de3a74df8f3e1bf8494b375cb45350063c543ae035a7fb",
    "0.5.0": "b09406a9374cf386d6bdaec97308a7def77b13ea1201c40fe4744a94f79963e0",
    "0.6.0": "6e414bc0cee572c0598345e27339962e4c968d1c6b0c7c6ed8f8cd236a1d681f",
    "0.7.0": "723af91b92f2031c4f970bad2fa1ba009804d338ede3ea91592088073ec5bbd8",
    "0.8.0": "841685aff26d8aaebb880e6887061cb23799f32033826b88a4e7bbc24edeee50",
    "0.9.0": "0469dd344626e4ddcd9ebccb95ff3bc5064d720a2ee48e3aa77bcc988d7950cb",
}


@dataclass(frozen=True)
class Era:
    """What the form of `users` tells about the releases that can have made a database, and what is odd."""

    lowest: str
    highest: str
    oddity: str = ""


# By the form of `users` and whether both privacy tables have the releases' own form.
ERAS: dict[tuple[str, Literal["own", "none", "odd"]], Era] = {
    ("layout A", "own"): Era("0.1.0", "0.2.1"),
    ("layout A", "none"): Era("0.1.0", "0.1.1", "as the upgrade guide tells it, without privacy tables"),
    ("layout A", "odd"): Era("0.1.0", "0.2.1"),
    ("layout B", "own"): Era("0.2.2", "0.3.2"),
    ("layout B", "none"): Era("0.1.0", "0.2.2", "without privacy tables"),
    ("layout B", "odd"): Era("0.1.0", "0.2.2"),
}


def on_engine(engine_name: str) -> tuple[SchemaVersion, ...]:
    """Return the versions whose steps run on an engine by themselves: on a server, those after the first."""
    first = version_key(FIRST_ON_SERVERS)
    return tuple(
        row for row in SCHEMA_VERSIONS if engine_name == "sqlite" or version_key(row.version) > first
    )


def sheet_of(version: str) -> str:
    """Return the CREATE statements of a schema version. Raises KeyError for what is none."""
    files = {row.version: row.file for row in SCHEMA_VERSIONS}
    return schema_text("app.upgrade.versions", files[version])


@cache
def schema_text(package: str, file: str) -> str:
    """Return a file of the folder ``schemas`` in a package."""
    return (resources.files(package) / "schemas" / file).read_text("utf-8")


def schema_version_for(target: str) -> str:
    """Return the schema version that a release stands for. Raises UsageError, naming those that are known."""
    wanted = target.strip().removeprefix("v")
    for release in RELEASES:
        if release.version == wanted:
            return release.schema_version
    known = ", ".join(release.version for release in RELEASES)
    raise UsageError(f"There is no version {target}.", hint=f"Known are {known}; without a target: {NEWEST}.")


def version_key(version: str) -> tuple[int, ...]:
    """Return a version as numbers to compare; (-1,) for what is not written as one."""
    wanted = version.strip().removeprefix("v")
    if not re.fullmatch(r"\d{1,9}(\.\d{1,9}){0,3}", wanted):
        return (-1,)
    return tuple(int(part) for part in wanted.split("."))
