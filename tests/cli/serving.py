"""A real service in a process of its own, as `pos-discount serve` starts it."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.running import UNSET

PATIENCE = 120.0


def free_port() -> int:
    """Find a port that nobody has at this moment."""
    with socket.socket() as trial:
        trial.bind(("127.0.0.1", 0))
        return int(trial.getsockname()[1])


def environment(**settings: str) -> dict[str, str]:
    """Make the environment of a process from settings by their short names."""
    clean = {name: value for name, value in os.environ.items() if name not in UNSET}
    return {**clean, **{f"POS_DISCOUNT_{name.upper()}": value for name, value in settings.items()}}


@contextmanager
def command(folder: Path, *arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command in a folder until the block ends, then interrupt it; its output is text in one pipe."""
    process = subprocess.Popen(
        [sys.executable, "-m", "pos_discount.cli", *arguments],
        cwd=folder,
        env={**environment(**settings), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    killer = threading.Timer(2 * PATIENCE, process.kill)  # a test that hangs ends
    killer.start()
    try:
        yield process
    finally:
        killer.cancel()
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=PATIENCE)
        if process.stdout:
            process.stdout.close()


@contextmanager
def service(folder: Path, port: int, **settings: str) -> Iterator[str]:
    """Serve on a port until the block ends; hands out the address once it is ready."""
    url = f"http://127.0.0.1:{port}"
    with command(folder, "serve", "--port", str(port), "--workers", "1", "--threads", "4", **settings) as process:
        said: list[str] = []
        drain = threading.Thread(target=lambda: said.extend(process.stdout or ()), daemon=True)
        drain.start()
        _wait(url, process, said)
        yield url
    drain.join(timeout=PATIENCE)


def _wait(url: str, process: subprocess.Popen[str], said: list[str]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, "the service ended: " + "".join(said)
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError("the service did not become ready: " + "".join(said))
