"""Client generation (OpenAPI). Makes the Python client, and the description for the TypeScript one.

    python -m clients.generate                            of this application, into .cache/clients
    python -m clients.generate http://127.0.0.1:8004      of what a running server says of itself

What is made is not committed: it is what the description says, and everything in it can be made again.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
INTO = ROOT / ".cache" / "clients"
PACKAGE = "daemon_client"
SECONDS = 300


def description(url: str | None = None) -> dict[str, Any]:
    """Return what a server, or else this application, says of itself (OpenAPI)."""
    if url is not None:
        with urllib.request.urlopen(f"{url.rstrip('/')}/openapi.json", timeout=60) as answer:
            found: dict[str, Any] = json.load(answer)
            return found
    from app.settings import Settings
    from app.web.app import create_app

    return create_app(Settings()).framework.openapi()


def generate(described: dict[str, Any], into: Path) -> Path:
    """Write openapi.json and the package of the Python client into a folder; return the package's.

    Raises SystemExit, with what the generator says, where something of the description is left out.
    """
    into.mkdir(parents=True, exist_ok=True)
    document, package = into / "openapi.json", into / PACKAGE
    document.write_text(json.dumps(described))
    shutil.rmtree(package, ignore_errors=True)
    config = str(ROOT / "clients" / "python.yml")
    command = [sys.executable, "-m", "openapi_python_client", "generate", "--meta", "none"]
    command += ["--fail-on-warning", "--config", config]
    command += ["--path", str(document), "--output-path", str(package)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode != 0:
        raise SystemExit(f"The Python client could not be generated.\n{done.stdout}{done.stderr}")
    (package / "py.typed").touch()
    return package


def main() -> None:
    """Do what the command line says."""
    package = generate(description(*sys.argv[1:2]), INTO)
    print(f"{package.parent / 'openapi.json'}\n{package}")


if __name__ == "__main__":
    main()
