"""How long does it take to choose a ladder among 10 rungs?

Baskets of 10 rungs each, 1 to 30 % deep, of many sizes and margins; the house's default terms (at most 4 rungs), the
model that serves before anything is learned, 32 draws from its posterior beside the point estimate. A customer who is
new or unknown shares the belief of a cell, for which some sums are kept; one who is known has a belief of their own,
here never the same twice running. Where no price lies on a refusal, ladders grow long, and take longest.

No basket comes twice running either. The quickest round counts: what other work on the machine adds is not ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle
from random import Random

import click

from benchmarks.result import Cell, Claim, Result, show
from benchmarks.timing import Task, Timings, measure
from pos_discount.sensitivity import (
    Behaviour,
    Belief,
    Event,
    SensitivityModel,
    Stakes,
    Terms,
    believe,
    choose_ladder,
    prior_model,
)

DEPTHS = (0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.12, 0.15, 0.2, 0.3)
BASKETS, CUSTOMERS = 499, 1_009
MOST_MICROSECONDS = 250.0
DEFAULT = Terms(max_rungs=4, offer_cost=3.5)
NO_PRICE = Terms(max_rungs=4, offer_cost=3.5, refusal_price=0.0)

Choices = Sequence[tuple[Stakes, Terms, Belief]]


@click.command(help=__doc__)
@click.option("--rounds", default=60, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(rounds: int, as_json: bool) -> None:
    """Measure, and show what was found."""
    model, dice = prior_model(), Random(6)
    unknown = _beliefs(model, dice, is_known=False)
    cases: dict[str, Choices] = {
        "unknown customers": _choices(dice, DEFAULT, unknown),
        "known customers": _choices(dice, DEFAULT, _beliefs(model, dice, is_known=True)),
        "unknown, no price on a refusal": _choices(dice, NO_PRICE, unknown),
    }
    timings = measure({name: _choosing(model, choices) for name, choices in cases.items()}, rounds)
    rows = [_row(name, model, choices, timings) for name, choices in cases.items()]
    claims = [
        Claim(f"{name}, microseconds", _quickest(timings, name), at_most=MOST_MICROSECONDS, is_aim="no price" in name)
        for name in cases
    ]
    show(Result(f"Choosing a ladder among {len(DEPTHS)} rungs", rows, claims), as_json=as_json)


def _beliefs(model: SensitivityModel, dice: Random, *, is_known: bool) -> list[Belief]:
    """Believe of customers what their behaviour suggests, and of known ones what they did at earlier offers."""
    return [
        believe(
            model,
            Behaviour(promo_share_90d=dice.random(), asked=dice.random() < 0.5),
            tuple((_event(dice), dice.randint(1, 3)) for _ in range(4 if is_known else 0)),
        )
        for _ in range(CUSTOMERS)
    ]


def _event(dice: Random) -> Event:
    refused = dice.randrange(0, 80, 4)
    return dice.choice([Event(refused, refused + 20, 1, "accepted"), Event(refused, None, 1, "walked")])


def _choices(dice: Random, terms: Terms, beliefs: Sequence[Belief]) -> Choices:
    baskets = cycle([_stakes(dice) for _ in range(BASKETS)])
    return [(basket, terms, belief) for basket, belief in zip(baskets, beliefs, strict=False)]


def _stakes(dice: Random) -> Stakes:
    """Make what is at stake in a basket: minor units are whole, so that a depth is hardly ever round."""
    total, margin = dice.randint(2_000, 40_000), dice.uniform(0.2, 0.6)
    values = [round(depth * total) for depth in DEPTHS]
    profit = margin * total
    return Stakes(
        depths=tuple(value / total for value in values),
        profits=tuple(profit - value for value in values),
        base_profit=profit,
        base_total=float(total),
    )


def _choosing(model: SensitivityModel, choices: Choices) -> Task:
    coming = cycle(choices)

    def choose() -> None:
        stakes, terms, belief = next(coming)
        choose_ladder(stakes, terms, model, belief, arm="ladder", seed="dec_benchmark")

    return choose


def _row(name: str, model: SensitivityModel, choices: Choices, timings: Timings) -> dict[str, Cell]:
    chosen = [
        choose_ladder(stakes, terms, model, belief, arm="ladder", seed=f"dec_{number}")
        for number, (stakes, terms, belief) in enumerate(choices)
    ]
    return {
        "who": name,
        "beliefs": len({belief for _, _, belief in choices}),
        "ladders weighed, mean": sum(len(choice.distribution) for choice in chosen) / len(chosen),
        "rungs chosen, mean": sum(len(choice.rungs) for choice in chosen) / len(chosen),
        "quickest µs": _quickest(timings, name),
        "median µs": timings.microseconds(name),
    }


def _quickest(timings: Timings, name: str) -> float:
    return round(min(timings.seconds_by_task[name]) * 1e6, 1)


if __name__ == "__main__":
    main()
