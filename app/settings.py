"""Settings. How is this installation configured? One frozen value, read from the environment and from `.env`.

A setting is one line here: name, default, what is allowed, unit and help; its row in docs/settings.md and in
`.env.example` is compared with it by a test. The environment wins over `.env`; upper and lower case are one.
Reading settings writes nothing and makes no folder. No library but python-dotenv, and that only where there
is a `.env`, so that every command starts fast and the upgrade runs when little else can be imported.
"""

from __future__ import annotations

import ipaddress
import json
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from app import database_urls, env_file, published_secrets
from app.disk import real_path
from app.errors import SettingsError

SHORTEST_SECRET_BYTES = 32
ENVIRONMENT, ENV_FILE, DEFAULT = "environment", ".env", "default"
PRIVACY_LEVELS = ("business_card", "professional", "ai_safe", "public_full")


# -- how the text of a setting is read: each returns the value or raises ValueError ------------------------


def _whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
            raise ValueError(text)
        number = int(text)
        if not lowest <= number <= highest:
            raise ValueError(text)
        return number

    return read


def _yes_or_no(text: str) -> bool:
    word = text.lower()
    if word in ("true", "1", "yes", "on"):
        return True
    if word in ("false", "0", "no", "off"):
        return False
    raise ValueError(text)


