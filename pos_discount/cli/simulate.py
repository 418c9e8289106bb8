"""`pos-discount simulate`: shoppers played against the decision and what learns from them, and what that was worth."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from statistics import fmean

import click

from pos_discount.cli.output import json_option, print_json, print_table, stages
from pos_discount.simulation import PLANS, Simulated, plan_named
from pos_discount.simulation import simulate as simulate_world

COLUMNS = (
    *(
        "world",
        "seeds",
        "profit",
        "oracle",
        "of oracle",
        "best fixed",
        "headroom",
        "rungs said",
        "calibration",
        "Rand index",
    ),
)
WORLDS = [plan.name for plan in PLANS]


@click.command()
@click.argument("worlds", metavar="WORLD...", nargs=-1, required=True, type=click.Choice(WORLDS))
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="How many draws of each world.")
@click.option("--first-seed", type=click.IntRange(min=0), default=1, show_default=True, help="The first of the seeds.")
@click.option("--checkouts", type=click.IntRange(min=100), help="How many checkouts; left out: as the world says.")
@json_option
def simulate(worlds: tuple[str, ...], seeds: int, first_seed: int, checkouts: int | None, as_json: bool) -> None:
    """Play shoppers of a WORLD against what learns from them, and compare with the ways that it must beat.

    \b
    Example:
      pos-discount simulate base hunters --seeds 5 --json
    """
    played = list(_play(worlds, range(first_seed, first_seed + seeds), checkouts))
    if as_json:
        print_json([dataclasses.asdict(simulated) for simulated in played])
        return
    rows = [_row(world, [one for one in played if one.world == world]) for world in dict.fromkeys(worlds)]
    print_table("Expected profit per checkout, hold-out left out (means over seeds)", COLUMNS, rows, COLUMNS[1:])


def _play(worlds: tuple[str, ...], seeds: range, checkouts: int | None) -> Iterator[Simulated]:
    for world in dict.fromkeys(worlds):
        plan = plan_named(world)
        nights = (checkouts or plan.checkouts) // plan.night_every
        for seed in seeds:
            with stages(f"{world}, seed {seed}", max(1, nights)) as notice:
                yield simulate_world(world, seed, checkouts=checkouts, on_night=lambda night: notice(f"night {night}"))


def _row(world: str, played: list[Simulated]) -> tuple[object, ...]:
    ours = [simulated.ours for simulated in played]
    found = [simulated.rand_index for simulated in played if simulated.rand_index is not None]
    return (
        world,
        len(played),
        _money(fmean(measures.profit for measures in ours)),
        _money(fmean(measures.oracle for measures in ours)),
        f"{fmean(measures.share_of_oracle for measures in ours):.1%}",
        _money(fmean(measures.best_fixed for measures in ours)),
        f"{fmean(measures.headroom for measures in ours):.0%}",
        f"{fmean(measures.spoken for measures in ours):.2f}",
        f"{fmean(max(measures.calibration) for measures in ours):.3f}",
        f"{fmean(found):.2f}" if found else "",
    )


def _money(minor: float) -> str:
    return f"{minor / 100:.2f}"
