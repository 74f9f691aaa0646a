"""Overload. What is answered where the server does as much at a time as it can?"""

from __future__ import annotations

from app.errors import Busy, SaidToAnybody


class TooManyAtOnce(Busy, SaidToAnybody):
    """The server does as much at a time as it can; nothing was changed."""
