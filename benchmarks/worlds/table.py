"""The table of the worlds: how learning fares in each, against what is promised of it.

    python -m benchmarks.worlds.table --seeds 5 --processes 2 --bandits --rows worlds.jsonl

Plays every world with several seeds in parallel processes and shows the means, beside the best fixed ladder and, where
asked for, the usual bandits. Every row is kept as soon as it is played: the same command goes on where it was
interrupted, and `--minutes` shows what there is by then. Exits with 1 where a must does not hold.
"""

from __future__ import annotations

import multiprocessing
import os
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import fmean
from typing import NamedTuple

import click

from benchmarks.result import Cell, Claim, Result, show
from benchmarks.worlds.plays import COSMETICS, RIVALS, WORLDS, Done, Work, code_digest, do, keep, pieces, read_done
from pos_discount.simulation import Measures

BOUNDS: dict[str, tuple[float, float, float, float]] = {
    "base": (0.97, 0.45, 0.985, 0.70),
    "hunters": (0.955, 0.60, 0.975, 0.75),
}
"""Share of the oracle's profit and headroom that must be reached, and that are aimed for."""

CALIBRATED = ("base", "hunters", "sparse", "nobody")


@click.command()
@click.option("--world", "names", multiple=True, type=click.Choice(WORLDS), help="Repeat for several. Default: all.")
@click.option("--seeds", default=5, show_default=True)
@click.option("--processes", default=2, show_default=True)
@click.option("--bandits", is_flag=True, help="Let LinTS, Vowpal Wabbit and Thompson per segment sell as well.")
@click.option("--rows", "kept", type=click.Path(path_type=Path), help="Keep rows here, and go on from those kept.")
@click.option("--minutes", type=float, help="Begin nothing after so long, and show what there is.")
@click.option("--json", "as_json", is_flag=True)
def main(
    names: tuple[str, ...],
    seeds: int,
    processes: int,
    bandits: bool,
    kept: Path | None,
    minutes: float | None,
    as_json: bool,
) -> None:
    """Play the worlds, and hold what learning earns against what is promised."""
    chosen = names or WORLDS
    listed = pieces(chosen, seeds, with_rivals=bandits)
    before = [done for done in read_done(kept) if done.work in listed] if kept else []
    left = [work for work in listed if work not in {done.work for done in before}]
    told = before + _played(left, processes, kept, None if minutes is None else time.monotonic() + 60.0 * minutes)
    rows, claims = [], []
    for name in chosen:
        world = _World(name, [done for done in told if done.work.world == name])
        rows += [_shop_row(world) if name == COSMETICS else _row(world)] if world.ours or world.shops else []
        claims += _claims(world) if world.ours or world.shops else []
    took = sum(done.seconds for done in told) / 60
    notes = [f"{len(told)} of {len(listed)} pieces of work, {took:.0f} minutes of processor"]
    show(Result("worlds, mean over seeds, minor units per checkout", rows, claims, notes), as_json=as_json)


class _World(NamedTuple):
    """All that was found of one world."""

    name: str
    done: Sequence[Done]

    @property
    def ours(self) -> list[Measures]:
        """What the learner's courses measured, by seed."""
        return [done.simulated.ours for done in self.done if done.simulated]

    @property
    def shops(self) -> list[Done]:
        """The courses of a shop with a policy of its own."""
        return [done for done in self.done if done.shop]

    def mean(self, of: Callable[[Measures], float]) -> float:
        """Average a measure over the seeds."""
        return fmean(of(measures) for measures in self.ours)

    def rival(self, seller: str) -> float | None:
        """Average a bandit's profit over the seeds that it played."""
        profits = [done.profit for done in self.done if done.work.seller == seller and done.profit is not None]
        return fmean(profits) if profits else None


