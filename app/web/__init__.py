"""The web door: translates HTTP into questions for the rooms, and decides nothing."""

import sys

# FastAPI asks of each annotation whether it is of Pydantic's first version, and loads that to know: 1.6 MB
# and a tenth of a second of each start. Here is none.
sys.modules.setdefault("pydantic.v1", None)  # type: ignore[arg-type]
