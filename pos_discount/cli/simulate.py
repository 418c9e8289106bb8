"""`pos-discount simulate`: shoppers of a world against the real decision and the real fit, and the habits to beat."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, replace

import click

from pos_discount.cli.output import json_option, print_json, print_table, with_progress
from pos_discount.simulation.measures import Measures, measure
from pos_discount.simulation.play import Seller, play_world
from pos_discount.simulation.sellers import FixedSeller, LearningSeller, RandomSeller
from pos_discount.simulation.worlds import PLANS, World, draw_world, plan_named


@click.command()
@click.argument("world", type=click.Choice([plan.name for plan in PLANS]))
@click.option("--checkouts", type=click.IntRange(1_000), help="How many; 40,000 where left out.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed, the same shoppers.")
@json_option
def simulate(world: str, checkouts: int | None, seed: int, as_json: bool) -> None:
    """Play WORLD's shoppers and compare learning with simple habits, by true profit.

    \b
    Example:
      pos-discount simulate base --checkouts 5000
    """
    plan = plan_named(world)
    drawn = draw_world(replace(plan, checkouts=checkouts) if checkouts else plan, seed)
    sellers = tuple(_sellers(drawn, seed))
    measured = [measure(drawn, play_world(drawn, seller)) for seller in with_progress(sellers, world, len(sellers))]
    print_json([asdict(each) for each in measured]) if as_json else _print(world, measured)


def _sellers(world: World, seed: int) -> Iterator[Seller]:
    yield LearningSeller(world)
    yield FixedSeller((0,))
    yield FixedSeller((0, 2, 4))
    yield FixedSeller((0, 1, 2))
    yield FixedSeller((0, 5))
    yield RandomSeller(world, seed)


def _print(world: str, measured: list[Measures]) -> None:
    rows = [
        (
            each.seller,
            f"{each.profit / 100:.3f}",
            f"{each.share_of_oracle:.1%}",
            f"{each.headroom:.0%}",
            f"{each.spoken:.2f}",
            f"{each.calibration[0]:.3f}",
        )
        for each in measured
    ]
    first = measured[0]
    columns = ("seller", "profit per checkout", "of oracle", "headroom", "rungs spoken", "calibration error")
    title = f"{world}: oracle {first.oracle / 100:.3f}, best fixed ladder {first.best_fixed / 100:.3f}"
    print_table(title, columns, rows, columns[1:])