def _one_of(*words: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        for word in words:
            if text.lower() == word.lower():
                return word
        raise ValueError(text)

    return read


def _folder(text: str) -> Path:
    if "\0" in text:
        raise ValueError(text)
    return Path.cwd() / text


def _host(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._:%-]+", text):
        raise ValueError(text)
    return text


def _list(text: str) -> list[str]:
    if not text.startswith("["):
        return [part.strip() for part in text.split(",") if part.strip()]
    parts = json.loads(text)
    if not all(isinstance(part, str) for part in parts):
        raise ValueError(text)
    return [part.strip() for part in parts]


def _origins(text: str) -> tuple[str, ...]:
    origins = [origin.rstrip("/") for origin in _list(text)]
    for origin in origins:
        if origin != "*" and not re.fullmatch(r"https?://[^\s/?#@]+", origin):
            raise ValueError(origin)
    return tuple(origins)


def _public_url(text: str) -> str:
    if not re.fullmatch(
        r"https?://(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/[A-Za-z0-9._~-]+)*/?", text
    ):
        raise ValueError(text)
    return text.rstrip("/")


def _contacts(text: str) -> tuple[str, ...]:
    contacts = tuple(_list(text))
    for contact in contacts:
        if not re.fullmatch(r"(mailto:[^\s@]+@|https://|tel:)[!-~]+", contact):
            raise ValueError(contact)
    return contacts


def _servers(text: str) -> tuple[str, ...]:
    parts = _list(text) if text.startswith("[") else re.split(r"[\s,]+(?=postgres)", text.strip())
    urls = tuple(database_urls.read(part) for part in parts if part)
    if not all(map(database_urls.is_of_server, urls)):
        raise ValueError(text)
    return urls


def _networks(text: str) -> tuple[str, ...]:
    return tuple(str(ipaddress.ip_network(part, strict=False)) for part in _list(text))


def is_https_or_local(address: str) -> bool:
    """Return whether what is sent there can be read and changed by no one on the way."""
    here = r"http://(127\.0\.0\.1|localhost|\[::1\])[:/]"
    return re.fullmatch(f"(https://|{here})[!-~]+", f"{address}/") is not None


def _provider(text: str) -> str:
    if not is_https_or_local(text) or "#" in text:
        raise ValueError(text)
    return text


def _secret(text: str) -> str:
    text.encode()  # what the environment holds may be no text at all
    return text


# -- the settings -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """What is known of a setting besides its type: how it is read and how it is explained."""

    read: Callable[[str], object]
    allowed: str
    help: str
    shown_default: str
    unit: str = ""
    aliases: tuple[str, ...] = ()
    is_secret: bool = False


def _setting(
    default: object,
    read: Callable[[str], object],
    *,
    allowed: str,
    help: str,
    shown: str | None = None,
    unit: str = "",
    aliases: tuple[str, ...] = (),
    is_secret: bool = False,
) -> Any:
    row = Row(read, allowed, help, str(default) if shown is None else shown, unit, aliases, is_secret)
    make = default if callable(default) else (lambda: default)
    return field(default_factory=make, metadata={"row": row})


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that can be configured; paths are absolute. Made by `load_settings`, in tests directly."""

    database_url: str = _setting(
        lambda: database_urls.read("sqlite:///./data/daemon.db"),
        database_urls.read,
        shown="sqlite:///./data/daemon.db",
        allowed="sqlite:///PATH/TO/FILE.db, or postgresql+psycopg://USER@HOST/NAME",
        help="The database. A relative path is meant from the folder in which the command is run.",
    )
    database_replica_urls: tuple[str, ...] = _setting(
        (),
        _servers,
        shown="(none)",
        allowed="a list of postgresql+psycopg://USER@HOST/NAME",
        help="Standbys of DATABASE_URL's server, of which texts of public entries are read (docs/scale.md).",
    )
    data_dir: Path = _setting(
        lambda: _folder("./data"),
        _folder,
        shown="./data",
        allowed="a folder",
        help="Where key and claim token are kept where the database is on a server of PostgreSQL. Beside a "
        "database of SQLite they are always in its own folder.",
    )
    backup_dir: Path = _setting(
        lambda: _folder("./backups"),
        _folder,
        shown="./backups",
        allowed="a folder",
        help="Where backups and the journal of what operators did are kept.",
    )
    backup_enabled: bool = _setting(
        True,
        _yes_or_no,
        shown="true",
        allowed="true or false",
        help="Whether the server makes a backup a day and clears old ones away; an upgrade always makes one.",
    )
    backup_retention_days: int = _setting(
        30,
        _whole_number(1, 36500),
        unit="days",
        allowed="a whole number from 1 to 36500",
        help="How long a backup is kept. The newest good one, and one that an upgrade needs, stay.",
    )
    audit_days: int = _setting(
        365,
        _whole_number(0, 36500),
        unit="days",
        allowed="a whole number from 0 to 36500",
        help="How long the audit keeps logins, refusals, key uses, reads and exports; 0: for ever.",
    )
    revision_days: int = _setting(
        0,
        _whole_number(0, 36500),
        unit="days",
        allowed="a whole number from 0 to 36500",
        help="How long earlier states of entries are kept; 0: for ever.",
    )
    deleted_days: int = _setting(
        0,
        _whole_number(0, 36500),
        unit="days",
        allowed="a whole number from 0 to 36500",
        help="How long deleted entries are kept at least, before an admin may have them erased "
        "(`daemon entry cleanup`); 0: for ever.",
    )
    message_days: int = _setting(
        180,
        _whole_number(0, 36500),
        unit="days",
        allowed="a whole number from 0 to 36500",
        help="How long a message that was left for someone waits in the inbox; 0: until it is deleted.",
    )
    webhooks_to_loopback: bool = _setting(
        False,
        _yes_or_no,
        shown="false",
        allowed="true or false",
        help="Whether webhooks may be sent over http to this machine; all others are https to public "
        "addresses.",
    )
    privacy_level: str = _setting(
        "public_full",
        _one_of(*PRIVACY_LEVELS),
        allowed="one of " + ", ".join(PRIVACY_LEVELS),
        help="The most that a stranger may see. A stranger may ask for less, never for more.",
    )
    host: str = _setting(
        "127.0.0.1",
        _host,
        allowed="a host name or an IP address",
        help="The address to serve on; 0.0.0.0 for every one of the machine's, as in a container.",
    )
    port: int = _setting(
        8004,
        _whole_number(0, 65535),
        allowed="a whole number from 0 to 65535",
        help="The port to serve on; 0 takes any that is free.",
    )
    secret_key: str | None = _setting(
        None,
        _secret,
        shown="(generated)",
        is_secret=True,
        allowed=f"a random text of at least {SHORTEST_SECRET_BYTES} bytes",
        help="Signs the tokens of people who log in. Without one, a key is generated into the file "
        "secret_key beside the database, readable by its owner only.",
    )
    upgrade_on_start: str = _setting(
        "auto",
        _one_of("auto", "manual"),
        allowed="auto or manual",
        help="What the server does with a database of an older version: upgrade it (with backup and "
        "verification, and only if it is recognised exactly), or wait for `daemon upgrade run`.",
    )
    log_level: str = _setting(
        "INFO",
        _one_of("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"),
        aliases=("LOGGING_LEVEL",),
        allowed="one of DEBUG, INFO, WARNING, ERROR, CRITICAL",
        help="The least important kind of message that is logged.",
    )
    log_dir: Path = _setting(
        lambda: _folder("./logs"),
        _folder,
        shown="./logs",
        allowed="a folder",
        help="Where server.log is written.",
    )
    access_token_expire_minutes: int = _setting(
        30,
        _whole_number(1, 525600),
        unit="minutes",
        allowed="a whole number from 1 to 525600",
        help="How long an access token is valid; a login without a refresh token lasts as long.",
    )
    session_days: int = _setting(
        30,
        _whole_number(1, 3650),
        unit="days",
        allowed="a whole number from 1 to 3650",
        help="How long a login with a refresh token goes on after it was refreshed last.",
    )
    oidc_issuer: str = _setting(
        "",
        _provider,
        shown="(none)",
        allowed="the address of an OpenID provider: https, or http on this machine",
        help="Who has an account there can be let in here (docs/people.md); none: there is no such login.",
    )
    oidc_client_id: str = _setting(
        "",
        str,
        shown="(none)",
        allowed="a text",
        help="What the provider calls this installation.",
    )
    oidc_client_secret: str = _setting(
        "",
        _secret,
        shown="(none)",
        allowed="a text",
        is_secret=True,
        help="What the provider knows this installation by, where it gave a secret.",
    )
    oidc_redirect_uri: str = _setting(
        "",
        _provider,
        shown="(none)",
        allowed="an address that ends with /auth/oidc/callback: https, or http on this machine",
        help="Where the provider sends people back to, as it was told there.",
    )
    admin_over_http: bool = _setting(
        False,
        _yes_or_no,
        shown="false",
        allowed="true or false",
        help="Whether people may sign in to /manage/ over plain HTTP from elsewhere, where anyone on the way "
        "can read along. Over TLS and from this machine they always may.",
    )
    cors_origins: tuple[str, ...] = _setting(
        (),
        _origins,
        shown="(none)",
        allowed='a list of origins, as https://a.example,https://b.example or as JSON ["https://a.example"]',
        help="Web pages of these origins may read the API from a browser.",
    )
    trusted_proxies: tuple[str, ...] = _setting(
        (),
        _networks,
        shown="(none)",
        allowed="a list of IP addresses or networks, as 127.0.0.1,10.0.0.0/8 or as a JSON list",
        help="Reverse proxies whose X-Forwarded-For and X-Forwarded-Proto are believed.",
    )
    public_url: str = _setting(
        "",
        _public_url,
        shown="(none)",
        allowed="an address as https://me.example or https://example.org/daemon",
        help="Under which address people reach this server: it stands in feeds, the sitemap, codes and "
        "WebFinger. None: as whoever asks has named the host, and such answers are made anew for each.",
    )
    security_contact: tuple[str, ...] = _setting(
        (),
        _contacts,
        shown="(none)",
        allowed="a list of mailto:, https:// or tel: addresses",
        help="Whom to tell of a hole in this server (/.well-known/security.txt); none: there is no such "
        "file.",
    )
    max_body_bytes: int = _setting(
        5_242_880,
        _whole_number(1024, 1_073_741_824),
        unit="bytes",
        allowed="a whole number from 1024 to 1073741824",
        help="The largest request body that the server takes.",
    )
    picture_quota_bytes: int = _setting(
        100_000_000,
        _whole_number(0, 1_099_511_627_776),
        unit="bytes",
        allowed="a whole number from 0 to 1099511627776",
        help="How much the pictures of one person may have, in all their sizes together; 0: none are taken.",
    )
    view_memory_bytes: int = _setting(
        67_108_864,
        _whole_number(0, 68_719_476_736),
        unit="bytes",
        allowed="a whole number from 0 to 68719476736",
        help="How much memory the server uses to keep what strangers are shown of entries; 0 keeps nothing.",
    )
    rate_limit_network: int = _setting(
        3_000,
        _whole_number(0, 1_000_000_000),
        unit="requests a minute",
        allowed="a whole number from 0 to 1000000000",
        help="How many requests of strangers one network (an IPv4 address, a /64 of IPv6) may send; 0: any.",
    )
    rate_limit_person: int = _setting(
        6_000,
        _whole_number(0, 1_000_000_000),
        unit="requests a minute",
        allowed="a whole number from 0 to 1000000000",
        help="How many requests one person may send, from wherever, with whichever credentials; 0: any.",
    )
    rate_limit_writes: int = _setting(
        3_000,
        _whole_number(0, 1_000_000_000),
        unit="requests a minute",
        allowed="a whole number from 0 to 1000000000",
        help="How many of them may change something; all server processes count these together. 0: any.",
    )
    warnings: tuple[str, ...] = ()
    sources: tuple[tuple[str, str], ...] = field(default=(), compare=False)  # of those that were said: where
    was_secret_known: bool = False  # a SECRET_KEY is set, and is ignored because anyone may know it

    def __post_init__(self) -> None:
        if database_urls.is_of_server(self.database_url):
            database_urls.note_place(self.database_url, self.database_path)
        else:
            object.__setattr__(self, "data_dir", self.database_path.parent)

    @property
    def database_path(self) -> Path:
        """The database's file, absolute; for one on a server, after what files about it here are called."""
        if database_urls.is_of_server(self.database_url):
            return self.data_dir / database_urls.local_name(self.database_url)
        return database_urls.file_of(self.database_url)

    def is_this_database(self, name: str) -> bool:
        """Whether what someone wrote down about a database of that name is about this one."""
        if database_urls.is_of_server(self.database_url):
            return name == self.database_name
        return real_path(Path(name)) == real_path(self.database_path)

    @property
    def database_name(self) -> str:
        """What the database is called to people: its file, or server and name, without who logs in."""
        return database_urls.in_words(self.database_url)

    @property
    def hold_path(self) -> Path:
        """The file whose presence keeps the server from upgrading by itself."""
        real = real_path(self.database_path)  # a link to the database has no hold of its own
        return real.with_name(real.name + ".hold")

    @property
    def claim_path(self) -> Path:
        """The file that holds the one-time token for the first account."""
        return self.data_dir / "claim"

    @property
    def operator_path(self) -> Path:
        """The file that holds the one-time token for who works on a database that is not served."""
        return self.data_dir / "operator"

    @property
    def exports_path(self) -> Path:
        """The folder of the archives that people have asked for."""
        return self.data_dir / "exports"

    @property
    def proxies_path(self) -> Path:
        """The file that notes which proxies were seen and are not trusted."""
        return self.data_dir / "proxies_seen"

    @property
    def secret_path(self) -> Path:
        """The file of the generated key that signs tokens."""
        return self.data_dir / "secret_key"

    def __repr__(self) -> str:
        kept = ("secret_key", "oidc_client_secret", "database_url", "database_replica_urls")
        shown = (f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.name not in kept)
        url = database_urls.without_password(self.database_url)
        return f"Settings(database_url={url!r}, {', '.join(shown)})"


ROWS: Mapping[str, Row] = {f.name.upper(): f.metadata["row"] for f in fields(Settings) if "row" in f.metadata}

# Names that servers before 0.4 knew: a file that was right for them must not stop this one. Where no longer
# obeying one could surprise its owner, the reason is said; the rest need no word.
_OLD_NAMES_NEEDING_NO_WORD = """
    ALGORITHM API_BASE_PATH API_PREFIX APP_NAME DAEMON_API_URL DEBUG DEPLOYMENT_MODE DESCRIPTION DOCS_URL
    EXTERNAL_DOMAIN FRONTEND_BASE_PATH FRONTEND_PORT MCP_TOOLS_PREFIX METRICS_ENABLED OPENAPI_URL
    RATE_LIMIT_REQUESTS RATE_LIMIT_WINDOW REDOC_URL RELOAD VERSION
"""
# Names that docker-compose.yml reads from the same file.
COMPOSE_NAMES = frozenset({"COMPOSE_PROJECT_NAME", "DAEMON_BIND", "DAEMON_PORT", "PYTHON_IMAGE"})
OLD_NAMES: Mapping[str, str] = {
    "ALLOWED_IPS": "requests are not limited by address; use HOST, a firewall or a reverse proxy",
    "MULTI_USER_MODE": "the mode follows from the number of accounts",
    "MCP_ENABLED": "assistants read at /mcp, always; each person may keep them out (docs/assistants.md)",
    **dict.fromkeys(_OLD_NAMES_NEEDING_NO_WORD.split(), ""),
}


# -- reading them -------------------------------------------------------------------------------------------


def sudo_user() -> str | None:
    """Return who called sudo to run this process, as sudo says it; None where it was not sudo."""
    return os.environ.get("SUDO_USER") or None


def typed_command() -> str:
    """Return how commands are typed from outside of this installation (a container sets it); "" else."""
    return os.environ.get("DAEMON_COMMAND", "").strip()


def is_in_container() -> bool:
    """Return whether this process runs in a container, whose host name means nothing outside of it."""
    told = any(os.environ.get(name) for name in ("DAEMON_COMMAND", "KUBERNETES_SERVICE_HOST", "container"))
    return told or any(Path(mark).exists() for mark in ("/.dockerenv", "/run/.containerenv"))


def sqlite_tmpdir() -> Path | None:
    """Return the folder that SQLite is told to keep temporary files in, if it is."""
    return Path(os.environ["SQLITE_TMPDIR"]) if os.environ.get("SQLITE_TMPDIR") else None


def load_settings(environ: Mapping[str, str] | None = None, file: Path | None = None) -> Settings:
    """Return the settings of this process: the environment, then `.env` of the working folder, then defaults.

    Raises SettingsError with one sentence per fault (``details['faults']``). What is odd without being wrong
    is in ``settings.warnings``. An empty value counts as none.
    """
    file = Path(".env") if file is None else file
    written, warnings = env_file.read_env_file(file)
    given = env_file.by_upper_case_name(os.environ if environ is None else environ)
    warnings += _unknown_names(written, file)
    found = {**written, **given}
    warnings += _old_names(found)
    values, faults = _read_rows(found, warnings)
    if faults:
        raise SettingsError("\n".join(faults), hint="docs/settings.md lists every setting.", faults=faults)
    _ignore_weak_secret(values, warnings)
    return Settings(**values, warnings=tuple(warnings), sources=_sources(values, given))


def load_settings_for(database_url: str) -> Settings:
    """Return the settings that this process would have with another DATABASE_URL. Raises SettingsError."""
    return load_settings({**os.environ, "DATABASE_URL": database_url})


def _unknown_names(written: Mapping[str, str], file: Path) -> list[str]:
    known = {*ROWS, *OLD_NAMES, *COMPOSE_NAMES, *(alias for row in ROWS.values() for alias in row.aliases)}
    return [
        f"{name} in {file} is not a setting of Daemon and is ignored."
        for name in written
        if name not in known
    ]


def _old_names(found: Mapping[str, str]) -> list[str]:
    return [
        f"{name} is ignored since 0.4: {reason}."
        for name, reason in OLD_NAMES.items()
        if reason and name in found and found[name].lower() not in ("[]", "auto", "false")
    ]


def _read_rows(found: Mapping[str, str], warnings: list[str]) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    faults: list[str] = []
    for name, row in ROWS.items():
        names = [candidate for candidate in (name, *row.aliases) if candidate in found]
        if not names:
            continue
        if len({found[candidate] for candidate in names}) > 1:
            warnings.append(f"{names[0]} and {names[1]} differ; {names[0]} is obeyed.")
        try:
            values[name.lower()] = row.read(found[names[0]])
        except (ValueError, TypeError, RecursionError):
            faults.append(_fault(names[0], found[names[0]], row))
    return values, faults


def _sources(values: Mapping[str, object], given: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return where each value is said that is said at all: in the environment, or in `.env`."""
    found = {name: (name, *ROWS[name].aliases) for name in map(str.upper, values) if name in ROWS}
    return tuple(
        (name, ENVIRONMENT if any(one in given for one in names) else ENV_FILE)
        for name, names in found.items()
    )


def _fault(name: str, text: str, row: Row) -> str:
    if row.is_secret:
        return f"{name} cannot be used; it must be {row.allowed}."
    return f"{name} is {_without_password(text)!r}; it must be {row.allowed}."


def _without_password(text: str) -> str:
    short = text if len(text) <= 200 else text[:200] + "..."
    return re.sub(r"\?.*", "?***", re.sub(r"(?<=://)[^/\s]*@", "***@", short))


def _ignore_weak_secret(values: dict[str, Any], warnings: list[str]) -> None:
    secret = values.get("secret_key")
    if secret is None:
        return
    known = published_secrets.why_known(secret)
    is_short = len(secret.encode()) < SHORTEST_SECRET_BYTES
    if known or is_short:
        why = known or f"is shorter than {SHORTEST_SECRET_BYTES} bytes"
        values |= {"secret_key": None, "was_secret_known": bool(known)}
        warnings.append(
            f"SECRET_KEY {why}; it is ignored, a generated key is used instead, and no token that was signed "
            "with it is taken. Take it out of .env."
        )
