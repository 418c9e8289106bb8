"""The gate: whether a candidate may decide tomorrow.

It passes where, at 95 %, it is not worse by more than the allowed loss than the champion, than the best champion of
the last 30 days and than saying rung 1 alone; and where nothing else speaks against it. Every check says in words what
it found, so that whoever reads the report knows why. Nothing here looks at the model's own promise.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np
from scipy.stats import chi2

from pos_discount.arrays import Floats, Ints
from pos_discount.learning.evaluation import Estimate, Weighed, effective_samples, gain_over, mean_with_interval
from pos_discount.sensitivity import SensitivityModel

ONE_SIDED_95 = 1.644854
"""The gate asks a one-sided question: may the candidate be worse than allowed?"""


class GateLimits(msgspec.Struct, frozen=True):
    """What the gate allows; shares are 0 to 1, satisfaction is in its own points, likelihood in nats per visit.

    A till floods where it has more than `till_share` of the outcomes and `till_times` as many as its usual neighbour.
    """

    max_loss: float = 0.01
    least_samples: float = 500.0
    calibration: float = 0.03
    likelihood: float = 0.002
    walk_rate: float = 0.02
    spoken: float = 0.5
    satisfaction: float = 0.25
    till_share: float = 0.20
    till_times: float = 5.0
    imbalance: float = 1e-4
    one_reaction: float = 0.995


class Check(msgspec.Struct, frozen=True):
    """One thing that the gate looked at, and what it found in words."""

    name: str
    passed: bool
    found: str


class Verdict(msgspec.Struct, frozen=True):
    """Whether the candidate may decide, and why."""

    passed: bool
    checks: tuple[Check, ...]

    @property
    def reasons(self) -> tuple[str, ...]:
        """Say what spoke against it."""
        return tuple(f"{check.name}: {check.found}" for check in self.checks if not check.passed)


class Column(NamedTuple):
    """A quantity per checkout [N] that a policy must not make worse, with NaN where it was not seen."""

    walked: Floats
    spoken: Floats
    satisfaction: Floats


def verdict_of(checks: Sequence[Check]) -> Verdict:
    """Pass where every check did; no check at all is no pass."""
    return Verdict(bool(checks) and all(check.passed for check in checks), tuple(checks))


def check_profit(
    name: str, candidate: Weighed, other: Weighed, reward: Floats, cluster: Ints, limits: GateLimits
) -> Check:
    """Check that the candidate is not worse than another policy by more than the allowed loss, at 95 %."""
    gain = gain_over(candidate, other, reward, cluster, allowed_loss=limits.max_loss)
    plain = gain_over(candidate, other, reward, cluster)
    least = gain.mean - ONE_SIDED_95 * gain.standard_error
    passed = math.isfinite(least) and least >= 0.0
    return Check(
        name,
        passed,
        f"{_money(plain)} per checkout; {'not worse' if passed else 'not shown to be no worse'} by more than"
        f" {limits.max_loss:.1%} at 95 %",
    )


def check_samples(candidate: Weighed, limits: GateLimits) -> Check:
    """Check that the weights leave enough to judge by."""
    samples = effective_samples(candidate)
    return Check(
        "effective samples", samples >= limits.least_samples, f"{samples:,.0f}, needed {limits.least_samples:,.0f}"
    )


def check_calibration(error: float, limits: GateLimits) -> Check:
    """Check that foreseen acceptance happens as often as foreseen."""
    if not math.isfinite(error):
        wanted = "it needs outcomes with 'offers', which tell the reaction to rung 1"
        return Check("calibration", False, f"nothing could be compared: {wanted}")
    return Check("calibration", error <= limits.calibration, f"error {error:.3f}, allowed {limits.calibration:.3f}")


def check_likelihood(gain: Estimate, limits: GateLimits) -> Check:
    """Check that held-out outcomes are no less likely under the candidate than under the champion."""
    if not gain.rows:
        return Check("held-out likelihood", False, "nobody came since the champion was fitted who could be asked")
    passed = math.isfinite(gain.mean) and gain.high >= -limits.likelihood
    return Check(
        "held-out likelihood",
        passed,
        f"{gain.mean:+.4f} nats per visit against the champion ({gain.low:+.4f} to {gain.high:+.4f})",
    )


def check_segments(gain: Estimate) -> Check:
    """Check that several segments foresee held-out outcomes better than one, at 95 %: else they are made of noise."""
    if not gain.rows:
        return Check("segments", False, "not shown to be more than one: nobody could be held out and asked")
    passed = math.isfinite(gain.low) and gain.low > 0.0
    told = f"{gain.mean:+.4f} nats per visit against one segment ({gain.low:+.4f} to {gain.high:+.4f})"
    return Check("segments", passed, told if passed else f"not shown to be more than one: {told}")


def check_conduct(
    candidate: Weighed, champion: Weighed, column: Column, cluster: Ints, limits: GateLimits
) -> tuple[Check, ...]:
    """Check that the candidate talks, loses people and displeases hardly more than the champion."""
    rows = (
        ("walk rate", column.walked, limits.walk_rate, 1.0),
        ("rungs spoken", column.spoken, limits.spoken, 1.0),
        ("satisfaction", column.satisfaction, limits.satisfaction, -1.0),
    )
    return tuple(_conduct(name, candidate, champion, seen, cluster, bound, sign) for name, seen, bound, sign in rows)


def check_tills(till: Ints, limits: GateLimits) -> Check:
    """Check that no single till speaks for all; a house with one till has no other to compare it with."""
    counts = np.sort(np.bincount(till)[np.unique(till)])[::-1] if len(till) else np.zeros(0, dtype=np.intp)
    if len(counts) < 2:
        return Check("tills", True, f"{len(counts)} till")
    share, usual = counts[0] / counts.sum(), float(np.median(counts[1:]))
    flooded = share > limits.till_share and counts[0] > limits.till_times * usual
    times = counts[0] / usual
    found = f"the busiest of {len(counts)} has {share:.0%} of the outcomes, {times:.1f} times its usual neighbour"
    return Check("tills", not flooded, found)


def check_balance(groups: Sequence[tuple[str, int, int]], limits: GateLimits) -> Check:
    """Check that outcomes come alike in both arms of each store: (arm, decisions, outcomes) summed over the strata."""
    decided, came = np.array([g[1] for g in groups], dtype=float), np.array([g[2] for g in groups], dtype=float)
    if len(groups) < 2 or came.sum() == 0 or came.sum() == decided.sum():
        return Check("outcomes by arm", True, "nothing to compare" if len(groups) < 2 else "all alike")
    rate = came.sum() / decided.sum()
    statistic = float((((came - decided * rate) ** 2) / (decided * rate * (1.0 - rate))).sum())
    chance = float(chi2.sf(statistic, len(groups) - 1))
    told = ", ".join(f"{arm} {n_came / max(n, 1):.1%}" for arm, n, n_came in groups)
    return Check(
        "outcomes by arm", chance >= limits.imbalance, f"came back: {told} (by chance in {chance:.2g} of cases)"
    )


def check_sample_ratio(treated: int, holdout: int, share: float, limits: GateLimits) -> Check:
    """Check that the hold-out is as large as it was drawn, over customers (sample-ratio mismatch)."""
    total = treated + holdout
    if total == 0 or not 0.0 < share < 1.0:
        return Check("sample ratio", True, "no hold-out to compare")
    statistic = (holdout - total * share) ** 2 / (total * share * (1.0 - share))
    chance = float(chi2.sf(statistic, 1))
    found = (
        f"hold-out {holdout / total:.1%} of {total:,} customers, drawn {share:.1%} (by chance in {chance:.2g} of cases)"
    )
    return Check("sample ratio", chance >= limits.imbalance, found)


def check_variety(exits: Sequence[tuple[str, int]], limits: GateLimits) -> Check:
    """Check that more than one reaction was seen: from one alone nothing can be learned."""
    total = sum(number for _, number in exits)
    if total == 0:
        return Check("reactions", False, "no reaction was seen")
    name, most = max(exits, key=lambda pair: pair[1])
    return Check("reactions", most <= limits.one_reaction * total, f"{most / total:.1%} are '{name}'")


def check_model(model: SensitivityModel) -> Check:
    """Check that the candidate is a model at all: finite, curves that rise within 0 to 1, more than one segment."""
    tables = (model.curves, model.walk, model.loss, model.mixes, model.draw_curves, model.draw_walk, model.draw_loss)
    if not all(np.isfinite(table).all() for table in tables):
        return Check("model", False, "a table holds a number that is not finite")
    if any(((table < 0.0) | (table > 1.0)).any() for table in tables) or (np.diff(model.curves, axis=1) < -1e-9).any():
        return Check("model", False, "a curve falls, or a share is not within 0 to 1")
    if len(model.walk) < 2 or len(model.segments) < 2:
        return Check("model", False, "one segment only: there is nothing to tell apart")
    return Check("model", True, f"{len(model.segments)} segments, {len(model.mixes)} cells")


def check_finite(reward: Floats) -> Check:
    """Check that profits are numbers."""
    wrong = int((~np.isfinite(reward)).sum())
    return Check("profits", wrong == 0, f"{wrong} are not finite" if wrong else "all finite")


def _conduct(
    name: str, candidate: Weighed, champion: Weighed, seen: Floats, cluster: Ints, bound: float, sign: float
) -> Check:
    """Compare weighted means; refuse where even the favourable end of the interval is out of bounds."""
    is_seen = np.isfinite(seen)
    if is_seen.sum() < 30:
        return Check(name, True, "hardly ever seen")
    ours, theirs = candidate.weights()[is_seen], champion.weights()[is_seen]
    values, means = seen[is_seen], []
    for weights in (ours, theirs):
        means.append(float(weights @ values) / max(float(weights.sum()), 1e-9))
    around = ours * (values - means[0]) / max(ours.mean(), 1e-9) - theirs * (values - means[1]) / max(
        theirs.mean(), 1e-9
    )
    gap = mean_with_interval(around, cluster[is_seen])
    change = means[0] - means[1]
    least = sign * change - (gap.mean - gap.low)
    return Check(
        name, bool(least <= bound), f"{means[0]:.2f} against the champion's {means[1]:.2f}, allowed {sign * bound:+.2f}"
    )


def _money(estimate: Estimate) -> str:
    return f"{estimate.mean / 100:+.2f} ({estimate.low / 100:+.2f} to {estimate.high / 100:+.2f})"
