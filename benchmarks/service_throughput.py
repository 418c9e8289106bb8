"""How many requests per second does `POST /v1/decisions` serve, durable record included, beside an echo of the same
body?

Both servers run under the service's own gunicorn settings and take turns, so that what else the machine does troubles
both alike. Clients are processes with one kept-alive connection each, which send ready bytes and read answers. Beside
requests per second stands the processor time of the server's workers per request, which other processes can't take
from us.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, NamedTuple

import click

from benchmarks.result import Cell, Claim, Result, show
from benchmarks.shop import files_of, made_assortment, made_basket, made_promotions

LINES, PRODUCTS, BASKETS = 20, 2_000, 64
ECHO, SERVICE = "Flask echo", "POST /v1/decisions"
TICKS = os.sysconf("SC_CLK_TCK")


class Round(NamedTuple):
    """One turn of one server: answers by status, seconds of each, the turn's length and what the workers computed."""

    served: int
    refused: int
    latencies: list[float]
    seconds: float
    worker_seconds: float

    @property
    def per_second(self) -> float:
        """Requests served per second."""
        return self.served / self.seconds

    @property
    def cost(self) -> float:
        """Seconds of processor time per request, refused ones too."""
        return self.worker_seconds / (self.served + self.refused)


@click.command(help=__doc__)
@click.option("--rounds", default=5, show_default=True)
@click.option("--seconds", default=3.0, show_default=True)
@click.option("--clients", default=16, show_default=True)
@click.option("--workers", default=2, show_default=True)
@click.option("--promotions", default=200, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(rounds: int, seconds: float, clients: int, workers: int, promotions: int, as_json: bool) -> None:
    """Measure, and show what was found."""
    rows, claims = [], []
    for policies in (f"{promotions} made promotions", "shipped policies"):
        with tempfile.TemporaryDirectory() as name:
            bodies = make_shop(Path(name), promotions) if "made" in policies else make_shipped_shop(Path(name))
            measured = _measure(Path(name), bodies, rounds, seconds, clients, workers)
        rows += [_row(f"{kind}, {policies}", measured[kind]) for kind in measured]
        claims += _claims(policies, list(zip(measured[SERVICE], measured[ECHO], strict=True)))
    show(Result(f"{LINES} lines, {workers} workers, {clients} clients", rows, claims), as_json=as_json)


def _measure(
    folder: Path, bodies: list[bytes], rounds: int, seconds: float, clients: int, workers: int
) -> dict[str, list[Round]]:
    measured: dict[str, list[Round]] = {ECHO: [], SERVICE: []}
    with running(ECHO, folder, workers) as echo, running(SERVICE, folder, workers) as service:
        for _ in range(rounds):
            for kind, server in ((ECHO, echo), (SERVICE, service)):
                measured[kind].append(drive(server, bodies, clients, seconds))
    return measured


def _claims(policies: str, pairs: list[tuple[Round, Round]]) -> list[Claim]:
    rate, cost = median(s.per_second / e.per_second for s, e in pairs), median(e.cost / s.cost for s, e in pairs)
    what = f"of the echo's, {policies}"
    return [
        Claim(f"requests per second, {what}", round(rate, 3), at_least=0.4),
        Claim(f"requests per second, {what}", round(rate, 3), at_least=0.6, is_aim=True),
        Claim(f"requests per second of processor time, {what}", round(cost, 3), at_least=0.4, is_aim=True),
    ]


def make_shop(folder: Path, promotions: int) -> list[bytes]:
    """Write a policy's folder and return the bodies that tills send; each customer comes again and again."""
    policies = folder / "policies"
    policies.mkdir()
    assortment = made_assortment(Random(1), PRODUCTS)
    for name, content in files_of(made_promotions(Random(4), assortment, promotions)).items():
        (policies / name).write_text(json.dumps(content), encoding="utf-8")
    return _bodies()


def make_shipped_shop(folder: Path) -> list[bytes]:
    """Put the shipped policies into a folder and return the bodies that tills send."""
    shutil.copytree(Path(__file__).parents[1] / "policies", folder / "policies")
    return _bodies()


def _bodies() -> list[bytes]:
    assortment = made_assortment(Random(1), PRODUCTS)
    baskets = [made_basket(Random(seed), assortment, LINES) for seed in range(BASKETS)]
    for number, basket in enumerate(baskets):
        basket["customer"]["customer_id"] = f"L-{number}"
    return [json.dumps(basket).encode() for basket in baskets]


class Server(NamedTuple):
    """A server that runs: its port and its master's process."""

    port: int
    process: int

    def worker_seconds(self) -> float:
        """Return the processor time that its workers have used."""
        children = Path(f"/proc/{self.process}/task/{self.process}/children").read_text().split()
        fields = [Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split() for child in children]
        return sum(int(stat[11]) + int(stat[12]) for stat in fields) / TICKS


def drive(server: Server, bodies: list[bytes], clients: int, seconds: float) -> Round:
    """Send as fast as the answers come."""
    gate = multiprocessing.Barrier(clients + 1)
    results: multiprocessing.Queue[tuple[int, int, list[float]]] = multiprocessing.Queue()
    shopping = [
        multiprocessing.Process(target=_shop, args=(server.port, bodies, number, gate, seconds, results))
        for number in range(clients)
    ]
    for process in shopping:
        process.start()
    gate.wait()
    before, begun = server.worker_seconds(), time.perf_counter()
    told = [results.get() for _ in shopping]
    spent, computed = time.perf_counter() - begun, server.worker_seconds() - before
    for process in shopping:
        process.join()
    latencies = [latency for _, _, each in told for latency in each]
    return Round(sum(one[0] for one in told), sum(one[1] for one in told), latencies, spent, computed)


def _shop(port: int, bodies: list[bytes], number: int, gate: Any, seconds: float, results: Any) -> None:
    head = b"POST /v1/decisions HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
    requests = [head % (len(body), body) for body in bodies]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        for request in requests[:4]:
            ask(connection, request)
        gate.wait()
        latencies, refused, sent, begun = [], 0, number, time.perf_counter()
        while (now := time.perf_counter()) - begun < seconds:
            sent += 1
            if ask(connection, requests[sent % len(requests)]) in (200, 201):
                latencies.append(time.perf_counter() - now)
            else:
                refused += 1
        results.put((len(latencies), refused, latencies))


def ask(connection: socket.socket, request: bytes) -> int:
    """Send ready bytes and read one answer; returns its status."""
    connection.sendall(request)
    answer = connection.recv(65536)
    while b"\r\n\r\n" not in answer:
        answer += _more(connection)
    head, _, body = answer.partition(b"\r\n\r\n")
    left = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]) - len(body)
    while left > 0:
        left -= len(_more(connection))
    return int(head[9:12])


