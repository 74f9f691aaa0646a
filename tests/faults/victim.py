"""The process that is hit: loads everything once, then forks a child for each point and has it struck.

Reads one JSON object a line from standard input, {"operation", "folder", "inject": [...], "log"}, and
answers one line, {"status": exit status or -signal, "fired": bool}. strace is attached to the waiting child,
so that a point costs a fork and not the start of an interpreter. Its seccomp mode is not used: it drops the
signal.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from tests.faults.operations import DATABASE, OPERATIONS, Operation, enter

CALLS = ("write", "pwrite64", "fsync", "fdatasync", "unlink", "ftruncate", "rename", "link")
TRACER = ("strace", "-f", "-qq", "-o")


def load_everything() -> None:
    """Import what the operations need, so that no child spends its time (and its traced calls) on it."""
    for name in (
        "app.backup.create",
        "app.backup.restore.restore",
        "app.cli.main",
        "app.cli.serve",
        "app.web.app",  # and not app.main, which reads the settings of its place
        "app.upgrade.operations.upgrade",
        "app.upgrade.steps.apply",
    ):
        import_module(name)


def child(operation: Operation, folder: Path, go: int) -> int:
    """Wait for the word, then act with all output in a file; never returns to the parent's loop."""
    out = os.open(folder / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.close(out)
    enter(folder)
    os.read(go, 1)
    status = operation.act()
    sys.stdout.flush()
    return status


def strike(request: dict[str, object]) -> dict[str, object]:
    """Run one operation under the tracer, as the request says; report how the child ended."""
    operation = OPERATIONS[str(request["operation"])]
    folder, log = Path(str(request["folder"])), str(request["log"])
    operation.begin(folder)
    ready, go = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(go)
        status = 70
        try:
            status = child(operation, folder, ready)
        finally:
            os._exit(status)
    os.close(ready)
    inject = [str(part) for part in request["inject"]]  # type: ignore[attr-defined]
    tracer = subprocess.Popen(
        [
            *TRACER,
            log,
            *only_on(operation, folder),
            "-e",
            "trace=" + ",".join(CALLS),
            *inject,
            "-p",
            str(pid),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_until_traced(pid)
    os.write(go, b"x")
    os.close(go)
    if operation.meanwhile is not None:
        operation.meanwhile(folder, pid)
    _, ended = os.waitpid(pid, 0)
    tracer.communicate(timeout=60)
    status = os.waitstatus_to_exitcode(ended)
    text = Path(log).read_text(errors="replace")
    return {"status": status, "fired": status == -9 or "(INJECTED)" in text}


def only_on(operation: Operation, folder: Path) -> list[str]:
    """Return what keeps the tracer to the files of a server's database."""
    if not operation.is_server:
        return []
    beside = [folder / f"{DATABASE}{suffix}" for suffix in ("", "-journal", "-wal", "-shm")]
    return [part for path in (*beside, (folder / DATABASE).parent) for part in ("-P", str(path))]


def wait_until_traced(pid: int) -> None:
    """The kernel says who traces a process; ask it instead of guessing a time."""
    while True:
        status = Path(f"/proc/{pid}/status").read_text()
        if "TracerPid:\t0\n" not in status:
            return
        os.sched_yield()


def main() -> None:
    load_everything()
    for line in sys.stdin:
        print(json.dumps(strike(json.loads(line))), flush=True)


if __name__ == "__main__":
    main()
