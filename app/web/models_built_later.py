"""Deferred models (Pydantic). When is what checks values made: where a model is defined, or used?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pydantic import BaseModel, ConfigDict


@contextmanager
def models_built_later() -> Iterator[None]:
    """While this lasts, models are defined, and built by the first who uses each.

    Ours say so themselves (`models/base.py`). This is for the framework's: its forty models of OpenAPI took a
    tenth of a start, and are used where someone asks for the description of the API.
    """
    before = BaseModel.model_config
    BaseModel.model_config = ConfigDict(**before, defer_build=True)
    try:
        yield
    finally:
        BaseModel.model_config = before