def _more(connection: socket.socket) -> bytes:
    piece = connection.recv(65536)
    if not piece:
        raise ConnectionError("the server closed the connection")
    return piece


@contextmanager
def running(kind: str, folder: Path, workers: int) -> Iterator[Server]:
    """Run a server for the block."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    code = f"from benchmarks.service_throughput import serve; serve({kind!r}, {port}, {workers}, {str(folder)!r})"
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen([sys.executable, "-c", code], stderr=log, stdout=log)
    try:
        _wait(port, process)
        yield Server(port, process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                if ask(connection, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") == 200:
                    return
        except OSError:
            time.sleep(0.1)
        if process.poll() is not None:
            break
    raise SystemExit("a server did not start")


def serve(kind: str, port: int, workers: int, folder: str) -> None:
    """Serve until a signal ends it."""
    from pos_discount.web.server import Listening, Server, gunicorn_settings
    from pos_discount.web.server import serve as serve_decisions
    from pos_discount.web.settings import Settings

    class Echo(Server):
        def load(self) -> Any:
            return _echo()

    listening = Listening(port=port, workers=workers)
    settings = Settings(Path(folder) / "policies", Path(folder) / "benchmark.db", "off", "a secret for the benchmark")
    if kind == SERVICE:
        serve_decisions(settings, listening)
    else:
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        Echo(settings, gunicorn_settings(listening), lambda: None).run()


def _echo() -> Any:
    from flask import Flask, Response, jsonify, request

    app = Flask("echo")

    @app.post("/v1/decisions")
    def echo() -> Response:
        return jsonify(request.get_json())

    @app.get("/healthz")
    def health() -> str:
        return "ok"

    return app


def _row(kind: str, rounds: list[Round]) -> dict[str, Cell]:
    ordered = sorted(latency for one in rounds for latency in one.latencies)
    return {
        "server": kind,
        "requests/s": median(one.per_second for one in rounds),
        "worker us/request": median(one.cost for one in rounds) * 1e6,
        "p50 ms": _at(ordered, 0.5),
        "p99 ms": _at(ordered, 0.99),
        "p99.9 ms": _at(ordered, 0.999),
        "refused": sum(one.refused for one in rounds),
    }


def _at(ordered: list[float], share: float) -> float:
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000 if ordered else 0.0


if __name__ == "__main__":
    main()
