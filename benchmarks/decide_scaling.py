"""Does `decide()` look at what is in the basket, or at all promotions that there are?

One basket of 20 lines under 10, 100, 1,000 and 10,000 promotions (default ``combines_with``). The first 1,000 are
spread over the assortment that the basket is from, so that more of them touch it; the other 9,000 are for an
assortment that the basket has nothing of, so that the same number applies.
"""

from __future__ import annotations

from random import Random

import click

from benchmarks.result import Cell, Claim, Result, show
from benchmarks.shop import NOW, made_assortment, made_basket, made_promotions, read_basket, read_promotions
from benchmarks.timing import Task, Timings, measure
from pos_discount.basket import Basket
from pos_discount.decide import Known, Seed, decide
from pos_discount.pricing import Context, PolicyIndex, Scan, price

SIZES = (10, 100, 1_000, 10_000)
LINES, PRODUCTS, TOUCHING = 20, 2_000, 1_000
SEED = Seed("dec_benchmark", "benchmark")


@click.command(help=__doc__)
@click.option("--rounds", default=25, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(rounds: int, as_json: bool) -> None:
    """Measure, and show what was found."""
    basket, indexes = _made()
    tasks = {str(size): _deciding(basket, index) for size, index in indexes.items()}
    timings = measure(tasks, rounds)
    rows = [_row(size, basket, index, timings) for size, index in indexes.items()]
    claims = (
        Claim("1,000 promotions against 10", timings.ratio("1000", "10"), at_most=6),
        Claim("10,000 promotions against 1,000, as many applicable", timings.ratio("10000", "1000"), at_most=1.3),
    )
    show(Result(f"decide() on {LINES} lines", rows, claims), as_json=as_json)


def _made() -> tuple[Basket, dict[int, PolicyIndex]]:
    here, elsewhere = made_assortment(Random(1), PRODUCTS), made_assortment(Random(2), PRODUCTS * 9, "Other ")
    basket = read_basket(made_basket(Random(3), here, LINES))
    promotions = made_promotions(Random(4), here, TOUCHING)
    promotions += made_promotions(Random(5), elsewhere, max(SIZES) - TOUCHING, "Other ")
    return basket, {size: PolicyIndex(read_promotions(promotions[:size])) for size in SIZES}


def _deciding(basket: Basket, index: PolicyIndex) -> Task:
    return lambda: decide(basket, index, None, Known(), NOW, SEED)


def _row(size: int, basket: Basket, index: PolicyIndex, timings: Timings) -> dict[str, Cell]:
    decision = decide(basket, index, None, Known(), NOW, SEED)
    pricing = price(index, basket, Context(NOW))
    return {
        "promotions": size,
        "touched": len(Scan(index, basket, Context(NOW)).touched),
        "applicable": len(decision.answer.discounts),
        "candidates": len(pricing.candidates),
        "rungs": len(pricing.rungs),
        "microseconds": timings.microseconds(str(size)),
        "of 10's": timings.ratio(str(size), "10"),
        "of the size before": timings.ratio(str(size), str(max(10, size // 10))),
    }


if __name__ == "__main__":
    main()
