"""What is played for the table of the worlds, one piece of work at a time, and kept as soon as it is done.

A piece is one seller in one world with one seed. What it found goes into a file of JSON lines together with a digest of
the code that it rests on, so that an interrupted table goes on where it stopped, and never with rows of other code.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np

from pos_discount.measure.uplift import Checkouts, measure_uplift
from pos_discount.policy import load_policy
from pos_discount.simulation import PLANS, Simulated, World, draw_world, plan_named, simulate
from pos_discount.simulation.cosmetics import ShopCourse, play_shop
from pos_discount.simulation.play import holdout_of
from pos_discount.simulation.simulate import profit_of
from pos_discount.simulation.worlds import DEPTHS, OFFER_COST

ROOT = Path(__file__).parents[2]
COSMETICS = "cosmetics"
WORLDS = (*(plan.name for plan in PLANS), COSMETICS)
RIVALS = ("LinTS", "VW squarecb", "Thompson per segment")
RIVALS_IN_ALL_SEEDS = ("outside",)
"""Worlds in which something is owed against the bandits; elsewhere they play the first seed alone."""

SHOP_CHECKOUTS, SHOP_CUSTOMERS = 15_000, 1_200
REPLAYS = 200


class Work(msgspec.Struct, frozen=True):
    """One piece of work: `seller` is "ours", "uplift" (the replays of nobody), or one of RIVALS."""

    world: str
    seed: int
    seller: str


class Done(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a piece found, with the digest of the code and the processor's seconds that it took."""

    work: Work
    code: str
    seconds: float
    simulated: Simulated | None = None
    shop: ShopCourse | None = None
    profit: float | None = None
    covered: float | None = None


def pieces(worlds: Sequence[str], seeds: int, *, with_rivals: bool) -> list[Work]:
    """List what there is to do: all worlds with the first seed, then all with the second, and so on."""
    listed = []
    for seed in range(seeds):
        listed += [Work(world, seed, "ours") for world in worlds]
        if seed == 0 and "nobody" in worlds:
            listed.append(Work("nobody", 0, "uplift"))
        told = [w for w in worlds if with_rivals and w != COSMETICS and (seed == 0 or w in RIVALS_IN_ALL_SEEDS)]
        listed += [Work(world, seed, seller) for world in told for seller in RIVALS]
    return listed


def do(work: Work, code: str) -> Done:
    """Do one piece of work; `code` is the digest of the code as it was when the table began."""
    started = time.process_time()
    done = Done(work, code, 0.0)
    if work.seller == "uplift":
        done = msgspec.structs.replace(done, covered=share_that_covers_zero(REPLAYS))
    elif work.seller in RIVALS:
        done = msgspec.structs.replace(done, profit=_profit_of_rival(work))
    elif work.world == COSMETICS:
        policy = load_policy(ROOT / "policies")
        course = play_shop(policy, work.seed, checkouts=SHOP_CHECKOUTS, night_every=1_000, customers=SHOP_CUSTOMERS)
        done = msgspec.structs.replace(done, shop=course)
    else:
        done = msgspec.structs.replace(done, simulated=simulate(work.world, work.seed))
    return msgspec.structs.replace(done, seconds=round(time.process_time() - started, 1))


def read_done(path: Path) -> list[Done]:
    """Read what this very code has found before; a line that was cut off in the writing is left out."""
    return [done for done in _lines(path) if done.code == code_digest()]


def keep(path: Path, done: Done) -> None:
    """Add one line."""
    with path.open("ab") as file:
        file.write(msgspec.json.encode(done) + b"\n")


def code_digest() -> str:
    """Digest the sources that a figure rests on."""
    digest = hashlib.sha256()
    for folder in ("pos_discount/sensitivity", "pos_discount/learning", "pos_discount/simulation", "benchmarks/worlds"):
        for source in sorted((ROOT / folder).glob("*.py")):
            if source.name != "table.py":
                digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def share_that_covers_zero(replays: int, checkouts: int = 40_000) -> float:
    """Replay *nobody* from fresh seeds, and say in which share the uplift's 95 % interval covers zero.

    Everybody there accepts the first rung, which every ladder begins with, so that no ladder earns more than another:
    a replay needs baskets, customers and arms, and no decisions. The first quarter is what customers brought before.
    """
    plan = replace(plan_named("nobody"), checkouts=checkouts)
    covered = 0
    for replay in range(replays):
        uplift = measure_uplift(customers_of(draw_world(plan, 1_000 + replay)))
        covered += uplift is not None and uplift.low <= 0.0 <= uplift.high
    return covered / replays


def customers_of(world: World) -> list[Checkouts]:
    """Add up a world in which every ladder ends at its first rung, as the report adds up a period."""
    if np.ptp(world.odds.depth) > 1e-12 or np.ptp(world.odds.spoken) > 1e-12:
        raise ValueError("in this world ladders differ; expected one where all end at the first rung")
    start = len(world.value) // 4
    profit = world.value * (world.margin - DEPTHS[0]) - OFFER_COST
    at_stake = world.value * world.margin
    is_held_out = holdout_of(world)
    owners = world.customer
    known = owners >= 0
    before = _sums(owners, known & (np.arange(len(owners)) < start), profit)
    rows: dict[int, list[float]] = {}
    for visit in range(start, len(owners)):
        key = int(owners[visit]) if known[visit] else -1 - visit
        row = rows.setdefault(key, [float(is_held_out[visit]), 0.0, 0.0, 0.0])
        row[1:] = row[1] + 1.0, row[2] + float(profit[visit]), row[3] + float(at_stake[visit])
    return [
        Checkouts(not held_out, int(count), earned, before.get(owner), stake)
        for owner, (held_out, count, earned, stake) in rows.items()
    ]


def _sums(owners: np.ndarray, chosen: np.ndarray, profit: np.ndarray) -> dict[int, float]:
    """Average profit per checkout by known customer."""
    counts = np.bincount(owners[chosen])
    sums = np.bincount(owners[chosen], profit[chosen])
    return {owner: float(sums[owner] / counts[owner]) for owner in np.flatnonzero(counts).tolist()}


def _profit_of_rival(work: Work) -> float:
    from benchmarks.worlds.bandits import LinThompsonSeller, SegmentThompsonSeller, VowpalSeller

    world = draw_world(plan_named(work.world), work.seed)
    sellers = {one.name: one for one in (LinThompsonSeller, VowpalSeller, SegmentThompsonSeller)}
    return profit_of(world, sellers[work.seller](world, 1))


def _lines(path: Path) -> Iterator[Done]:
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            yield msgspec.json.decode(line, type=Done)
        except msgspec.DecodeError:
            continue