def _played(left: Sequence[Work], processes: int, kept: Path | None, until: float | None) -> list[Done]:
    """Play what is left, telling and keeping each piece as it is done; begin none after `until` (monotonic)."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ.setdefault(name, "1")  # two processes of many threads each would only wait for each other
    ended: list[Done] = []
    code = code_digest()
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        for done in pool.imap_unordered(_in_time, [(work, code, until) for work in left], chunksize=1):
            if done is None:
                continue
            ended.append(done)
            if kept:
                keep(kept, done)
            click.echo(f"{len(ended)} of {len(left)}: {_told(done)}", err=True)
    return ended


def _in_time(job: tuple[Work, str, float | None]) -> Done | None:
    work, code, until = job
    return None if until is not None and time.monotonic() > until else do(work, code)


def _told(done: Done) -> str:
    who = f"{done.work.world}, seed {done.work.seed}, {done.work.seller}, {done.seconds:.0f} s"
    if done.simulated:
        ours = done.simulated.ours
        return f"{who}: share {ours.share_of_oracle:.4f}, headroom {ours.headroom:.3f}"
    if done.shop:
        return f"{who}: share {done.shop.ours[0] / done.shop.oracle[0]:.4f}"
    return f"{who}: {done.covered if done.profit is None else done.profit:.2f}"


def _row(world: _World) -> dict[str, Cell]:
    mean = world.mean
    first = next(done.simulated for done in world.done if done.simulated)
    agreements = [d.simulated.rand_index for d in world.done if d.simulated and d.simulated.rand_index is not None]
    bandits = [(seller, world.rival(seller)) for seller in RIVALS]
    return {
        "world": world.name,
        "seeds": len(world.ours),
        "oracle": mean(lambda m: m.oracle),
        "ours": mean(lambda m: m.profit),
        "share": f"{mean(lambda m: m.share_of_oracle):.2%}",
        "headroom": f"{mean(lambda m: m.headroom):.1%}",
        "rung 1 alone": mean(lambda m: m.first_alone),
        "best fixed": mean(lambda m: m.best_fixed),
        "its ladder": first.rivals[0][0],
        "late / rung 1": f"{mean(lambda m: m.late_over_first):.4f}",
        "calibration": f"{max(mean(lambda m: m.calibration[0]), mean(lambda m: m.calibration[1])):.4f}",
        "Rand index": f"{fmean(agreements):.2f}" if agreements else None,
        "rungs spoken": mean(lambda m: m.spoken),
        "regret by quarter": " ".join(f"{fmean(m.regret[i] for m in world.ours):.0f}" for i in range(4)),
        "bandits": ", ".join(f"{seller} {profit:.0f}" for seller, profit in bandits if profit is not None),
    }


def _shop_row(world: _World) -> dict[str, Cell]:
    """Show a shop with its own policy; its fixed ladders are rung 1 alone and the first rungs in order."""
    courses = [done.shop for done in world.shops if done.shop]
    ours, oracle, first, old = (
        fmean(getattr(course, name)[0] for course in courses)
        for name in ("ours", "oracle", "first_alone", "first_rungs")
    )
    fixed = max(first, old)
    return {
        "world": world.name,
        "seeds": len(courses),
        "oracle": oracle,
        "ours": ours,
        "share": f"{ours / oracle:.2%}",
        "headroom": f"{(ours - fixed) / (oracle - fixed):.1%}",
        "rung 1 alone": first,
        "best fixed": fixed,
        "its ladder": "rung 1" if first >= old else "first rungs",
        "late / rung 1": f"{_late_of_shops(world):.4f}",
        "calibration": None,
        "Rand index": None,
        "rungs spoken": fmean(course.spoken for course in courses),
        "regret by quarter": "",
        "bandits": "",
    }


def _late_of_shops(world: _World) -> float:
    return fmean(done.shop.ours[1] / done.shop.first_alone[1] for done in world.shops if done.shop)


def _claims(world: _World) -> list[Claim]:
    late = _late_of_shops(world) if world.name == COSMETICS else world.mean(lambda m: m.late_over_first)
    claims = [Claim(f"{world.name}: from checkout 10,000 on against rung 1 alone", late, None, 0.995)]
    if world.name in BOUNDS:
        claims += _claims_on_profit(world)
    if world.name in CALIBRATED:
        for index, what in enumerate(("rung 1's acceptance", "a sale")):
            error = fmean(m.calibration[index] for m in world.ours)
            claims.append(Claim(f"{world.name}: calibration of {what}", error, 0.02))
    if world.name == "base":
        found = fmean(done.simulated.rand_index or 0.0 for done in world.done if done.simulated)
        claims.append(Claim("base: Rand index", found, None, 0.75))
    if world.name == "nobody":
        claims += _claims_on_nobody(world)
    if world.name == "outside":
        profits = [profit for profit in map(world.rival, RIVALS) if profit is not None]
        best = max([world.mean(lambda m: m.best_fixed), *profits])
        text = f"outside: profit over that of the best of fixed ladders{' and bandits' if profits else ''}"
        claims.append(Claim(text, world.mean(lambda m: m.profit) / best, None, 1.0))
    return claims


def _claims_on_profit(world: _World) -> list[Claim]:
    share, headroom = world.mean(lambda m: m.share_of_oracle), world.mean(lambda m: m.headroom)
    must_share, must_headroom, aim_share, aim_headroom = BOUNDS[world.name]
    return [
        Claim(f"{world.name}: share of the oracle", share, None, must_share),
        Claim(f"{world.name}: headroom", headroom, None, must_headroom),
        Claim(f"{world.name}: share of the oracle", share, None, aim_share, is_aim=True),
        Claim(f"{world.name}: headroom", headroom, None, aim_headroom, is_aim=True),
    ]


def _claims_on_nobody(world: _World) -> list[Claim]:
    claims = [Claim("nobody: rungs spoken", world.mean(lambda m: m.spoken), 1.02)]
    for covered in [done.covered for done in world.done if done.covered is not None]:
        text = "nobody: share of replays in which the uplift's interval covers zero"
        claims += [Claim(text, covered, None, 0.90), Claim(text, covered, 0.99)]
    return claims


if __name__ == "__main__":
    main()
