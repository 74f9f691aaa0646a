"""Which command did release 0.3.1 have for an upgrade? This one; it runs today's engine."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from app.cli.start import start

start("app.cli.main:migrate_comprehensive")
