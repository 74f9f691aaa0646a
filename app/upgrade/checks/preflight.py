"""What would stop an upgrade, and what should its owner know before it starts? Looks only, writes nothing.

Each finding is one sentence and one command to type. A blocker stops the upgrade before anything is touched;
a warning does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from app.disk import real_path
from app.errors import (
    Busy,
    DaemonError,
    DriftFound,
    InvalidContent,
    MovedDatabase,
    Refused,
    UnknownDatabase,
)
from app.reserved_names import FILES_OF_PERSON
from app.storage.registry import storage_at, storage_for
from app.storage.types import Soundness, UnusableObject
from app.upgrade.checks import credentials, host, soundness
from app.upgrade.checks.kind import about_kind
from app.upgrade.detect.step_needs import unmet_sentence
from app.upgrade.legacy.switches import OddSwitches
from app.upgrade.legacy.unheard_words import Unheard
from app.upgrade.model import Needs, Problem, Recognition, problem_of
from app.upgrade.records import auto_upgrade_block
from app.upgrade.records.moved import find_refusal
from app.upgrade.records.waiting_writes import Waiting

if TYPE_CHECKING:
    from app.settings import Settings
    from app.storage.types import Orphan

FAULTS_SHOWN = 5


@dataclass(frozen=True)
class Facts:
    """What one look at the database gave; everything that the checks need to know of its content."""

    recognition: Recognition
    soundness: Soundness = field(default_factory=Soundness)  # asked for at the depth "pages"
    unusable: tuple[UnusableObject, ...] = ()  # parts of the schema that are written for another SQLite
    orphans: tuple[Orphan, ...] = ()  # rows that name a row which is not there
    rows: dict[str, int] = field(default_factory=dict)
    database_bytes: int = 0
    journal_mode: str = ""
    mount: str = ""
    is_locked: bool = False
    unheard: Unheard = field(default_factory=Unheard)  # asked for at the depth "pages"
    hidden: tuple[dict[str, object], ...] | None = ()  # as in a Plan; asked for at the depth "pages"
    reserved: tuple[str, ...] = ()  # kinds whose address may be one of Daemon's own
    unmet: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # by step: what it needs and is not so
    other_steps: tuple[str, ...] = ()  # steps that were another when they were run here
    switches: OddSwitches = field(default_factory=OddSwitches)
    waiting: Waiting = field(default_factory=Waiting)  # what rollbacks kept, and is to come back
    unasked: DaemonError | None = None  # why a database on a server could not be asked
    is_wanted: bool = False  # an upgrade or a restore of another process is at work, or waits


@dataclass(frozen=True)
class Findings:
    """What the checks found, the most telling first."""

    blockers: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def check(settings: Settings, facts: Facts, needs: Needs, *, mends_drift: bool) -> Findings:
    """Return everything that blocks the upgrade of the database of the ``facts``, and every warning."""
    if facts.unasked is not None:
        why = facts.unasked
        blocker = Problem(why.code, why.message, why.hint, why.exit_code)
        return Findings((blocker,), tuple(_about_hold(settings)))
    what_it_is = about_kind(settings, facts.recognition)
    if what_it_is:
        return Findings(tuple(what_it_is), tuple(_about_hold(settings)))
    blockers = [
        *_about_move(settings),
        *soundness.blockers(settings, facts.soundness, facts.unusable),
        *([] if mends_drift else _about_drift(facts.recognition)),
        *host.about_sharing(settings),
        *host.about_permissions(settings),
        *host.about_place(settings, facts.mount, facts.journal_mode),
        *host.about_engine(settings),
        *host.about_backups(settings),
        *_about_needs(facts),
        *host.about_space(settings, needs),
    ]
    warnings = [
        *(_about_drift(facts.recognition) if mends_drift else []),
        *host.about_doubtful_place(facts.mount),
        *host.about_proof_of_backups(settings),
        *_about_secret(settings, facts.recognition),
        *_about_claims(facts.recognition),
        *soundness.warnings(facts.soundness, facts.unusable),
        *_about_orphans(facts),
        *_about_files_beside(settings, facts),
        *_about_hold(settings),
        *_about_lock(facts),
        *_about_unheard_words(facts.unheard),
        *_about_reserved_kinds(facts.reserved),
        *_about_other_steps(facts),
    ]
    return Findings(tuple(blockers), tuple(warnings))


# -- what is in the way --------------------------------------------------------------------------------------


def _about_move(settings: Settings) -> list[Problem]:
    refusal = find_refusal(storage_for(settings.database_url), settings.database_name)
    return [] if refusal is None else [problem_of(MovedDatabase, refusal.message, refusal.hint, code="moved")]


def _about_drift(known: Recognition) -> list[Problem]:
    if not known.drift:
        return []
    listed = "; ".join(
        f"{one.what} {one.name} is {one.kind}" + (f" ({one.detail})" if one.detail else "")
        for one in known.drift[:FAULTS_SHOWN]
    )
    more = f"; and {len(known.drift) - FAULTS_SHOWN} more" if len(known.drift) > FAULTS_SHOWN else ""
    return [
        problem_of(
            DriftFound,
            f"The schema differs from that of {known.label}: {listed}{more}.",
            "To have it mended, with backup and verification: daemon upgrade run --repair",
        )
    ]


def _about_needs(facts: Facts) -> list[Problem]:
    return [
        problem_of(Refused, unmet_sentence(step, unmet), code="step_needs")
        for step, unmet in facts.unmet.items()
    ]


# -- what is only to be known --------------------------------------------------------------------------------


def _about_secret(settings: Settings, known: Recognition) -> list[Problem]:
    found = credentials.about_secret(settings, known)
    return [] if found is None else [found]


def _about_claims(known: Recognition) -> list[Problem]:
    if known.contradiction is None:
        return []
    return [
        problem_of(
            UnknownDatabase, known.contradiction, "The schema counts; nothing is to be done.", code="claim"
        )
    ]


def _about_orphans(facts: Facts) -> list[Problem]:
    return [
        problem_of(
            Refused,
            f"{orphan.sentence()}; it is kept, and shown to no one but the admin.",
            "Once the database is at the newest version: daemon repair orphans",
            code="orphan",
        )
        for orphan in facts.orphans
    ]


def _about_other_steps(facts: Facts) -> list[Problem]:
    if not facts.other_steps:
        return []
    return [
        Problem(
            "step_differs",
            f"The steps {', '.join(facts.other_steps)} were others when they were run here: what they filled"
            " in may differ; the schema is compared as always.",
            "To run again what is recorded, with backup and verification: daemon upgrade run --force",
        )
    ]


def _about_unheard_words(unheard: Unheard) -> list[Problem]:
    """One finding for all of them: they are kept and shown as they are; their owner may want to look."""
    if not unheard.count:
        return []
    listed = "; ".join(
        f"{kind} {entry_id} ({', '.join(places)})" for kind, entry_id, places in unheard.listed
    )
    more = f"; and {unheard.count - len(unheard.listed)} more" if unheard.count > len(unheard.listed) else ""
    entries = "1 entry says" if unheard.count == 1 else f"{unheard.count} entries say"
    return [
        problem_of(
            InvalidContent,
            f"{entries} in words that do not count who may see it: {listed}{more}. Nothing is changed about "
            "them, and who saw them sees them; written anew they would be refused.",
            'Where one is not for everyone, PATCH it: {"meta": {"visibility": "private"}}',
            code="words_not_heard",
        )
    ]


def _about_reserved_kinds(names: tuple[str, ...]) -> list[Problem]:
    """They stay as they are, with all that is in them; a client of theirs may have to ask elsewhere."""
    if not names:
        return []
    addresses = ", ".join(map(_second_address, names[:FAULTS_SHOWN]))
    return [
        problem_of(
            InvalidContent,
            f"{', '.join(names)}: a name of addresses of Daemon's own, which come first. The kinds and their "
            f"entries stay; they are surely reached at {addresses}.",
            "Let their clients ask there; nothing else is to be done.",
            code="reserved_kinds",
        )
    ]


def _second_address(kind: str) -> str:
    return f"/@NAME/~{kind}" if kind in FILES_OF_PERSON else f"/api/v1/~{kind}"


def _about_files_beside(settings: Settings, facts: Facts) -> list[Problem]:
    problems = []
    for beside in storage_at(real_path(settings.database_path)).writes_beside():
        is_log = beside.name.endswith("-wal")
        what = "A write-ahead log" if is_log else "A journal of an interrupted transaction"
        problems.append(
            problem_of(
                Refused,
                f"{what} is beside the database ({beside.name}); it belongs to it, and was taken into "
                "account.",
                "Never copy or delete one without the other.",
                code="beside_wal" if is_log else "beside_journal",
            )
        )
    doubt = storage_for(settings.database_url).find_doubt(facts.journal_mode)
    if doubt is not None:
        problems.append(problem_of(Refused, doubt.message, doubt.hint, code="wal_race"))
    return problems


def _about_hold(settings: Settings) -> list[Problem]:
    held = auto_upgrade_block.find_hold(settings)
    if held is None:
        return []
    since = f" since {held.since}" if held.since else ""
    return [
        problem_of(
            Refused,
            f"The server does not upgrade by itself{since}: {held.reason}.",
            "To upgrade, and to end this: daemon upgrade run",
            code="hold",
        )
    ]


def _about_lock(facts: Facts) -> list[Problem]:
    if facts.is_wanted:
        message = "Another upgrade or restore of this database is at work; this one would wait for it."
        return [problem_of(Busy, message, "daemon upgrade status", code="upgrade_running")]
    if not facts.is_locked:
        return []
    return [
        problem_of(
            Busy,
            "Another program is writing to the database at this moment; the upgrade would wait for it.",
            "To see which: fuser -v on the database's file.",
            code="locked",
        )
    ]
