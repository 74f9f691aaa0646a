"""Words of the admin (gettext): those of `app.web.words`, by the names under which its screens know them."""

from __future__ import annotations

from app.web.words import _ as _
from app.web.words import mark as mark
from app.web.words import ngettext as ngettext
