"""Is every setting read, checked with one clear sentence, and never a secret shown?"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.errors import SettingsError
from app.privacy import levels
from app.settings import COMPOSE_NAMES, OLD_NAMES, PRIVACY_LEVELS, ROWS, Settings, load_settings
from tests.conftest import ROOT, SettingsIn

LONG_SECRET = "correct-horse-battery-staple-correct-horse"


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(text: str) -> Settings:
    Path(".env").write_text(text, encoding="utf-8")
    return load_settings({})


def fault(**values: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(values)
    return caught.value.message


def test_without_any_word_everything_has_its_default(tmp_path: Path) -> None:
    settings = load_settings({})
    assert settings.database_path == tmp_path / "data/daemon.db"
    assert (settings.backup_dir, settings.log_dir) == (tmp_path / "backups", tmp_path / "logs")
    assert (settings.host, settings.port, settings.secret_key) == ("127.0.0.1", 8004, None)
    assert settings.warnings == ()


def test_the_files_beside_the_database(settings_in: SettingsIn, tmp_path: Path) -> None:
    settings = settings_in(tmp_path)
    assert settings.data_dir == tmp_path / "data"
    assert settings.claim_path == tmp_path / "data/claim"
    assert settings.secret_path == tmp_path / "data/secret_key"
    assert settings.hold_path == tmp_path / "data/daemon.db.hold"


def test_reading_settings_writes_nothing(tmp_path: Path) -> None:
    load_settings({})
    assert list(tmp_path.iterdir()) == []


def test_the_environment_wins_over_the_file_and_case_does_not_matter() -> None:
    Path(".env").write_text("port=1\nHost=0.0.0.0\n")
    settings = load_settings({"Port": "2"})
    assert (settings.port, settings.host) == (2, "0.0.0.0")


def test_the_process_environment_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "8123")
    assert load_settings().port == 8123


def test_an_empty_value_counts_as_none() -> None:
    settings = load_settings({"PORT": "", "SECRET_KEY": "  "})
    assert (settings.port, settings.secret_key, settings.warnings) == (8004, None, ())


def test_the_guides_own_file_is_taken(tmp_path: Path) -> None:
    settings = written(
        "PRIVACY_LEVEL=public_full\nBACKUP_ENABLED=true\nDATABASE_URL=sqlite:///./data/daemon.db\n"
    )
    assert settings == load_settings({}, tmp_path / "none")


@pytest.mark.parametrize(
    "text",
    [
        "export PORT=9000\n",
        "\ufeffPORT=9000\n",
        "# a comment\nPORT='9000'   # why\n",
        'BASE=90\nPORT="${BASE}00"\n',
        "PORT=9000\r\n",
    ],
)
def test_the_forms_of_a_line_in_the_file(text: str) -> None:
    assert written(text).port == 9000


def test_a_line_that_is_none_is_said_without_its_text() -> None:
    settings = written("PORT=9000\nthis 'is hunter2\nHOST=localhost\n")
    assert (settings.port, settings.host) == (9000, "localhost")
    assert settings.warnings == ("Line 2 of .env is not NAME=value and is ignored.",)


def test_an_unknown_name_only_warns() -> None:
    settings = written("COLOUR=green\nPORT=9000\n")
    assert settings.port == 9000
    assert settings.warnings == ("COLOUR in .env is not a setting of Daemon and is ignored.",)
    assert load_settings({"COLOUR": "green"}, Path("none")).warnings == ()


def test_what_compose_reads_from_the_same_file_gives_no_warning() -> None:
    read = re.findall(r"\$\{([A-Z_]+)", (ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert set(read) <= {*ROWS, *COMPOSE_NAMES}
    assert "TRUSTED_PROXIES" in read  # in a container every client is Docker's gateway, unless it is named
    assert written("\n".join(f"{name}=x" for name in COMPOSE_NAMES)).warnings == ()


def test_a_secret_that_is_no_text_is_a_fault() -> None:
    assert fault(SECRET_KEY="\udcff" * 40) == (
        "SECRET_KEY cannot be used; it must be a random text of at least 32 bytes."
    )


def test_a_file_that_is_not_text_is_one_sentence() -> None:
    Path(".env").write_bytes(b"PORT=\xff\xfe\n")
    with pytest.raises(SettingsError) as caught:
        load_settings({})
    assert caught.value.message == "The file .env cannot be read: it is not UTF-8 text."


def test_what_an_old_server_read_never_stops_this_one() -> None:
    lines = [f"{name}=anything" for name in OLD_NAMES]
    settings = written("\n".join(lines))
    assert len(settings.warnings) == 3
    assert settings.warnings[0] == (
        "ALLOWED_IPS is ignored since 0.4: requests are not limited by address; "
        "use HOST, a firewall or a reverse proxy."
    )


def test_the_defaults_of_an_old_server_give_no_warning() -> None:
    settings = written(
        'ALLOWED_IPS=[]\nMULTI_USER_MODE=auto\nDEBUG=false\nLOGGING_LEVEL=warning\nRELOAD="false"\n'
    )
    assert settings.warnings == ()
    assert settings.log_level == "WARNING"


def test_the_levels_that_may_be_named_are_those_that_exist() -> None:
    assert sorted(PRIVACY_LEVELS) == sorted(levels.NAMES)


def test_of_two_names_for_one_setting_the_newer_is_obeyed() -> None:
    settings = load_settings({"LOG_LEVEL": "ERROR", "LOGGING_LEVEL": "DEBUG"})
    assert settings.log_level == "ERROR"
    assert settings.warnings == ("LOG_LEVEL and LOGGING_LEVEL differ; LOG_LEVEL is obeyed.",)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DATABASE_URL", "postgresql://localhost"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:///file:x"),
        ("DATABASE_URL", "sqlite:///./data/"),
        ("DATABASE_URL", "./data/daemon.db"),
        ("BACKUP_ENABLED", "perhaps"),
        ("BACKUP_RETENTION_DAYS", "0"),
        ("PRIVACY_LEVEL", "everything"),
        ("HOST", "my host"),
        ("PORT", "65536"),
        ("PORT", "-1"),
        ("PORT", "8004.0"),
        ("PORT", "٨٠٠٤"),
        ("UPGRADE_ON_START", "sometimes"),
        ("LOG_LEVEL", "LOUD"),
        ("LOGGING_LEVEL", "LOUD"),
        ("ACCESS_TOKEN_EXPIRE_MINUTES", "9" * 30),
        ("CORS_ORIGINS", "example.org"),
        ("CORS_ORIGINS", "[1]"),
        ("CORS_ORIGINS", "[" * 100_000),
        ("CORS_ORIGINS", "https://a.example/path"),
        ("PUBLIC_URL", "example.org"),
        ("PUBLIC_URL", "https://example.org/#top"),
        ("SECURITY_CONTACT", "ann@example.org"),
        ("SECURITY_CONTACT", "mailto:ann@example.org\nExpires"),
        ("TRUSTED_PROXIES", "proxy"),
        ("TRUSTED_PROXIES", "10.0.0.0/99"),
        ("MAX_BODY_BYTES", "1023"),
    ],
)
def test_a_fault_is_one_sentence_with_name_value_and_what_is_allowed(name: str, value: str) -> None:
    message = fault(**{name: value})
    row = ROWS.get(name) or ROWS["LOG_LEVEL"]
    shown = value if len(value) <= 200 else value[:200] + "..."
    assert message == f"{name} is {shown!r}; it must be {row.allowed}."


def test_every_fault_is_said_at_once() -> None:
    assert len(fault(PORT="x", PRIVACY_LEVEL="y", HOST="0.0.0.0").splitlines()) == 2


@pytest.mark.parametrize("url", ["postgresql://ann:hunter2@h", "mysql://h/db?password=hunter2"])
def test_a_fault_shows_no_password(url: str) -> None:
    assert "hunter2" not in fault(DATABASE_URL=url)


@pytest.mark.parametrize(
    ("text", "origins"),
    [
        ("https://a.example, http://b.example:3000/", ("https://a.example", "http://b.example:3000")),
        (
            '["http://localhost:3000","http://localhost:8080"]',
            ("http://localhost:3000", "http://localhost:8080"),
        ),
        ("[]", ()),
        ("*", ("*",)),
    ],
)
def test_lists_are_read_with_commas_and_as_json(text: str, origins: tuple[str, ...]) -> None:
    assert load_settings({"CORS_ORIGINS": text}).cors_origins == origins


def test_proxies_are_networks() -> None:
    settings = load_settings({"TRUSTED_PROXIES": "127.0.0.1, 10.1.2.3/8, ::1"})
    assert settings.trusted_proxies == ("127.0.0.1/32", "10.0.0.0/8", "::1/128")


@pytest.mark.parametrize("secret", ["change-me-in-production", "Tr0ub4dor&3x"])
def test_a_known_or_short_secret_is_ignored_with_a_warning(secret: str) -> None:
    settings = load_settings({"SECRET_KEY": secret})
    assert (settings.secret_key, settings.was_secret_known) == (None, secret != "Tr0ub4dor&3x")
    (warning,) = settings.warnings
    assert warning.startswith("SECRET_KEY is ")
    assert secret not in warning


def test_a_secret_of_ones_own_is_kept_and_never_shown() -> None:
    settings = load_settings({"SECRET_KEY": LONG_SECRET})
    assert (settings.secret_key, settings.was_secret_known) == (LONG_SECRET, False)
    assert LONG_SECRET not in repr(settings) + str(settings)


def test_settings_do_not_change() -> None:
    with pytest.raises(AttributeError):
        load_settings({}).port = 1  # type: ignore[misc]


def test_reading_settings_needs_no_library() -> None:
    program = (
        "import sys; before = set(sys.modules); import app.settings; app.settings.load_settings({});"
        "new = {name.split('.')[0] for name in set(sys.modules) - before};"
        "print(sorted(new - set(sys.stdlib_module_names)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() in ("['app']", "['app', 'dotenv']")  # dotenv where the checkout has a .env


def test_a_database_on_a_server_is_shown_without_who_logs_in(tmp_path: Path) -> None:
    url = "postgres://ann:hunter2@db1:5432,db2/life?target_session_attrs=read-write"
    settings = load_settings({"DATABASE_URL": url, "DATA_DIR": str(tmp_path)})
    assert settings.database_url == url.replace("postgres:", "postgresql+psycopg:")
    assert settings.database_name == "postgresql://db1:5432,db2/life"
    assert "hunter2" not in repr(settings)
    assert settings.database_path == tmp_path / "life.postgresql"
    assert settings.claim_path == tmp_path / "claim"
    assert settings.is_this_database("postgresql://db1:5432,db2/life")
    assert not settings.is_this_database("postgresql://db1:5432,db2/other")


def test_what_a_machine_keeps_is_beside_a_database_of_sqlite(tmp_path: Path) -> None:
    settings = load_settings({"DATABASE_URL": f"sqlite:///{tmp_path}/a/b.db", "DATA_DIR": str(tmp_path)})
    assert settings.data_dir == tmp_path / "a"
