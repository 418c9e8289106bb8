"""The table of the worlds: how learning fares in each, against what is promised of it.

    python -m benchmarks.worlds.table --seeds 5 --processes 2

Plays every world with several seeds in parallel processes and shows the means, beside the best fixed ladder and, where
asked for, the usual bandits (slow: they take minutes per world). Exits with 1 where a must does not hold.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Sequence
from statistics import fmean

import click

from benchmarks.result import Cell, Claim, Result, show
from pos_discount.simulation import PLANS, Simulated, draw_world, plan_named, simulate
from pos_discount.simulation.simulate import profit_of

BOUNDS: dict[str, tuple[float, float, float, float]] = {
    "base": (0.97, 0.45, 0.985, 0.70),
    "hunters": (0.955, 0.60, 0.975, 0.75),
}
"""Share of the oracle's profit and headroom that must be reached, and that are aimed for."""

CALIBRATED = ("base", "hunters", "sparse", "nobody")


@click.command()
@click.option("--world", "names", multiple=True, help="A world; repeat for several. Default: all.")
@click.option("--seeds", default=5, show_default=True)
@click.option("--processes", default=2, show_default=True)
@click.option("--bandits", is_flag=True, help="Let LinTS, Vowpal Wabbit and Thompson per segment sell as well.")
@click.option("--json", "as_json", is_flag=True)
def main(names: tuple[str, ...], seeds: int, processes: int, bandits: bool, as_json: bool) -> None:
    """Play the worlds, and hold what learning earns against what is promised."""
    chosen = names or tuple(plan.name for plan in PLANS)
    jobs = [(name, seed) for seed in range(seeds) for name in chosen]
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        played = pool.starmap(simulate, jobs, chunksize=1)
        rivals = pool.starmap(bandit_profits, [(name, 0) for name in chosen], chunksize=1) if bandits else []
    by_world = {name: [one for one in played if one.world == name] for name in chosen}
    profits_by_world = dict(zip(chosen, rivals, strict=True)) if bandits else {}
    rows = [_row(name, by_world[name], profits_by_world.get(name, ())) for name in chosen]
    claims = [claim for name in chosen for claim in _claims(name, by_world[name], profits_by_world.get(name, ()))]
    show(Result(f"worlds, mean of {seeds} seeds, minor units per checkout", rows, claims), as_json=as_json)


def bandit_profits(name: str, seed: int) -> tuple[tuple[str, float], ...]:
    """Let the usual bandits sell in a world, each from the first checkout on."""
    from benchmarks.worlds.bandits import LinThompsonSeller, SegmentThompsonSeller, VowpalSeller

    world = draw_world(plan_named(name), seed)
    sellers = (SegmentThompsonSeller(world, 1), VowpalSeller(world, 1), LinThompsonSeller(world, 1))
    return tuple((seller.name, profit_of(world, seller)) for seller in sellers)


def _row(name: str, played: Sequence[Simulated], bandits: Sequence[tuple[str, float]]) -> dict[str, Cell]:
    ours = [one.ours for one in played]
    agreements = [one.rand_index for one in played if one.rand_index is not None]
    return {
        "world": name,
        "oracle": round(fmean(m.oracle for m in ours), 1),
        "ours": round(fmean(m.profit for m in ours), 1),
        "share": round(fmean(m.share_of_oracle for m in ours), 4),
        "headroom": round(fmean(m.headroom for m in ours), 3),
        "rung 1 alone": round(fmean(m.first_alone for m in ours), 1),
        "best fixed": round(fmean(m.best_fixed for m in ours), 1),
        "its ladder": played[0].rivals[0][0],
        "late / rung 1": round(fmean(m.late_over_first for m in ours), 4),
        "calibration": round(max(fmean(m.calibration[i] for m in ours) for i in (0, 1)), 4),
        "Rand index": round(fmean(agreements), 2) if agreements else None,
        "rungs spoken": round(fmean(m.spoken for m in ours), 2),
        "regret by quarter": " ".join(f"{fmean(m.regret[i] for m in ours):.0f}" for i in range(4)),
        "bandits": ", ".join(f"{seller} {profit:.0f}" for seller, profit in bandits),
    }


def _claims(name: str, played: Sequence[Simulated], bandits: Sequence[tuple[str, float]]) -> list[Claim]:
    ours = [one.ours for one in played]
    claims = [
        Claim(
            f"{name}: from checkout 10,000 on against rung 1 alone", fmean(m.late_over_first for m in ours), None, 0.995
        )
    ]
    if name in BOUNDS:
        share, headroom = fmean(m.share_of_oracle for m in ours), fmean(m.headroom for m in ours)
        must_share, must_headroom, aim_share, aim_headroom = BOUNDS[name]
        claims.append(Claim(f"{name}: share of the oracle", share, None, must_share))
        claims.append(Claim(f"{name}: headroom", headroom, None, must_headroom))
        claims.append(Claim(f"{name}: share of the oracle", share, None, aim_share, is_aim=True))
        claims.append(Claim(f"{name}: headroom", headroom, None, aim_headroom, is_aim=True))
    if name in CALIBRATED:
        for index, what in enumerate(("rung 1's acceptance", "a sale")):
            error = fmean(m.calibration[index] for m in ours)
            claims.append(Claim(f"{name}: calibration of {what}", error, 0.02))
    if name == "base":
        claims.append(Claim("base: Rand index", fmean(one.rand_index or 0.0 for one in played), None, 0.75))
    if name == "nobody":
        claims.append(Claim("nobody: rungs spoken", fmean(m.spoken for m in ours), 1.02))
    if name == "outside":
        best = max([fmean(m.best_fixed for m in ours), *(profit for _, profit in bandits)])
        claims.append(Claim("outside: profit over the best rival's", fmean(m.profit for m in ours) / best, None, 1.0))
    return claims


if __name__ == "__main__":
    main()
