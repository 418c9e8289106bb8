"""What learning was worth: treated against the randomised hold-out, per checkout.

Mean gross profit per checkout, walk-outs counting zero and seconds as a cost, adjusted for what a customer brought
before (variance reduction); intervals by customer, because checkouts of one customer are not independent, and as wide
as few customers ask for; and a second interval that stays valid however often somebody looks.
Sources: Deng, Xu, Kohavi and Walker (2013) for the adjustment (CUPED); Waudby-Smith, Arbour, Sinha, Kennedy and Ramdas
(2021), "Time-uniform central limit theory and asymptotic confidence sequences", for the second interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import msgspec
import numpy as np
from scipy.special import stdtrit

from pos_discount.arrays import Bools, Floats

TUNED_TO = 1_000
"""The sequence is narrowest about when this many customers were seen in the smaller arm."""


class Checkouts(msgspec.Struct, frozen=True):
    """One customer's checkouts in the period: arm, how many, profit together, and mean profit per checkout before
    (None: nothing known before). `at_stake` is what the same baskets would have earned at base, which no arm has a say
    in. Money in minor units. An anonymous checkout is a customer by itself."""

    is_treated: bool
    count: int
    profit: float
    before: float | None = None
    at_stake: float = 0.0


class Uplift(msgspec.Struct, frozen=True):
    """Treated less control per checkout, with a 95 % interval, and one that holds at every look (`always_`).

    `spread` is the standard error of `mean`; `treated`, `control` are the arms' adjusted means; `narrowed` the share by
    which the adjustment cut the variance.
    """

    mean: float
    spread: float
    low: float
    high: float
    always_low: float
    always_high: float
    treated: float
    control: float
    treated_checkouts: int
    control_checkouts: int
    narrowed: float


def measure_uplift(customers: Sequence[Checkouts]) -> Uplift | None:
    """Measure the uplift; None where an arm has fewer than two customers."""
    treated = np.array([customer.is_treated for customer in customers], dtype=bool)
    if treated.sum() < 2 or (~treated).sum() < 2:
        return None
    count = np.array([customer.count for customer in customers], dtype=float)
    profit = np.array([customer.profit for customer in customers], dtype=float)
    covariates = _covariates(customers)
    adjusted = profit - _explained(profit, count, covariates)
    means = [profit_of(adjusted, count, arm) for arm in (treated, ~treated)]
    spreads = [_variance(adjusted, count, arm) for arm in (treated, ~treated)]
    plain = sum(_variance(profit, count, arm) for arm in (treated, ~treated))
    mean, spread = means[0] - means[1], math.sqrt(sum(spreads))
    fewer = int(min(treated.sum(), (~treated).sum()))
    around, always = spread * students_quantile(fewer - 1), _sequence_width(spread, fewer)
    return Uplift(
        mean=mean,
        spread=spread,
        low=mean - around,
        high=mean + around,
        always_low=mean - always,
        always_high=mean + always,
        treated=means[0],
        control=means[1],
        treated_checkouts=int(count[treated].sum()),
        control_checkouts=int(count[~treated].sum()),
        narrowed=1.0 - sum(spreads) / plain if plain > 0.0 else 0.0,
    )


def profit_of(profit: Floats, count: Floats, arm: Bools) -> float:
    """Give an arm's mean per checkout."""
    return float(profit[arm].sum() / count[arm].sum())


def _covariates(customers: Sequence[Checkouts]) -> Floats:
    """Give, per checkout, what no arm has a say in [N, 3]: mean profit before (0: unknown), whether known, at stake."""
    known = np.array([customer.before is not None for customer in customers], dtype=float)
    before = np.array([customer.before or 0.0 for customer in customers], dtype=float)
    at_stake = np.array([customer.at_stake / customer.count for customer in customers], dtype=float)
    return np.stack([before, known, at_stake], axis=1)


def _explained(profit: Floats, count: Floats, covariates: Floats) -> Floats:
    """Regress profit on what was known before, over both arms; what it explains sums to zero over all checkouts."""
    centred = covariates - (count @ covariates) / count.sum()
    weighed = centred * count[:, None]
    slope = np.linalg.lstsq(centred.T @ weighed, weighed.T @ (profit / count), rcond=None)[0]
    explained: Floats = weighed @ slope
    return explained


def _variance(profit: Floats, count: Floats, arm: Bools) -> float:
    """Give the variance of an arm's mean per checkout, with customers as clusters (linearised ratio)."""
    mean = profit_of(profit, count, arm)
    rest = profit[arm] - mean * count[arm]
    clusters = len(rest)
    return float(rest @ rest) / float(count[arm].sum()) ** 2 * clusters / (clusters - 1)


def students_quantile(freedom: float) -> float:
    """Give how many standard errors a 95 % interval reaches to either side, by its degrees of freedom.

    Of two arms those of the smaller are taken: the difference has more, but few of them are sure where it is tiny.
    """
    return float(stdtrit(freedom, 0.975))


def _sequence_width(spread: float, clusters: int, alpha: float = 0.05) -> float:
    """Give the half-width of the asymptotic confidence sequence after `clusters` of the smaller arm."""
    tuned = (-2.0 * math.log(alpha) + math.log(-2.0 * math.log(alpha) + 1.0)) / TUNED_TO
    inner = clusters * tuned + 1.0
    return spread * math.sqrt(2.0 * inner / (clusters * tuned) * math.log(math.sqrt(inner) / alpha))
