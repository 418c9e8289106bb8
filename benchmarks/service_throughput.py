"""Requests per second of `POST /v1/decisions`, durable record included, against a Flask echo of the same body.

Both run under the service's own gunicorn settings, in turns on one machine, so that what else the machine does hits
both alike. Clients are processes with one kept-alive connection each that do nothing but send ready bytes and read
answers.

python benchmarks/service_throughput.py [--rounds 5] [--seconds 3] [--clients 16] [--workers 2] [--promotions 200]
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LINES = 20
ECHO = "echo"
SERVICE = "service"


def main() -> None:
    """Measure and print."""
    options = _options()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_policy(folder / "policies", options.promotions)
        bodies = [json.dumps(basket(number)).encode() for number in range(200)]
        with _server(ECHO, folder, options.workers) as echo, _server(SERVICE, folder, options.workers) as service:
            rates: dict[str, list[float]] = {ECHO: [], SERVICE: []}
            for _ in range(options.rounds):
                for kind, port in ((ECHO, echo), (SERVICE, service)):
                    rate, latencies = drive(port, bodies, options.clients, options.seconds)
                    rates[kind].append(rate)
                    print(f"{kind:8} {rate:8.0f} requests/s   {_spread(latencies)}", flush=True)
    ratio = statistics.median(s / e for e, s in zip(rates[ECHO], rates[SERVICE], strict=True))
    print(
        f"median   {statistics.median(rates[SERVICE]):.0f} of {statistics.median(rates[ECHO]):.0f}, ratio {ratio:.2f}"
    )


def basket(number: int) -> dict[str, Any]:
    """Make a basket of 20 lines; every third one is of a known customer."""
    lines = [
        {
            "line_id": str(line + 1),
            "sku": f"SKU-{(number * 7 + line * 13) % 900}",
            "name": f"Product {line}",
            "category": f"range-{(number + line) % 40}/sub-{line % 3}",
            "brand": f"Brand {line % 12}",
            "quantity": 1 + (line + number) % 3,
            "unit_price": 495 + 130 * ((line * 11 + number) % 20),
        }
        for line in range(LINES)
    ]
    known = {"customer": {"customer_id": f"L-{number}", "tier": "gold"}} if number % 3 == 0 else {}
    return {"store_id": f"S{number % 9:03}", "till_id": "T1", "currency": "EUR", "lines": lines, **known}


def write_policy(folder: Path, promotions: int) -> None:
    """Write a policy of so many promotions; about a dozen of them concern a basket."""
    folder.mkdir()
    house = "policy: 1\ncurrency: EUR\ntime_zone: Europe/Paris\nladder: {min_step: 1.00}\nmargins: [{rate: 45%}]\n"
    (folder / "house.yaml").write_text(house)
    benefits = (
        "{{percent: {percent}%, of: {of}}}",
        "{{amount: {percent}.00, of: {of}}}",
        "{{every: {{units: 3, of: {of}}}, give: {{percent: 100%, to: cheapest}}}}",
        "{{tiers: {{by: spend, of: {of}, steps: [{{from: 20.00, percent: {percent}%}}, {{from: 60.00, amount: 9.00}}]}}}}",
    )
    rows = ["promotions:"]
    for number in range(promotions):
        of = f"{{category: range-{number * 2}}}" if number else "{not: {category: none}}"
        benefit = benefits[number % len(benefits)].format(percent=3 + number % 15, of=of)
        rows.append(f"  - {{id: offer-{number}, name: Offer {number}, benefit: {benefit}}}")
    (folder / "offers.yaml").write_text("\n".join(rows))


def drive(port: int, bodies: list[bytes], clients: int, seconds: float) -> tuple[float, list[float]]:
    """Send as fast as the answers come; returns requests per second and every request's seconds."""
    gate = multiprocessing.Barrier(clients)
    results: multiprocessing.Queue[tuple[float, list[float], int]] = multiprocessing.Queue()
    started = [
        multiprocessing.Process(target=_client, args=(port, bodies[number:] + bodies[:number], gate, seconds, results))
        for number in range(clients)
    ]
    for process in started:
        process.start()
    told = [results.get() for _ in started]
    for process in started:
        process.join()
    failed = sum(failures for _, _, failures in told)
    if failed:
        print(f"  {failed} answers were neither 200 nor 201", flush=True)
    return sum(len(latencies) / spent for spent, latencies, _ in told), [one for _, each, _ in told for one in each]


def _client(port: int, bodies: list[bytes], gate: Any, seconds: float, results: Any) -> None:
    requests = [
        b"POST /v1/decisions HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        for body in bodies
    ]
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        ask(connection, requests[0])
        gate.wait()
        latencies, failures, begun = [], 0, time.perf_counter()
        while (now := time.perf_counter()) - begun < seconds:
            failures += ask(connection, requests[len(latencies) % len(requests)]) not in (200, 201)
            latencies.append(time.perf_counter() - now)
        results.put((time.perf_counter() - begun, latencies, failures))


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
def _server(kind: str, folder: Path, workers: int) -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    log = (folder / f"{kind}.log").open("wb")
    command = [sys.executable, __file__, "--serve", kind, "--port", str(port), "--workers", str(workers)]
    process = subprocess.Popen([*command, "--folder", str(folder)], stderr=log, stdout=log)
    try:
        _wait(port, process)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
                if ask(connection, b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") == 200:
                    return
        except OSError:
            time.sleep(0.1)
        if process.poll() is not None:
            raise SystemExit("the server did not start")
    raise SystemExit("the server did not answer")


def _serve(kind: str, port: int, workers: int, folder: Path) -> None:
    from pos_discount.web.server import Listening, Server, gunicorn_settings, serve
    from pos_discount.web.settings import Settings

    listening = Listening(port=port, workers=workers)
    settings = Settings(folder / "policies", str(folder / "benchmark.db"), "off", "a secret for the benchmark")
    if kind == SERVICE:
        serve(settings, listening)
        return

    class Echo(Server):
        def load(self) -> Any:
            return _echo()

    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
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


def _spread(latencies: list[float]) -> str:
    ordered = sorted(latencies)
    points = {name: ordered[min(len(ordered) - 1, int(len(ordered) * share))] for name, share in SHARES.items()}
    return "  ".join(f"{name} {seconds * 1000:.1f} ms" for name, seconds in points.items())


SHARES = {"p50": 0.5, "p99": 0.99, "p99.9": 0.999}


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--promotions", type=int, default=200)
    parser.add_argument("--serve", choices=[ECHO, SERVICE], help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        _serve(options.serve, options.port, options.workers, options.folder)
        raise SystemExit
    return options


if __name__ == "__main__":
    main()
