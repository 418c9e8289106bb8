"""The service as `pos-discount serve` builds it, in processes of its own, and a supervisor that starts it again.

What is killed here is really killed. A master's orphans are left to end by themselves, beside those of the next
master: that is the harder case for what they share.
"""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from click.testing import CliRunner

from pos_discount.cli import main

SECRET = "a secret that is long enough for a test, and stays"
ROOT = Path(__file__).parents[2]
PATIENCE = 90.0
JSON = {"Content-Type": "application/json"}


class Answer(NamedTuple):
    """What came back: the headers by their names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """Read the body."""
        return json.loads(self.body)


class Service:
    """A folder with a policy and a database, and the processes that serve it on one port."""

    def __init__(
        self,
        folder: Path,
        policies: Path,
        workers: int = 2,
        threads: int = 8,
        under: tuple[str, ...] = (),
        **environment: str,
    ) -> None:
        self.folder, self.workers_wanted, self.threads, self.under = folder, workers, threads, under
        self.database, self.log = folder / "shop.db", folder / "log"
        self.port = _free_port()
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("POS_DISCOUNT", "PROM"))}
        self.environment = {
            **clean,
            "PYTHONPATH": str(ROOT),
            "POS_DISCOUNT_POLICIES": str(policies),
            "POS_DISCOUNT_DATABASE": str(self.database),
            "POS_DISCOUNT_AUTH": "off",
            "POS_DISCOUNT_SECRET": SECRET,
            **environment,
        }
        self.master: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the processes, without waiting for them."""
        arguments = ("serve", "--port", self.port, "--workers", self.workers_wanted, "--threads", self.threads)
        with self.log.open("ab") as log:
            command = [*self.under, sys.executable, "-m", "pos_discount.cli", *map(str, arguments)]
            self.master = subprocess.Popen(command, cwd=self.folder, env=self.environment, stdout=log, stderr=log)

    def wait_until_ready(self) -> None:
        """Wait until it says that it is ready; a master that found its port still taken is started again."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(OSError, http.client.HTTPException):
                if self.call("GET", "/readyz").status == 200:
                    return
            if self.master is None or self.master.poll() is not None:
                self.start()
            time.sleep(0.05)
        raise AssertionError("the service did not become ready: " + self.log.read_text()[-2000:])

    def stop(self) -> None:
        """End it as an operator does."""
        if self.master is not None and self.master.poll() is None:
            self.master.send_signal(signal.SIGTERM)
            self.master.wait(PATIENCE)

    def workers(self) -> list[int]:
        """The workers' process ids."""
        if self.master is None:
            return []
        with suppress(FileNotFoundError):
            children = Path(f"/proc/{self.master.pid}/task/{self.master.pid}/children").read_text()
            return [int(child) for child in children.split()]
        return []

    def kill_worker(self, number: int) -> None:
        """Kill one worker; the master replaces it."""
        workers = self.workers()
        if workers:
            with suppress(ProcessLookupError):
                os.kill(workers[number % len(workers)], signal.SIGKILL)

    def kill_master(self) -> None:
        """Kill the master; its workers find out by themselves."""
        if self.master is not None:
            self.master.kill()
            self.master.wait(PATIENCE)

    def call(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None, timeout: float = 60
    ) -> Answer:
        """Make one call on a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            return ask(connection, method, path, body, headers)
        finally:
            connection.close()

    def command(self, *arguments: object) -> str:
        """Run a command of an operator beside the service; returns what it printed."""
        settings = {name: value for name, value in self.environment.items() if name.startswith("POS_DISCOUNT_")}
        done = CliRunner().invoke(main, [str(argument) for argument in arguments], env=settings)
        assert done.exit_code == 0, (done.output, done.exception)
        return done.stdout

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """Read the database beside the service."""
        connection = sqlite3.connect(f"file:{self.database}?mode=ro", uri=True, timeout=60)
        try:
            return connection.execute(query, values).fetchall()
        finally:
            connection.close()

    def events(self) -> list[dict[str, Any]]:
        """Read the log; every line of it is one JSON object."""
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]


class Till:
    """A till on a kept connection that repeats what was not answered, for as long as it takes."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._connection: http.client.HTTPConnection | None = None
        self.repeated = 0

    def call(self, method: str, path: str, body: object, key: str = "") -> Answer:
        """Send until there is an answer that is no 'later'."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            with suppress(OSError, http.client.HTTPException):
                answer = self._ask(method, path, body, {"Idempotency-Key": key} if key else {})
                if answer.status != 503 and not (answer.status == 409 and b"key_in_progress" in answer.body):
                    return answer
            self.repeated += 1
            time.sleep(0.05)
        raise AssertionError(f"{method} {path} was never answered")

    def close(self) -> None:
        """Hang up."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _ask(self, method: str, path: str, body: object, headers: dict[str, str]) -> Answer:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._service.port, timeout=30)
        try:
            return ask(self._connection, method, path, body, headers)
        except BaseException:
            self.close()
            raise


def ask(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Make one call on a connection; a body that is no bytes is sent as JSON."""
    sent = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    connection.request(method, path, sent, {**(JSON if sent is not None else {}), **(headers or {})})
    answer = connection.getresponse()
    return Answer(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())


@contextmanager
def serving(
    folder: Path, policies: Path, workers: int = 2, threads: int = 8, under: tuple[str, ...] = (), **environment: str
) -> Iterator[Service]:
    """Serve until the block ends; ``under`` is a command that runs the one it is given, as `env` does."""
    service = Service(folder, policies, workers, threads, under, **environment)
    service.start()
    try:
        service.wait_until_ready()
        yield service
    finally:
        service.stop()


@contextmanager
def in_background(run: Callable[[], object]) -> Iterator[None]:
    """Run something beside the block, over and over until it ends; what went wrong there is raised here."""
    done = threading.Event()

    def repeat() -> None:
        while not done.is_set():
            run()

    with ThreadPoolExecutor(1) as thread:
        running = thread.submit(repeat)
        try:
            yield
        finally:
            done.set()
        running.result(PATIENCE)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port
