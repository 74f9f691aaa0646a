"""Which version is the database at, and is it sound? The answer of release 0.3.1's command; it only looks."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.cli.start import start

start("app.cli.main:version_tracker")
