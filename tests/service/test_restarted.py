"""Restarts and upgrades while tills are served: no call fails that repeats once what a closed connection cut off."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database

from pos_discount.store.connection import connect_to_write
from pos_discount.store.schema import SCHEMA, schema_migrations

from .house import basket, write_policy
from .serving import PATIENCE, Service, ask, serving

CLIENTS = 4
HAND_OVER = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.executable, [sys.executable, *sys.argv[2:]])
"""


class Activated(Service):
    """A service whose listening socket somebody else holds, as systemd does."""

    def __init__(self, folder: Path, policies: Path, host: str = "127.0.0.1") -> None:
        super().__init__(folder, policies)
        self.held = socket.create_server((host, 0), backlog=128)
        self.port = self.held.getsockname()[1]

    def start(self) -> None:
        """Start the processes with the socket as their third file."""
        number = self.held.fileno()
        command = (
            sys.executable,
            "-c",
            HAND_OVER,
            str(number),
            "-m",
            "pos_discount.cli",
            "serve",
            "--port",
            str(self.port),
        )
        with self.log.open("ab") as log:
            self.master = subprocess.Popen(
                command, cwd=self.folder, env=self.environment, stdout=log, stderr=log, pass_fds=(number,)
            )


@contextmanager
def load(service: Service) -> Iterator[list[int]]:
    """Sell from four tills until the block ends; hands out the statuses of what was answered."""
    done, statuses = threading.Event(), list[int]()

    def sell(client: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
        number = 0
        while not done.is_set():
            number += 1
            key = {"Idempotency-Key": f"{client}-{number}"}
            try:
                answer = ask(connection, "POST", "/v1/decisions", basket(), key)
            except (OSError, http.client.HTTPException):
                connection.close()
                answer = ask(connection, "POST", "/v1/decisions", basket(), key)  # once
            statuses.append(answer.status)
        connection.close()

    with ThreadPoolExecutor(CLIENTS) as threads:
        clients = [threads.submit(sell, client) for client in range(CLIENTS)]
        try:
            yield statuses
        finally:
            done.set()
        for client in clients:
            client.result()


def roll_workers(service: Service, statuses: list[int]) -> None:
    """Have each worker replaced, while calls go on before, during and after."""
    assert service.master is not None
    before = set(service.workers())
    _wait_for_more(service, statuses)
    service.master.send_signal(signal.SIGHUP)
    while before & set(service.workers()):
        _wait_for_more(service, statuses)
    _wait_for_more(service, statuses)


def make_old_database(file: Path, migrations: int) -> None:
    """Make a database as a version wrote it that knew so many migrations."""
    connection = connect_to_write(file, "FULL")
    stop = {} if migrations == len(SCHEMA) else {"stop_before": SCHEMA[migrations][0]}
    schema_migrations().apply(Database(connection, execute_plugins=False), **stop)
    connection.close()


def test_workers_replaced_under_load_fail_no_call(service: Service) -> None:
    with load(service) as statuses:
        roll_workers(service, statuses)
    assert set(statuses) == {201}


def test_an_older_database_is_upgraded_and_a_restart_under_load_fails_no_call(tmp_path: Path) -> None:
    make_old_database(tmp_path / "shop.db", migrations=1)
    service = Activated(tmp_path, write_policy(tmp_path / "policies"))
    service.start()
    try:
        with load(service) as statuses:
            _wait_for_more(service, statuses)
            service.stop()
            service.start()
            _wait_for_more(service, statuses)
        assert set(statuses) == {201}
        assert service.rows("SELECT count(*) FROM decisions") == [(len(statuses),)]
        assert service.rows("PRAGMA user_version")[0][0] == len(SCHEMA)
        assert service.rows("PRAGMA integrity_check") == [("ok",)]
    finally:
        service.stop()
        service.held.close()


def test_a_socket_that_others_can_reach_is_not_served_without_keys(tmp_path: Path) -> None:
    service = Activated(tmp_path, write_policy(tmp_path / "policies"), host="0.0.0.0")
    service.start()
    assert service.master is not None
    assert service.master.wait(PATIENCE) == 2
    assert "POS_DISCOUNT_AUTH is off" in service.log.read_text()
    service.held.close()


def test_a_paused_promotion_is_named_by_no_worker_until_it_is_resumed(service: Service) -> None:
    assert named(service) == {"welcome"}
    service.command("policy", "pause", "welcome")
    while "welcome" in named(service):
        pass
    service.command("policy", "resume", "welcome")
    while "welcome" not in named(service):
        pass


def test_a_database_in_use_is_backed_up_and_the_backup_serves(service: Service, tmp_path: Path) -> None:
    known = service.call("POST", "/v1/decisions", basket()).json()["decision_id"]
    with load(service) as statuses:
        service.command("backup", tmp_path / "shop.db")
        _wait_for_more(service, statuses)
    assert set(statuses) == {201}
    with serving(tmp_path, service.folder / "policies", workers=1) as restored:
        assert restored.call("GET", f"/v1/decisions/{known}").status == 200
        assert restored.rows("PRAGMA integrity_check") == [("ok",)]
        assert "0 of them differ" in restored.command("replay", "--all")


def named(service: Service) -> set[str]:
    """Return which of `welcome` some rung names, over as many calls as meet both workers."""
    answers = [service.call("POST", "/v1/decisions?dry_run=true", basket()).json() for _ in range(8)]
    return {one for answer in answers for rung in answer["ladder"] for one in rung["promotions"]} & {"welcome"}


def _wait_for_more(service: Service, statuses: list[int]) -> None:
    seen = len(statuses)
    while len(statuses) < seen + 3 * CLIENTS:
        if service.master is not None and service.master.poll() is not None:
            raise AssertionError(service.log.read_text()[-2000:])
        os.sched_yield()
        threading.Event().wait(0.05)
