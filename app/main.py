"""ASGI entry point, `app.main:app`: where unit files, containers and process managers find the server."""

from __future__ import annotations

import sys

from app import uncaught
from app.errors import SettingsError
from app.quick_dataclasses import dataclasses_made_quickly
from app.settings import load_settings
from app.typed_commands import answer_as_started, in_log
from app.web.models_built_later import models_built_later

with models_built_later(), dataclasses_made_quickly():
    from app.web.app import WebApp, create_app


def _make() -> WebApp:
    uncaught.keep_traces_from_people()
    answer_as_started()
    try:
        return create_app(load_settings())
    except SettingsError as error:
        sys.stderr.write(f"error: {error.message}\nhint: {in_log(error.hint)}\n")
        raise SystemExit(error.exit_code) from None


app = _make()
