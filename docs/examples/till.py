"""A till's side of pos-discount in one file, with nothing but Python's standard library. Take it and make it yours.

Three rules make it safe to put between a cashier and a customer:

1. The till never waits: a decision that is not there in time means "sell at the base price", not "try again".
2. Nothing is lost: an outcome is in a file before it is sent, and leaves the file once the service has answered for it.
3. Nothing counts twice: a repeated request carries the same Idempotency-Key, and an outcome is known by its decision.

    python till.py http://127.0.0.1:8000             # asks what the customer says
    python till.py http://127.0.0.1:8000 --accept 1  # takes the first rung
"""

# ruff: noqa: T201 - it speaks to a person

from __future__ import annotations

import argparse
import http.client
import json
import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

SECONDS_FOR_A_DECISION = 0.5
SECONDS_FOR_OUTCOMES = 5.0
SECONDS_OF_SILENCE = 10.0  # after a failure: how long the till does not even ask
MOST_OUTCOMES = 500  # in one call, as the API allows
UNCARRIED = (400, 413, 422)  # nothing of such a call was taken: something in it is too large, or no JSON
TROUBLE = (OSError, http.client.HTTPException, ValueError)


class Till:
    """Asks for ladders and reports what came of them; the queue file survives a power cut."""

    def __init__(self, url: str, queue: Path, key: str | None = None) -> None:
        self.address = urlsplit(url)
        self.queue = queue
        self.headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {key}"} if key else {})}
        self.silent_until = 0.0

    def ask(self, basket: dict[str, Any]) -> dict[str, Any] | None:
        """Return the answer with its ladder, or None: then sell at the price on the shelf."""
        if time.monotonic() < self.silent_until:
            return None
        same_call = {"Idempotency-Key": uuid.uuid4().hex}
        for _ in range(
            2
        ):  # a connection may be closed under us: the second time, with the same key, counts as the first
            try:
                status, answer = self.call("POST", "/v1/decisions", basket, SECONDS_FOR_A_DECISION, same_call)
            except TimeoutError:
                break
            except TROUBLE:
                continue
            if status == 201:
                return answer
            if status not in (429, 503):
                print(f"refused ({status}): {answer.get('errors') or answer.get('detail')}", file=sys.stderr)
                return None  # our own mistake: asking again changes nothing
            break
        self.silent_until = time.monotonic() + SECONDS_OF_SILENCE
        return None

    def report(self, decision_id: str, **outcome: Any) -> None:
        """Keep an outcome for sure, then try to send all that wait."""
        with self.queue.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps({"decision_id": decision_id, **outcome}) + "\n")
            file.flush()
            os.fsync(file.fileno())
        self.send_waiting()

    def send_waiting(self) -> int:
        """Send what waits, oldest first; return how many are left. Call it now and then, and when the till starts."""
        waiting, most = self.waiting(), MOST_OUTCOMES
        while waiting:
            batch = waiting[:most]
            try:
                status, answer = self.call("POST", "/v1/outcomes", {"outcomes": batch}, SECONDS_FOR_OUTCOMES)
            except TROUBLE:
                break
            if status in UNCARRIED and len(batch) > 1:
                most = len(batch) // 2  # whatever it is must not hold up the others
                continue
            if status in UNCARRIED:
                answer = {"results": [{**batch[0], "status": status, "code": answer["code"]}]}
            elif status != 200:  # 401, 403: for the operator to mend; 429, 5xx: for later
                break
            unanswered = [o for o, result in zip(batch, answer["results"], strict=True) if not is_answered(result)]
            waiting = unanswered + waiting[len(batch) :]
            most = min(2 * most, MOST_OUTCOMES)
            self.keep(waiting)
            if unanswered:
                break
        return len(waiting)

    def waiting(self) -> list[dict[str, Any]]:
        """Read the queue; a line that a power cut tore was never an outcome, and stands alone."""
        outcomes = []
        for line in self.queue.read_text(encoding="utf-8").split("\n") if self.queue.exists() else []:
            try:
                outcomes += [json.loads(line)] if line else []
            except ValueError:
                print(f"torn line in {self.queue}: {line[:40]}", file=sys.stderr)
        return outcomes

    def keep(self, outcomes: list[dict[str, Any]]) -> None:
        """Write the queue anew: the old file stands until the new one is whole."""
        fresh = self.queue.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            file.writelines(json.dumps(outcome) + "\n" for outcome in outcomes)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self.queue)

    def call(
        self, method: str, path: str, body: dict[str, Any], seconds: float, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, Any]]:
        """Make one call; every wait in it is bounded."""
        kind = http.client.HTTPSConnection if self.address.scheme == "https" else http.client.HTTPConnection
        connection = kind(self.address.hostname or "127.0.0.1", self.address.port, timeout=seconds)
        try:
            connection.request(method, path, json.dumps(body), {**self.headers, **(headers or {})})
            response = connection.getresponse()
            return response.status, json.loads(response.read())
        finally:
            connection.close()


