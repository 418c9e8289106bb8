"""A first model from a simulated shop: does the gate promote it, and how soon do all workers decide by it?"""

from __future__ import annotations

import http.client
import json
import tempfile
import time
from pathlib import Path

import click

from benchmarks.result import Claim, Result, show
from pos_discount.store import Store
from tests.learning.shop import Trade, write_policy
from tests.service.serving import Service

BASKET = {
    "store_id": "S1",
    "currency": "EUR",
    "lines": [{"line_id": "1", "sku": "A", "category": "care", "quantity": 1, "unit_price": 4000}],
}
AGREEING = 20
"""Answers in a row that must come from the new model: with two workers, one that lags would show."""


@click.command(help=__doc__)
@click.option("--visits", default=2_500, show_default=True)
@click.option("--rounds", default=5, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(visits: int, rounds: int, as_json: bool) -> None:
    """Measure, and show what was found."""
    with tempfile.TemporaryDirectory() as name:
        policies = write_policy(Path(name) / "policies")
        service = Service(Path(name), policies)
        store = Store(service.database)
        Trade(store, policies, seed=4, customers=400).visits(visits, missing=0.02)
        store.close()
        service.start()
        try:
            service.wait_until_ready()
            service.command("retrain")
            store = Store(service.database)
            version = store.read_active_model()
            seconds = [_seconds_until(service.port, version)] if version else []
            for number in range(rounds if version else 0):
                store.activate_model(None, "benchmark", 2 * number + 1)
                _seconds_until(service.port, None)
                store.activate_model(version, "benchmark", 2 * number + 2)
                seconds.append(_seconds_until(service.port, version))
            store.close()
        finally:
            service.stop()
    row = {"visits": visits, "promoted": version is not None, "after retrain s": seconds[0] if seconds else None}
    row["longest s"] = max(seconds, default=None)
    claims = [Claim("models promoted by the gate", int(version is not None), at_least=1)]
    claims += [Claim("seconds until every worker decides by it", round(max(seconds), 2), at_most=5)] if seconds else []
    show(Result("A first model taken up", [row], claims), as_json=as_json)


def _seconds_until(port: int, version: str | None) -> float:
    """Ask until the answers come from a model (None: from none), and give the seconds to the first of them."""
    began, first, agreeing = time.monotonic(), 0.0, 0
    while agreeing < AGREEING:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("POST", "/v1/decisions", json.dumps(BASKET), {"Content-Type": "application/json"})
        told = json.loads(connection.getresponse().read())
        connection.close()
        if told["model_version"] != version:
            agreeing = 0
        elif not agreeing:
            first, agreeing = time.monotonic(), 1
        else:
            agreeing += 1
        time.sleep(0.02)
    return first - began


if __name__ == "__main__":
    main()
