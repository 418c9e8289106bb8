"""What people read as a curve's 95 % interval covers the truth, and is wide where nothing was ever said."""

from __future__ import annotations

import numpy as np
import pytest

from learning.made_evidence import play_visit
from pos_discount.learning import gather_evidence
from pos_discount.learning.intervals import curve_deviations, curve_interval
from pos_discount.learning.mixture import Strengths, shared_tables, sum_up
from pos_discount.sensitivity import FEATURE_RULES, KNOTS

STRENGTHS = Strengths(curve=4.0, rate=4.0, mix=4.0)
TRUTH = {12: 0.35, 40: 0.6, 80: 0.85}
WANTS, SHARES = (10, 30, 60, 400), (0.35, 0.25, 0.25, 0.15)


@pytest.fixture(scope="module")
def intervals() -> list[tuple[np.ndarray, np.ndarray]]:
    """Intervals of 200 shops, each of 400 visits by the same kind of shopper."""
    return [_interval(400, seed) for seed in range(200)]


@pytest.mark.parametrize("rung", TRUTH)
def test_the_interval_covers_the_truth_at_what_was_said(
    intervals: list[tuple[np.ndarray, np.ndarray]], rung: int
) -> None:
    knot = KNOTS.index(rung)
    covered = sum(low[knot] <= TRUTH[rung] <= high[knot] for low, high in intervals)
    assert 0.90 * len(intervals) <= covered <= 0.99 * len(intervals)


def test_between_rungs_the_interval_does_not_narrow_however_much_was_seen() -> None:
    few, many = (_interval(visits, 1) for visits in (400, 6_400))
    said, unsaid = KNOTS.index(12), KNOTS.index(4)
    narrower = [(few[1][knot] - few[0][knot]) / (many[1][knot] - many[0][knot]) for knot in (said, unsaid)]
    assert narrower == [pytest.approx(4.0, rel=0.2), pytest.approx(1.0, rel=0.3)]


def test_an_interval_holds_its_curve_and_never_falls(intervals: list[tuple[np.ndarray, np.ndarray]]) -> None:
    curve = np.array([0.0, 0.2, 0.2, 1.0])
    low, high = curve_interval(curve, np.array([0.1, 0.5, 0.0, 0.3]))
    assert ((low >= 0.0) & (low <= curve) & (curve <= high) & (high <= 1.0)).all()
    assert all((np.diff(bound) >= 0.0).all() for pair in (*intervals, (low, high)) for bound in pair)


def _interval(visits: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    dice = np.random.default_rng(seed)
    events = [play_visit(int(want), 0.1, 0.4, dice) for want in dice.choice(WANTS, visits, p=SHARES)]
    evidence = gather_evidence((), [((0,) * len(FEATURE_RULES), event, 1.0) for event in events])
    tables = shared_tables(evidence, 0.0)
    sums = sum_up(evidence, tables, np.zeros(evidence.counts.shape[0], dtype=np.intp), 0.0)
    deviation = curve_deviations(sums, tables, tables, STRENGTHS, 0.0)[0]
    return curve_interval(tables.masses[0].cumsum()[:-1], deviation)
