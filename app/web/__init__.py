"""The web door: translates HTTP into questions for the rooms, and decides nothing."""

import os
import sys

# Pydantic asks every package that is installed whether it is a plugin. None has any business here.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")

# FastAPI asks of each annotation whether it is of Pydantic's first version, and loads that to know: 1.6 MB
# and a tenth of a second of each start. Here is none.
sys.modules.setdefault("pydantic.v1", None)  # type: ignore[arg-type]
