"""What does ``python -m app.cli`` do? The same as the console command ``daemon``."""

from app.cli.start import daemon

daemon()
