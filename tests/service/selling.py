"""Clients that sell and repeat until they are answered, while workers and masters are killed: what is left at the end?

The tests run it small, the benchmark large and with a clock.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from random import Random
from typing import NamedTuple

from .house import WELCOME_MINOR, basket
from .serving import PATIENCE, Service, Till

CLIENTS = 8
ONE_MOMENT = "2026-11-21T12:00:00+01:00"  # of one year, whose budget has one counter


class Attack(NamedTuple):
    """What was acknowledged, by decision, and how the attack went."""

    rung_by_decision: dict[str, int]
    kills: int
    repeated: int
    silences: tuple[float, ...]
    """Seconds from each kill to the next right answer."""


def sell_while_killing(service: Service, sales: int, kills: int, seed: int) -> Attack:
    """Let eight clients make so many sales, and kill at random among them; every fourth kill is the master's."""
    acknowledged: dict[str, int] = {}

    def sell(client: int) -> int:
        till = Till(service)
        for number in range(client, sales, CLIENTS):
            _sell(till, number, acknowledged)
        till.close()
        return till.repeated

    dice, silences = Random(seed), []
    with ThreadPoolExecutor(CLIENTS) as threads:
        clients = [threads.submit(sell, client) for client in range(CLIENTS)]
        for number, moment in enumerate(sorted(dice.sample(range(sales), kills))):
            _wait_for(partial(_has_sold, acknowledged, moment, clients))
            silences.append(_kill(service, dice, is_master=number % 4 == 2))
        repeated = sum(client.result() for client in clients)
    return Attack(acknowledged, kills, repeated, tuple(silences))


def _has_sold(acknowledged: dict[str, int], moment: int, clients: list[Future[int]]) -> bool:
    """Tell whether so many are sold, or will never be."""
    return len(acknowledged) >= moment or all(client.done() for client in clients)


def find_losses(service: Service, attack: Attack) -> list[str]:
    """Say what is lost, double or broken; nothing is well."""
    rungs = dict(service.rows("SELECT decision_id, rung FROM outcomes"))
    found = [f"lost: {one}" for one, rung in attack.rung_by_decision.items() if rungs.get(one) != rung]
    sold = len(attack.rung_by_decision)
    counts = {
        "decisions": service.rows("SELECT count(*) FROM decisions")[0][0],
        "outcomes": service.rows("SELECT count(*) FROM outcomes")[0][0],
        "outcomes by decision": len(rungs),
    }
    found += [f"{count} {what}, {sold} were acknowledged" for what, count in counts.items() if count != sold]
    counters = service.rows("SELECT uses, spent, held_uses, held_spent FROM counters WHERE promotion_id = 'welcome'")
    welcomed = sum(rung == 1 for rung in attack.rung_by_decision.values())
    for counter in counters:
        if counter not in ((welcomed, welcomed * WELCOME_MINOR, 0, 0), (0, 0, 0, 0)):
            found.append(f"a counter says {counter}, {welcomed} uses were sold")
    if len(counters) == 0:
        found.append("nothing was counted")
    found += [row[0] for row in service.rows("PRAGMA integrity_check") if row[0] != "ok"]
    return found


def _sell(till: Till, number: int, acknowledged: dict[str, int]) -> None:
    sent = basket(
        sale_id=f"sale-{number}",
        till_id=f"T{number % CLIENTS}",
        customer={"customer_id": f"L-{number % 40}"},
        at=ONE_MOMENT,
    )
    decision = till.call("POST", "/v1/decisions", sent, f"decide-{number}")
    assert decision.status == 201, decision.body
    told = decision.json()
    rung = 1 + number % len(told["ladder"])
    outcome = {"result": "accepted", "rung": rung}
    if number % 5:
        path = f"/v1/decisions/{told['decision_id']}/outcome"
        answer = till.call("PUT", path, outcome)
        assert answer.status in (200, 201), answer.body
    else:
        body = {"outcomes": [{"decision_id": told["decision_id"], **outcome}]}
        answer = till.call("POST", "/v1/outcomes", body, f"tell-{number}")
        assert answer.json()["results"][0]["status"] in (200, 201), answer.body
    acknowledged[told["decision_id"]] = rung


def _kill(service: Service, dice: Random, is_master: bool) -> float:
    """Kill, see to it that it serves again, and return how many seconds it said nothing."""
    if is_master:
        service.kill_master()
    else:
        service.kill_worker(dice.randrange(8))
    started = time.monotonic()
    _wait_for(lambda: _is_serving(service))
    return time.monotonic() - started


def _is_serving(service: Service) -> bool:
    """Tell whether a living master's workers answer; as a supervisor does, start a master where there is none."""
    if service.master is None or service.master.poll() is not None:
        service.start()
    if not service.workers():
        return False
    with suppress(OSError, http.client.HTTPException):
        return service.call("POST", "/v1/decisions?dry_run=true", basket(), timeout=5).status == 200
    return False


def _wait_for(is_there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not is_there():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.01)
