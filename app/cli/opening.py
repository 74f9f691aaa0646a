"""What does a command need before it begins? Its settings, the log, a database that may be used."""

from __future__ import annotations

from app import log
from app.cli.output import Output
from app.settings import Settings, load_settings


def settings_for_looking(output: Output) -> Settings:
    """The settings, their warnings said. For commands that only look: not even a log line is written."""
    settings = load_settings()
    for warning in settings.warnings:
        output.warn(warning)
    return settings


def settings_for_doing(output: Output) -> Settings:
    """The settings, and ``logs/server.log`` open: what is done is written down there."""
    settings = settings_for_looking(output)
    log.configure(settings, console=False)
    return settings
