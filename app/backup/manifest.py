"""What is known about a backup: the small JSON file that is beside it."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from app.clock import parse_stored
from app.erasures import Erasure
from app.storage.types import StorageConnection

FORMAT = 2
FORMAT_OF_DUMPS = 3  # of a database on a server; tools that know no dumps take it for someone else's
FORMAT_WITH_LEDGER = 4  # tools that know no ledger would put back what was erased since: they leave it alone
READ_FORMATS = (1, FORMAT, FORMAT_OF_DUMPS, FORMAT_WITH_LEDGER)  # the first had no installation and no number
SUFFIX = ".json"
_LARGEST_BYTES = 64_000_000
_PURPOSE = re.compile(r"[a-z][a-z_]{0,39}")
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Description(Protocol):
    """What a database is, in the words of anyone who can recognise one (the upgrade room)."""

    @property
    def version_label(self) -> str:
        """The version for people: "0.2.0", "0.1.0 to 0.2.1"."""

    @property
    def fingerprint(self) -> str | None:
        """The hash of the schema, where the schema is a known one."""

    @property
    def is_daemon(self) -> bool:
        """Whether this is a database of a Daemon, of whatever version and however drifted."""


Describe = Callable[[StorageConnection], Description]


class ManifestDamaged(ValueError):
    """The file is a manifest of ours, and it is not as it was written."""


@dataclass(frozen=True)
class Manifest:
    """What was true of a backup when it was made. Times are UTC, sizes in bytes.

    ``installation`` is the id of whose it is; ``number`` counts that one's backups, whatever the clock says.
    ``digests`` are those of each table's rows where the file is a dump: its bytes tell nothing of them.
    ``erased`` is the ledger of what was erased until then: the backup holds none of it, and older ones may.
    """

    file: str
    created_at: str
    purpose: str
    version: str
    fingerprint: str | None
    rows: Mapping[str, int]
    sha256: str
    size_bytes: int
    page_size: int
    journal_mode: str
    database: str
    tool_version: str
    sqlite_version: str
    installation: str | None = None
    number: int | None = None
    digests: Mapping[str, str] | None = None
    erased: tuple[Erasure, ...] = ()
    format: int = field(default=FORMAT)

    def as_bytes(self) -> bytes:
        """Return the file's text: JSON, with a SHA-256 over all its other members but the file's name."""
        known = asdict(self)
        known["rows"] = dict(self.rows)
        if self.digests is None:
            del known["digests"]  # as tools know it that know no dumps
        else:
            known["digests"] = dict(self.digests)
        known["erased"] = [list(line) for line in self.erased]
        if self.erased:
            known["format"] = FORMAT_WITH_LEDGER
        else:
            del known["erased"]
        known["manifest_sha256"] = _seal(known)
        return json.dumps(known, indent=1, ensure_ascii=True).encode() + b"\n"


def manifest_path(backup: Path) -> Path:
    """Return where the manifest of the backup file ``backup`` is."""
    return backup.with_name(backup.name + SUFFIX)


def check_purpose(purpose: str) -> str:
    """Return ``purpose``; raises ValueError unless it is a word in small letters and underscores."""
    if not _PURPOSE.fullmatch(purpose):
        raise ValueError(f"not a purpose of a backup: {purpose!r}")
    return purpose


def read_manifest(path: Path) -> Manifest | None:
    """Return the manifest in the file ``path``, or None where there is none of ours.

    Raises ManifestDamaged when it is ours and was changed, and OSError. A JSON file of someone else, a newer
    format, a link and a folder are "none of ours": nothing that needs a manifest may touch such a backup.
    """
    if path.is_symlink() or not path.is_file():
        return None
    if path.stat().st_size > _LARGEST_BYTES:
        return None
    return parse_manifest(path.read_bytes())


def parse_manifest(content: bytes) -> Manifest | None:
    """Return the manifest that ``content`` holds, None if it is none of ours; raises ManifestDamaged."""
    try:
        known = json.loads(content)
    except (ValueError, RecursionError):
        known = None
    if not isinstance(known, dict) or "manifest_sha256" not in known:
        # What once was ours still carries the word; a cut or flipped file must not pass for a stranger's.
        if b'"manifest_sha256"' in content or b'"sha256"' in content:
            raise ManifestDamaged("the manifest cannot be read")
        return None
    if known.get("format") not in READ_FORMATS:
        return None
    if known.pop("manifest_sha256") != _seal(known):
        raise ManifestDamaged("the manifest was changed after it was written")
    return _checked(known)


def moment_of(manifest: Manifest) -> datetime:
    """Return when the backup was made, in UTC."""
    made = parse_stored(manifest.created_at)
    if made is None:  # pragma: no cover - refused on reading
        raise ManifestDamaged("the manifest has no time")
    return made


def _seal(known: Mapping[str, object]) -> str:
    # The name is outside: anyone who renames a backup and its manifest has changed nothing that matters.
    sealed = {name: value for name, value in known.items() if name != "file"}
    text = json.dumps(sealed, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _checked(known: dict[str, object]) -> Manifest:
    try:
        known["erased"] = tuple(Erasure(*line) for line in known.get("erased", ()))  # type: ignore[attr-defined]
        manifest = Manifest(**known)  # type: ignore[arg-type]  # each field is looked at below
        whole_numbers = (manifest.size_bytes, manifest.page_size, *manifest.rows.values())
        texts = (manifest.file, manifest.version, manifest.journal_mode, manifest.database)
        fits = (
            all(type(number) is int and number >= 0 for number in whole_numbers)
            and all(isinstance(text, str) for text in texts)
            and parse_stored(manifest.created_at) is not None
            and _PURPOSE.fullmatch(manifest.purpose) is not None
            and _SHA256.fullmatch(manifest.sha256) is not None
            and isinstance(manifest.fingerprint, str | None)
            and (manifest.digests is None or _are_digests(manifest.digests))
            and all(map(_is_line, manifest.erased))
            and isinstance(manifest.installation, str | None)
            and (manifest.number is None or (type(manifest.number) is int and manifest.number >= 0))
        )
    except (TypeError, AttributeError) as error:
        raise ManifestDamaged("the manifest has not the fields that its format has") from error
    if not fits:
        raise ManifestDamaged("the manifest has values that its format does not allow")
    return manifest


def _is_line(line: Erasure) -> bool:
    texts = (line.installation_id, line.table_name, line.created_at, line.erased_at)
    return (
        all(isinstance(text, str) for text in texts)
        and type(line.record_id) is int
        and (line.user_id is None or type(line.user_id) is int)
    )


def _are_digests(said: object) -> bool:
    return isinstance(said, dict) and all(isinstance(one, str) for one in (*said, *said.values()))
