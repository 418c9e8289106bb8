"""The process that `memory` measures: makes one app, serves some requests, prints what it then holds.

Imports nothing that the app does not need itself, so that the bare app is bare.
"""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Any

from benchmarks.echo import call, echo_app

if TYPE_CHECKING:
    from flask import Flask

ROOT = Path(__file__).resolve().parent.parent


def serve(database: str, requests: int) -> dict[str, Any]:
    """Return the resident memory and the modules of this process after serving so many requests.

    Serves decisions on a database file, or the bare echo where that is empty.
    """
    app, path = (_service(database), "/v1/decisions") if database else (echo_app(), "/echo")
    for body in [json.dumps(body).encode() for body in _bodies(requests)]:
        call(app, path, body)
    status = Path("/proc/self/status").read_text()
    rss_kib = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    return {"rss_kib": rss_kib, "modules": sorted(sys.modules)}


def _service(database: str) -> Flask:
    from pos_discount.web import create_app

    return create_app({"policies": ROOT / "policies", "database": database, "auth": "off", "secret": "benchmark"})


def _bodies(requests: int) -> list[dict[str, Any]]:
    """Make baskets of three to twenty products of the shipped catalogue, for fifty customers."""
    with (ROOT / "policies" / "products.csv").open(newline="") as file:
        skus = [row["sku"] for row in csv.DictReader(file)]
    return [_body(Random(number), skus) for number in range(requests)]


def _body(dice: Random, skus: list[str]) -> dict[str, Any]:
    lines = [
        {"line_id": str(line), "sku": sku, "quantity": dice.choice((1, 1, 2)), "unit_price": dice.randrange(300, 6000)}
        for line, sku in enumerate(dice.sample(skus, dice.randrange(3, 21)), start=1)
    ]
    customer = {"customer_id": f"L-{dice.randrange(50)}", "tier": dice.choice(("silver", "gold"))}
    return {"store_id": "S001", "currency": "EUR", "lines": lines, "customer": customer}


if __name__ == "__main__":
    print(json.dumps(serve(sys.argv[1], int(sys.argv[2]))))
