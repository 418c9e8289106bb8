"""A till's first call, played against a running service: what it sends, what the cashier sees, what it reports.

Run as a program of its own beside the service, so that it is a client like any other.
"""

from __future__ import annotations

import http.client
import json
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
import msgspec

from pos_discount.answer import Answer
from pos_discount.basket import Basket
from pos_discount.cli.ladder import print_ladder
from pos_discount.money import currency_digits
from pos_discount.policy import Policy, load_policy

SECONDS_TO_START = 60.0
CUSTOMERS = 8
"""Ladders are drawn; of a few customers with the same basket, one shows how an offer is raised."""

SHIPPED_LINES: list[dict[str, Any]] = [
    {"line_id": "1", "sku": "CA-SHAMPOO-REPAIR", "name": "Repair shampoo", "quantity": 2, "unit_price": 1250},
    {"line_id": "2", "sku": "CA-BRUSH-PADDLE", "name": "Paddle brush", "quantity": 1, "unit_price": 1600},
    {"line_id": "3", "sku": "CA-SPRAY-HOLD", "name": "Hair spray", "quantity": 1, "unit_price": 1100},
]


def main(arguments: Sequence[str]) -> int:
    """Play a till against the service at a URL; the policy's folder and the log are named in what is printed."""
    url, policies, log = arguments
    if not _is_ready(url, time.monotonic() + SECONDS_TO_START):
        click.echo(f"the service did not become ready; its log:\n{Path(log).read_text(encoding='utf-8')}")
        return 1
    policy = load_policy(policies)
    click.echo(
        f"Serving {len(policy.promotions)} promotions from {policies} on {url}, without keys, on a new database."
    )
    basket, answer = max(_sales(url, demo_basket(policy)), key=lambda sale: len(sale[1].ladder))
    click.echo(
        f"\n{CUSTOMERS} customers come with the same basket. This is the till's call for the one with most rungs:\n"
    )
    click.echo(f"{_as_curl(url, basket)}\n\nThe cashier sees:\n")
    print_ladder(msgspec.convert(basket, Basket), answer, currency_digits(answer.currency))
    _report(url, answer)
    click.echo(f"\nStill serving. {url}/docs describes the calls, {log} is the log, Ctrl-C ends it.")
    return 0


def demo_basket(policy: Policy) -> dict[str, Any]:
    """Make a request that this policy has something to say on: the shipped one, or its own richest example."""
    where = {"store_id": "S001", "till_id": "T07", "cashier_id": "C12"}
    lines = SHIPPED_LINES
    if any(line["sku"] not in policy.house.catalogue for line in lines):
        examples = sorted(policy.examples, key=lambda example: -len(example.rungs or ()))
        lines = [msgspec.to_builtins(line) for line in examples[0].basket.lines] if examples else lines
    return {**where, "currency": policy.house.currency, "locale": "en", "lines": lines}


def _sales(url: str, basket: dict[str, Any]) -> Iterator[tuple[dict[str, Any], Answer]]:
    for number in range(1, CUSTOMERS + 1):
        sale = {**basket, "sale_id": f"S001-T07-{number:06d}"}
        status, body = _call(url, "POST", "/v1/decisions", sale)
        if status != 201:
            raise SystemExit(f"the service answered {status}: {body.decode()}")
        yield sale, msgspec.json.decode(body, type=Answer)


def _as_curl(url: str, basket: dict[str, Any]) -> str:
    return f"curl -s {url}/v1/decisions -H 'Content-Type: application/json' -d '\n{_short_json(basket)}'"


def _short_json(basket: dict[str, Any]) -> str:
    """Write the request with one line of the basket per line of text."""
    head = ", ".join(f"{json.dumps(name)}: {json.dumps(value)}" for name, value in basket.items() if name != "lines")
    lines = ",\n".join(f"  {json.dumps(line, ensure_ascii=False)}" for line in basket["lines"])
    return f'{{{head},\n "lines": [\n{lines}]}}'


def _report(url: str, answer: Answer) -> None:
    outcome: dict[str, Any] = {"result": "accepted", "rung": 1} if answer.ladder else {"result": "not_offered"}
    path = f"/v1/decisions/{answer.decision_id}/outcome"
    status, _ = _call(url, "PUT", path, outcome)
    click.echo(f"\nThe customer is content with the first, so the till reports it:\n\n  PUT {path}")
    click.echo(f"  {json.dumps(outcome)}  ->  {status}")


def _is_ready(url: str, deadline: float) -> bool:
    while time.monotonic() < deadline:
        try:
            if _call(url, "GET", "/readyz")[0] == 200:
                return True
        except (OSError, http.client.HTTPException):
            pass  # not listening yet
        time.sleep(0.1)
    return False


def _call(url: str, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
    try:
        headers = {"Content-Type": "application/json"} if body else {}
        connection.request(method, path, json.dumps(body) if body else None, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
