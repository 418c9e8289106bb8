"""Every invoice of a gift wholesaler through the HTTP service: returns, zero prices and odd text among them.

UCI Online Retail II (Daqing Chen), CC BY 4.0. Run ``python -m tests.receipts.giftware`` for the figures over all
invoices.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import Any

from tests.receipts.data import Row, grouped, rows_of

ROOT = Path(__file__).parents[2]
HOUSE = """
policy: 1
currency: GBP
time_zone: Europe/London
ladder: {min_step: 0.20, max_combined: 3}
guards: {max_depth: 40%}
margins: [{rate: 45%}]
ranges:
  trinkets: {price: {below: 1.00}}
  small-gifts: {price: {from: 1.00, below: 5.00}}
  dear-gifts: {price: {from: 5.00}}
"""
PROMOTIONS = """
promotions:
  - {id: dozen, name: A dozen of a line, class: volume, combines_with: [basket], when: [{quantity: {of: small-gifts, at_least: 12}}], benefit: {percent: 4%, of: small-gifts}}
  - {id: case, name: Case price, class: volume, combines_with: [basket], benefit: {tiers: {by: quantity, of: trinkets, steps: [{from: 24, percent: 5%}, {from: 144, percent: 9%}]}}}
  - {id: order-value, name: Order value, class: basket, combines_with: [volume, multibuy], benefit: {tiers: {by: spend, steps: [{from: 100.00, percent: 2%}, {from: 250.00, percent: 3.5%}, {from: 1000.00, amount: 60.00}]}}}
  - {id: third-gift, name: Every sixth dear gift free, class: multibuy, combines_with: [basket], benefit: {every: {units: 6, of: dear-gifts}, give: {percent: 100%}}}
  - {id: buy-ten, name: Buy ten get one, benefit: {buy_get: {buy: 10, of: trinkets, get: 1, at_most: 20}}}
  - {id: pair, name: A dear gift and two small ones, benefit: {bundle: {of: [{units: 1, of: dear-gifts}, {units: 2, of: small-gifts}], percent: 10%, at_most: 3}}}
  - {id: round-price, name: Trinkets at 0.79, offer: automatic, combines_with: all, cap: 25.00, benefit: {unit_price: 0.79, of: {price: {from: 0.80, below: 1.00}}}}
  - {id: dear-unit, name: Half a pound off each dear gift, cap: 12.00, benefit: {amount: 0.50, of: dear-gifts, each: unit}}
  - {id: card, name: A greeting card, when: [{spend: {at_least: 50.00}}], benefit: {gift: {sku: CARD, name: A greeting card, value: 1.50, cost: 0.30}}}
"""  # noqa: E501


@contextmanager
def served(folder: Path) -> Iterator[HTTPConnection]:
    """Serve the wholesaler's policy from two workers on a free port of this machine, and stop them in the end."""
    policies = folder / "policies"
    policies.mkdir()
    (policies / "house.yaml").write_text(HOUSE)
    (policies / "gifts.yaml").write_text(PROMOTIONS)
    port = _free_port()
    settings = {
        "POLICIES": str(policies),
        "DATABASE": str(folder / "gifts.db"),
        "AUTH": "off",
        "SECRET": "gift-receipts",
    }
    environment = os.environ | {f"POS_DISCOUNT_{name}": value for name, value in settings.items()}
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "wsgi:app",
        "-b",
        f"127.0.0.1:{port}",
        "-w",
        "2",
        "-k",
        "gthread",
        "--keep-alive",
        "60",
    ]
    with (folder / "server.log").open("w") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
        try:
            yield _connected(port)
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(30)


def invoices(share: int = 1, most_rows: int | None = None) -> Iterator[tuple[str, list[Row]]]:
    """Yield every ``share``-th invoice with its rows, of all or of the first ``most_rows`` rows."""
    for number, invoice in enumerate(grouped(islice(rows_of("giftware/invoice_lines.csv.gz"), most_rows), "invoice")):
        if number % share == 0:
            yield invoice


def request_of(rows: list[Row]) -> dict[str, Any]:
    """Write an invoice as a till would send it, without mending anything: returns keep their negative quantities."""
    lines = [
        {
            "line_id": str(number),
            "sku": row["stock_code"] or "?",
            "name": row["description"][:256],
            "quantity": int(row["quantity"]),
            "unit_price": int(Decimal(row["unit_price"]) * 100),
            "tags": ["gift" if row["is_merch"] == "1" else "service"],
        }
        for number, row in enumerate(rows)
    ]
    request: dict[str, Any] = {"store_id": "GIFTS", "currency": "GBP", "lines": lines}
    request["at"] = rows[0]["ts"].replace(" ", "T") + "+00:00"
    if rows[0]["customer_id"]:
        request["customer"] = {"customer_id": rows[0]["customer_id"]}
    return request


def play(connection: HTTPConnection, share: int = 1, most_rows: int | None = None) -> Counter[str]:
    """Send invoices as they are, and those that are refused again without their returns; check every answer."""
    counts: Counter[str] = Counter()
    for _, rows in invoices(share, most_rows):
        request = request_of(rows)
        status, answer = _post(connection, request)
        counts[f"as it is: {status}"] += 1
        if status == 422:
            wrong = [line for line in request["lines"] if line["quantity"] < 1 or line["unit_price"] < 0]
            assert {problem["pointer"].split("/")[2] for problem in answer["errors"]} == {
                line["line_id"] for line in wrong
            }
            request["lines"] = [line for line in request["lines"] if line not in wrong]
            if not request["lines"]:
                counts["nothing but returns"] += 1
                continue
            status, answer = _post(connection, request)
            counts[f"without its returns: {status}"] += 1
        assert status == 201, (status, answer)
        check_answer(request, answer)
        counts["rungs"] += len(answer["ladder"])
        counts["with a ladder"] += bool(answer["ladder"])
    return counts


def check_answer(request: dict[str, Any], answer: dict[str, Any]) -> None:
    """Assert that allocations sum and that the ladder ascends from the smallest."""
    list_total = sum(line["quantity"] * line["unit_price"] for line in request["lines"])
    base = answer["base"]
    assert answer["list_total"] == list_total == base["total"] + base["saving"]
    assert base["saving"] == sum(discount["saving"] for discount in base["discounts"])
    values = [0]
    for rung in answer["ladder"]:
        assert sum(line["net"] for line in rung["lines"]) == rung["total"] == base["total"] - rung["saving"]
        assert all(line["list"] - line["saving"] == line["net"] >= 0 for line in rung["lines"])
        assert sum(d["saving"] for d in rung["discounts"]) == list_total - rung["total"]
        for discount in rung["discounts"]:
            assert sum(line["saving"] for line in discount["lines"]) == discount["saving"]
        values.append(rung["value"])
    assert values == sorted(set(values))


def _post(connection: HTTPConnection, request: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    connection.request("POST", "/v1/decisions", json.dumps(request).encode(), {"Content-Type": "application/json"})
    response = connection.getresponse()
    return response.status, json.loads(response.read())


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _connected(port: int) -> HTTPConnection:
    for _ in range(100):
        try:
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/readyz")
            if connection.getresponse().read() is not None:
                return connection
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server does not answer")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name, served(Path(name)) as till:
        for what, count in sorted(play(till, int(sys.argv[1]) if len(sys.argv) > 1 else 1).items()):
            print(f"{count:8,} {what}")
