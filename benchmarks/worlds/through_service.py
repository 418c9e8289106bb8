"""A world through the service: decisions and outcomes over HTTP, nights by the nightly command with its gate.

    python -m benchmarks.worlds.through_service hunters --checkouts 12000

The table of the worlds puts every night's fit to work at once. Here nothing is put to work that the gate does not let
pass, and everything goes the way it goes in a chain: a server with its workers, its database, `pos-discount retrain`
beside it. There is no hold-out, so that all checkouts are scored. Shows the share of the oracle's profit as it grows,
and how many nights' candidates passed.
"""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from benchmarks.result import Cell, Result, show
from pos_discount.sensitivity import Event
from pos_discount.simulation import PLANS, Course, World, draw_world, measure, plan_named, play_world
from pos_discount.simulation.play import Recommended, Report
from pos_discount.simulation.worlds import DEPTHS, OFFER_COST
from pos_discount.store import Store
from tests.service.serving import Service, Till, serving

HOUSE = f"""
policy: 1
currency: EUR
time_zone: UTC
ladder: {{min_step: 0.01, max_rungs: 3, seconds_per_offer: 9, cost_per_hour: {OFFER_COST / 100 * 400:.2f}}}
holdout: {{share: 0%}}
learning: {{refusal_price: 0%}}
"""
BLOCK = 2_000
PATIENCE = 10.0


@click.command(help=__doc__)
@click.argument("name", type=click.Choice([plan.name for plan in PLANS]))
@click.option("--seed", default=1, show_default=True)
@click.option("--checkouts", default=12_000, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(name: str, seed: int, checkouts: int, as_json: bool) -> None:
    """Play, and show how it went."""
    world = draw_world(replace(plan_named(name), checkouts=checkouts, holdout=0.0), seed)
    with tempfile.TemporaryDirectory() as folder:
        policies = Path(folder) / "policies"
        policies.mkdir()
        (policies / "house.yaml").write_text(HOUSE, encoding="utf-8")
        (policies / "offers.yaml").write_text(promotions(), encoding="utf-8")
        with serving(Path(folder), policies, workers=1) as service:
            seller = ServedSeller(world, service)
            course = play_world(world, seller)
    found = measure(world, course)
    notes = (
        f"in all {found.share_of_oracle:.2%} of the oracle's profit, headroom {found.headroom:.1%};"
        f" the best fixed ladder {found.best_fixed / found.oracle:.2%}",
        f"candidates that passed the gate: {len(seller.promoted_at)} of {checkouts // world.plan.night_every} nights",
    )
    show(Result(f"{name}, seed {seed}, through the service", rows_of(course, seller), notes=notes), as_json=as_json)


def rows_of(course: Course, seller: ServedSeller) -> list[dict[str, Cell]]:
    """Sum the course up in blocks of checkouts."""
    blocks = [slice(begin, begin + BLOCK) for begin in range(0, len(course.profit), BLOCK)]
    return [
        {
            "from checkout": block.start,
            "% of the oracle": round(100.0 * float(course.profit[block].sum() / course.oracle[block].sum()), 2),
            "nights whose candidate passed": ", ".join(
                str(night) for night, checkout in seller.promoted_at if block.start < checkout <= block.stop
            ),
        }
        for block in blocks
    ]


class ServedSeller:
    """Sells with what a service recommends, and tells it what came of it."""

    name = "pos-discount, served"

    def __init__(self, world: World, service: Service) -> None:
        self._world, self._service, self._till = world, service, Till(service)
        self._decision_id = ""
        self._in_force: str | None = None
        self.promoted_at: list[tuple[int, int]] = []

    def recommend(self, checkout: int) -> Recommended:
        """Send the visit's basket, and find the answer's rungs among the world's depths."""
        answer = self._call("POST", "/v1/decisions", self._body(checkout))
        self._decision_id = answer["decision_id"]
        first = answer["ladder"][0]["acceptance"]
        ladder = tuple(int(rung["promotions"][0].removeprefix("p")) for rung in answer["ladder"])
        return Recommended(ladder, first, first)

    def learn(self, checkout: int, ladder: tuple[int, ...], report: Report, event: Event | None, earned: float) -> None:
        """Send the outcome."""
        outcome: dict[str, Any] = {"result": report.result}
        if report.rung is not None:
            outcome["rung"] = report.rung
        if report.offers:
            outcome["offers"] = [{"rung": rung, "reaction": reaction} for rung, reaction in report.offers]
        self._call("PUT", f"/v1/decisions/{self._decision_id}/outcome", outcome)

    def sleep(self, night: int) -> None:
        """Run the nightly command; where its candidate passed, wait until the service decides by it."""
        self._service.command("retrain")
        store = Store(self._service.database)
        version = store.read_active_model()
        store.close()
        if version == self._in_force:
            return
        self._in_force = version
        self.promoted_at.append((night, night * self._world.plan.night_every))
        deadline = time.monotonic() + PATIENCE
        while self._call("GET", "/v1/model", None)["model_version"] != version:
            if time.monotonic() > deadline:
                raise SystemExit(f"the service did not take up model {version} within {PATIENCE:g} s")
            time.sleep(0.1)

    def _body(self, checkout: int) -> dict[str, Any]:
        world = self._world
        sent, value, owner = world.behaviour(checkout), int(world.value[checkout]), int(world.customer[checkout])
        cost = round(value * (1.0 - float(world.margin[checkout])))
        customer: dict[str, Any] = {"promo_share_90d": sent.promo_share_90d}
        if owner >= 0:
            customer["customer_id"] = f"c{owner}"
        return {
            "store_id": "S1",
            "till_id": f"T{checkout % 4}",
            "currency": "EUR",
            "at": f"2026-11-21T{sent.hour:02}:00:00Z",
            "asked": sent.asked,
            "lines": [{"line_id": "1", "sku": "BASKET", "quantity": 1, "unit_price": value, "unit_cost": cost}],
            "customer": customer,
        }

    def _call(self, method: str, path: str, body: object) -> Any:
        answer = self._till.call(method, path, body)
        if answer.status not in (200, 201):
            raise SystemExit(f"{method} {path} answered {answer.status}: {answer.body.decode()}")
        return answer.json()


def promotions() -> str:
    """Write the world's six promotions; a promotion's id tells its place among the depths."""
    written = (
        f"  - {{id: p{place}, name: '{depth * 100:g} % off', benefit: {{percent: {depth * 100:g}%}}}}"
        for place, depth in enumerate(DEPTHS)
    )
    return "promotions:\n" + "\n".join(written) + "\n"


if __name__ == "__main__":
    main()
