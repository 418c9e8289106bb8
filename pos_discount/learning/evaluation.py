"""Off-policy evaluation: what another way of choosing ladders would have earned on the same checkouts.

Three estimates, each with an interval clustered by customer: inverse propensity (IPS), self-normalised, doubly robust.
The last is what the gate looks at. It goes step by step: what is foreseen of a ladder is what is foreseen once rung 1
was refused, where it was, so that only what comes after needs weights. Ladders that were hardly possible at a checkout
(less likely than LEAST_LIKELY) say nothing there: a checkout at which one was drawn is no evidence, since a few such
weights would outweigh all the rest, and probability that a policy gives to one counts at its worst. All is arrays over
checkouts, so that many policies are compared on the same rows and differences are paired.
Sources: Horvitz and Thompson (1952); Swaminathan and Joachims (2015); Dudik, Langford and Li (2011); by steps: Jiang
and Li (2016); leaving out the largest weights: Wang, Agarwal and Dudik (2017).
"""

import math
from dataclasses import dataclass

import numpy as np

from pos_discount.arrays import Bools, Floats, Ints
from pos_discount.learning.intervals import TWO_SIDED_95

LEAST_LIKELY = 0.02
"""A ladder that the recorded policy draws less often than this is not evidence: a checkout weighs 50 times at most."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean per checkout with its 95 % interval; `rows` checkouts of `clusters` customers."""

    mean: float
    low: float
    high: float
    rows: int
    clusters: int

    @property
    def standard_error(self) -> float:
        """Give the standard error that the interval was made with."""
        return (self.high - self.low) / (2.0 * TWO_SIDED_95)


@dataclass(frozen=True, slots=True, eq=False)
class Weighed:
    """A policy on N checkouts, all [N]: `there` is its mass on what was executed, `logged` the recorded policy's.

    `direct` is the foreseen reward over all its ladders, `foreseen_there` the part of that sum over the ladders that
    agree with what was executed; `missing` its mass on ladders that were hardly possible, which `direct` has at the
    worst. Where rung 1 was refused, what is foreseen is given that.
    """

    there: Floats
    logged: Floats
    direct: Floats
    foreseen_there: Floats
    missing: Floats

    def weights(self) -> Floats:
        """Give the importance weights."""
        weights: Floats = self.there / self.logged
        return weights

    def doubly_robust(self, reward: Floats) -> Floats:
        """Give each checkout's doubly robust value; their mean is the estimate."""
        values: Floats = self.direct + (self.there * reward - self.foreseen_there) / self.logged
        return values

    def part(self, chosen: Bools) -> "Weighed":
        """Keep the chosen checkouts."""
        columns = (self.there, self.logged, self.direct, self.foreseen_there, self.missing)
        return Weighed(*(column[chosen] for column in columns))


def mean_with_interval(values: Floats, cluster: Ints) -> Estimate:
    """Average with an interval that lets checkouts of one cluster (a customer) depend on one another."""
    rows = len(values)
    if rows == 0:
        return Estimate(math.nan, -math.inf, math.inf, 0, 0)
    mean = float(values.mean())
    sums = _sums_by_cluster(values - mean, cluster)
    clusters = len(sums)
    spread = math.sqrt(float(sums @ sums) * clusters / (clusters - 1)) / rows if clusters > 1 else math.inf
    return Estimate(mean, mean - TWO_SIDED_95 * spread, mean + TWO_SIDED_95 * spread, rows, clusters)


def inverse_propensity(policy: Weighed, reward: Floats, worst: Floats, cluster: Ints) -> Estimate:
    """Estimate by inverse propensity; what the weights leave out counts at the worst."""
    return mean_with_interval(worst + policy.weights() * (reward - worst), cluster)


def self_normalised(policy: Weighed, reward: Floats, cluster: Ints) -> Estimate:
    """Estimate by weighted average; its interval by linearisation. Impossible ladders are left out of it."""
    weights = policy.weights()
    total = float(weights.mean()) if len(weights) else 0.0
    if total <= 0.0:
        return Estimate(math.nan, -math.inf, math.inf, len(weights), 0)
    mean = float((weights * reward).mean()) / total
    around = mean_with_interval(mean + weights * (reward - mean) / total, cluster)
    return Estimate(
        mean, mean - (around.mean - around.low), mean + (around.high - around.mean), len(weights), around.clusters
    )


def doubly_robust(policy: Weighed, reward: Floats, cluster: Ints) -> Estimate:
    """Estimate by the foreseen reward, corrected by what was seen."""
    return mean_with_interval(policy.doubly_robust(reward), cluster)


def gain_over(policy: Weighed, other: Weighed, reward: Floats, cluster: Ints, *, allowed_loss: float = 0.0) -> Estimate:
    """Estimate how much a policy earns beyond another's earnings less `allowed_loss` of them (0.01: 1 %), paired."""
    others = other.doubly_robust(reward)
    allowance = allowed_loss if len(others) and float(others.mean()) > 0.0 else -allowed_loss
    return mean_with_interval(policy.doubly_robust(reward) - (1.0 - allowance) * others, cluster)


def effective_samples(policy: Weighed) -> float:
    """Say how many evenly weighed checkouts the weights are worth (Kish 1965)."""
    weights = policy.weights()
    squares = float(weights @ weights)
    return float(weights.sum()) ** 2 / squares if squares > 0.0 else 0.0


def calibration_error(foreseen: Floats, happened: Floats, bins: int = 10) -> float:
    """Average the gap between what was foreseen and what happened over equally filled bins, less what chance adds.

    A bin of n checkouts has a gap of about 0.8 sqrt(p (1 - p) / n) by chance alone, which small data would be blamed
    for.
    """
    if not len(foreseen):
        return math.nan
    total = 0.0
    for group in np.array_split(np.argsort(foreseen, kind="stable"), bins):
        if len(group):
            share = float(foreseen[group].mean())
            by_chance = math.sqrt(2.0 / math.pi * max(share * (1.0 - share), 0.0) / len(group))
            total += len(group) * max(abs(share - float(happened[group].mean())) - by_chance, 0.0)
    return total / len(foreseen)


def _sums_by_cluster(values: Floats, cluster: Ints) -> Floats:
    sums: Floats = np.bincount(cluster, weights=values)[np.bincount(cluster) > 0].astype(np.float64)
    return sums