BASKET = {
    "store_id": "S001",
    "till_id": "T07",
    "cashier_id": "C12",
    "currency": "EUR",
    "lines": [
        {"line_id": "1", "sku": "CA-SHAMPOO-REPAIR", "name": "Repair shampoo", "quantity": 2, "unit_price": 1250},
        {"line_id": "2", "sku": "CA-BRUSH-PADDLE", "name": "Paddle brush", "quantity": 1, "unit_price": 1600},
        {"line_id": "3", "sku": "CA-SPRAY-HOLD", "name": "Hair spray", "quantity": 1, "unit_price": 1100},
    ],
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Sell one basket as a till would.")
    parser.add_argument("url")
    parser.add_argument("--accept", type=int, metavar="RUNG", help="the rung that the customer takes; 0: none")
    parser.add_argument("--queue", type=Path, default=Path("till-queue.jsonl"), help="where unsent outcomes wait")
    arguments = parser.parse_args()
    till = Till(arguments.url, arguments.queue, os.environ.get("TILL_KEY"))
    till.send_waiting()  # what an earlier run could not send
    answer = till.ask({**BASKET, "sale_id": f"T07-{uuid.uuid4().hex[:8]}"})
    if answer is None:
        print("no answer: sold at the price on the shelf")
        return 1
    sell(till, answer, arguments.accept)
    print(f"{len(till.waiting())} outcomes wait to be sent")
    return 0


def sell(till: Till, answer: dict[str, Any], accept: int | None) -> None:
    """Say the rungs one after the other until the customer is content, and report what happened."""
    offers = []
    for rung in answer["ladder"]:
        print(f"{rung['rung']}. {rung['say']}  ->  {money(rung['total'])}")
        is_taken = rung["rung"] == accept if accept is not None else input("   content? [y/n] ").startswith("y")
        offers.append({"rung": rung["rung"], "reaction": "accepted" if is_taken else "declined"})
        if is_taken:
            till.report(
                answer["decision_id"], result="accepted", rung=rung["rung"], offers=offers, paid_total=rung["total"]
            )
            print(f"sold for {money(rung['total'])}")
            return
    till.report(answer["decision_id"], result="bought_at_base", offers=offers, paid_total=answer["base"]["total"])
    print(f"sold for {money(answer['base']['total'])}")


def is_answered(result: dict[str, Any]) -> bool:
    """Say whether the service has answered for an outcome, so that sending it again would change nothing."""
    if 400 <= result["status"] < 500:
        print(f"outcome of {result['decision_id']} refused: {result['code']}", file=sys.stderr)
    return bool(result["status"] < 500 and result["status"] != 429)


def money(minor: int) -> str:
    return f"{minor // 100}.{minor % 100:02d}"


if __name__ == "__main__":
    sys.exit(main())
