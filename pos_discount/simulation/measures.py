"""What a course of a world was worth: score, headroom, regret, calibration, agreement of segments with types."""

from dataclasses import dataclass

import numpy as np

from pos_discount.arrays import Bools, Floats
from pos_discount.simulation.play import Course
from pos_discount.simulation.worlds import World


@dataclass(frozen=True, slots=True)
class Measures:
    """Of treated checkouts, per checkout in minor units where it is money.

    `headroom` is (ours - best fixed) / (oracle - best fixed); `late` the profit from checkout 10,000 on against rung 1
    alone there; `regret` by quarter of the course; `calibration` the errors of rung 1's acceptance and of a sale.
    """

    seller: str
    profit: float
    oracle: float
    best_fixed: float
    best_fixed_ladder: tuple[int, ...]
    first_alone: float
    share_of_oracle: float
    headroom: float
    late_over_first: float
    regret: tuple[float, ...]
    calibration: tuple[float, float]
    spoken: float


def measure(world: World, course: Course) -> Measures:
    """Measure a course, hold-out left out."""
    treated = ~course.is_holdout
    fixed = fixed_profits(world, course)[treated]
    profit, oracle = float(course.profit[treated].mean()), float(course.oracle[treated].mean())
    best = int(fixed.mean(axis=0).argmax())
    best_fixed = float(fixed[:, best].mean())
    is_late = (np.arange(len(treated)) >= 10_000)[treated]
    quarters = np.array_split(np.flatnonzero(treated), 4)
    return Measures(
        seller=course.seller,
        profit=profit,
        oracle=oracle,
        best_fixed=best_fixed,
        best_fixed_ladder=world.odds.ladders[best],
        first_alone=float(fixed[:, 0].mean()),
        share_of_oracle=profit / oracle,
        headroom=(profit - best_fixed) / (oracle - best_fixed) if oracle > best_fixed + 1e-9 else 1.0,
        late_over_first=float(course.profit[treated][is_late].sum() / max(fixed[is_late, 0].sum(), 1e-9)),
        regret=tuple(float((course.oracle[quarter] - course.profit[quarter]).mean()) for quarter in quarters),
        calibration=(calibration_error(course, 0, treated), calibration_error(course, 1, treated)),
        spoken=float(course.spoken[treated].mean()),
    )


def fixed_profits(world: World, course: Course) -> Floats:
    """Give what each fixed ladder would truly earn on each checkout [N, ladders], with the kinds as they came."""
    odds, kind = world.odds, course.kind
    earned = world.value[:, None] * (world.margin[:, None] * odds.sale[kind] - odds.depth[kind])
    profits: Floats = earned - 15.0 * odds.spoken[kind]
    return profits


def calibration_error(course: Course, column: int, chosen: Bools, bins: int = 10) -> float:
    """Average, over ten equally filled bins of what was foreseen, the gap to what was true (Naeini et al. 2015)."""
    here = chosen & np.isfinite(course.foreseen[:, column])
    foreseen, true = course.foreseen[here, column], course.true[here, column]
    if not len(foreseen):
        return float("nan")
    groups = np.array_split(np.argsort(foreseen, kind="stable"), bins)
    return float(sum(len(g) * abs(foreseen[g].mean() - true[g].mean()) for g in groups if len(g)) / len(foreseen))
