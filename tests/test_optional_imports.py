"""Is a package left out of the import of another, and there for whoever asks for it afterwards?"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PACKAGE = "luggage_of_a_library"


def told(script: str, folder: Path) -> str:
    root = Path(__file__).resolve().parents[1]
    path = f"{root}:{folder}"
    done = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": path}, check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


def test_it_is_left_out_and_found_later(tmp_path: Path) -> None:
    (tmp_path / f"{PACKAGE}.py").write_text("")
    (tmp_path / "library.py").write_text(
        f"try:\n    import {PACKAGE}\n    has_it = True\nexcept ModuleNotFoundError:\n    has_it = False\n"
    )
    script = (
        "from app.optional_imports import left_out\n"
        f"with left_out('{PACKAGE}'):\n    import library, json.tool\n"
        f"import {PACKAGE}\n"
        "print(library.has_it)\n"
    )
    assert told(script, tmp_path) == "False"


def test_a_server_loads_no_algorithms_with_two_keys(tmp_path: Path) -> None:
    script = (
        "import sys; from app.accounts import tokens; jwt = tokens.library()\n"
        "print('cryptography' in sys.modules, 'HS256' in jwt.algorithms.get_default_algorithms(),"
        " 'RS256' in jwt.algorithms.get_default_algorithms())\n"
    )
    assert told(script, tmp_path) == "False True False"


def test_what_was_left_out_is_there_in_a_copy_and_the_first_stays_as_it_is() -> None:
    """Logins at a provider are signed with keys of two halves, and a server knows none until then."""
    script = (
        "import sys; from app.accounts import tokens; jwt = tokens.library()\n"
        "from app.optional_imports import whole\n"
        "print('RS256' in whole('jwt').algorithms.get_default_algorithms(),"
        " 'RS256' in jwt.algorithms.get_default_algorithms(), sys.modules['jwt'] is jwt,"
        " whole('jwt') is jwt)\n"
    )
    assert told(script, Path()) == "True False True False"


def test_another_thread_finds_what_one_leaves_out(tmp_path: Path) -> None:
    (tmp_path / f"{PACKAGE}.py").write_text("")
    script = (
        "import importlib.util, threading\n"
        "from app.optional_imports import left_out\n"
        "found = []\n"
        f"def ask(): found.append(importlib.util.find_spec('{PACKAGE}') is not None)\n"
        f"with left_out('{PACKAGE}'):\n"
        "    other = threading.Thread(target=ask); other.start(); other.join()\n"
        "    try:\n        ask()\n    except ModuleNotFoundError:\n        found.append(False)\n"
        "print(found)\n"
    )
    assert told(script, tmp_path) == "[True, False]"
