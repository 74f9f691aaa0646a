"""Examination: every finding about an installation, the worst first. Looks only."""

from __future__ import annotations

from app.doctor import configuration, deployment, health
from app.doctor.findings import Finding, Place
from app.settings import Settings

_ORDER = ("danger", "old", "advice")


def examine(settings: Settings, place: Place) -> tuple[Finding, ...]:
    """Return what is old or dangerous about the installation; nothing twice.

    Raises SettingsError where `.env` cannot be read.
    """
    found = [
        *configuration.findings_of(place, settings),
        *deployment.findings_of(place),
        *health.findings_of(settings),
    ]
    return tuple(sorted(dict.fromkeys(found), key=lambda finding: _ORDER.index(finding.severity)))
