"""`pos-discount serve`: the HTTP service under gunicorn, and a demonstration that a stranger can watch."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import click
import msgspec

from pos_discount.cli.environment import keep_private, policies_folder, read_policy, read_settings
from pos_discount.cli.output import Trouble
from pos_discount.web.server import Listening, handed_over
from pos_discount.web.server import serve as serve_settings
from pos_discount.web.settings import Settings, SettingsError

LOOPBACK = "127.0.0.1"
SECONDS_FOR_THE_PORT = 1.0


@click.command()
@click.option("--host", default=LOOPBACK, show_default=True, help="The address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="The port to listen on.")
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True, help="How many processes.")
@click.option("--threads", type=click.IntRange(2, 256), default=16, show_default=True, help="How many threads in each.")
@click.option("--demo", is_flag=True, help="Serve the policies on a fresh database without keys, and play a till.")
def serve(host: str, port: int, workers: int, threads: int, demo: bool) -> None:
    """Serve the HTTP API until a signal ends it.

    With --demo: on 127.0.0.1, on a database of its own that is thrown away, without keys. A basket is sent as a till
    would, the ladder is printed as a cashier would see it, and it goes on serving.

    \b
    Example:
      pos-discount serve --demo
    """
    listening = Listening(host, port, workers, threads)
    keep_private()
    with ExitStack() as stack:
        try:
            if demo:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="pos-discount-demo-")))
                _serve_demo(folder, msgspec.structs.replace(listening, host=LOOPBACK, port=_free_port(port)))
            else:
                if not handed_over():
                    _refuse_taken(listening)
                serve_settings(read_settings(), listening)
        except SettingsError as error:
            raise click.UsageError(str(error)) from None


def _serve_demo(folder: Path, listening: Listening) -> None:
    policies = policies_folder()
    read_policy(policies)  # says what is wrong before anything is served
    settings = Settings(policies, folder / "demo.db", "off", secrets.token_hex(32))
    log = folder / "service.log"
    command = [sys.executable, "-m", "pos_discount.cli.demo", f"http://{listening.address}", str(policies), str(log)]
    output = os.dup(1)
    errors = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(errors, 2)  # the service's log lines would bury the ladder
    serve_settings(settings, listening, lambda: _start(command, output))


def _start(command: list[str], output: int) -> None:
    subprocess.Popen(command, stdout=output, stderr=output)


def _free_port(wanted: int) -> int:
    """Return the port that is wanted, or any that is free where another program has it."""
    for port in (wanted, 0):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((LOOPBACK, port))
            except OSError:
                continue
            return int(trial.getsockname()[1])
    raise Trouble(f"no port is free on {LOOPBACK}")


def _refuse_taken(listening: Listening) -> None:
    """Refuse a port that another program has; the workers of a master that was killed leave it within a moment."""
    deadline = time.monotonic() + SECONDS_FOR_THE_PORT
    while (error := _error_in_binding(listening)) is not None:
        if time.monotonic() > deadline:
            raise Trouble(f"cannot listen on {listening.address}: {error.strerror}; choose another --port") from None
        time.sleep(0.02)


def _error_in_binding(listening: Listening) -> OSError | None:
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    with socket.socket(family) as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((listening.host, listening.port))
        except OSError as error:
            return error
    return None
