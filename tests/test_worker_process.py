"""Does a worker process hold up nothing else on its machine?"""

from __future__ import annotations

import os
import subprocess
import sys

from app.worker_process import Message, decoded, encoded

_ANSWERING = """
import os
from app.worker_process import Message, serve_one
serve_one(lambda asked: Message({"nice": os.nice(0)}), memory_bytes=2**30, cpu_seconds=10)
"""


def test_it_lets_the_server_go_first() -> None:
    """Anyone may ask for a PDF, as often as they like: what is asked of the server is answered meanwhile."""
    ran = subprocess.run(
        [sys.executable, "-c", _ANSWERING], input=encoded(Message({})), capture_output=True, check=True
    )
    found = decoded(ran.stdout)
    assert found is not None
    assert found.head["nice"] > os.nice(0)
