"""The mixture: a Turnbull step that agrees with the literature, and EM that never loses ground."""

from collections import Counter
from itertools import pairwise

import numpy as np
import pytest

from pos_discount.learning import gather_evidence
from pos_discount.learning.fitted import Learned
from pos_discount.learning.increment import fit_increment
from pos_discount.learning.mixture import (
    Strengths,
    Tables,
    event_likelihoods,
    expect,
    fit_mixture,
    maximise,
    parts_of,
    prior_tables,
    shared_tables,
    sum_up,
    together,
)
from pos_discount.sensitivity import KNOTS, CellTree, Event
from pos_discount.sensitivity.model import curves_on_grid, event_likelihood

from .made_evidence import play_visit, two_groups

ANY_BINS = (0,) * 9
EVENTS = (
    Event(0, 12, 0, "accepted"),
    Event(12, 33, 1, "accepted"),
    Event(12, None, 0, "walked"),
    Event(40, None, 2, "settled"),
    Event(40, None, 2, "base"),
    Event(80, None, 3, "left"),
    Event(12, 41, 1, "accepted_or_settled"),
    Event(240, None, 1, "walked"),
)


@pytest.mark.parametrize("event", EVENTS, ids=[event.exit for event in EVENTS])
def test_the_fit_and_the_served_model_mean_the_same_likelihood(event: Event) -> None:
    tables = prior_tables()
    _, likelihood, _ = event_likelihoods(parts_of((event,)), tables, 0.0)
    grid = curves_on_grid(tables.masses.cumsum(axis=1)[:, :-1])
    for segment, row in enumerate(grid.tolist()):
        served = event_likelihood(event, row, tables.walk[segment], tables.loss[segment], tables.base_share)
        assert likelihood[segment, 0] == pytest.approx(served, rel=1e-6, abs=1e-8)


def test_the_curve_of_censored_visits_agrees_with_turnbull() -> None:
    lifelines = pytest.importorskip("lifelines", reason="the reference for interval-censored curves")
    dice, rungs = np.random.default_rng(4), (12, 20, 40, 60, 80)
    visits: Counter[tuple[int, int | None]] = Counter()
    for _ in range(400):
        want, lo, hi = int(dice.choice((*rungs, 400))), 0, None
        for rung in sorted(dice.choice(rungs, 3, replace=False).tolist()):
            if want <= rung:
                hi = rung
                break
            lo = rung
        visits[lo, hi] += 1
    # Closed intervals on both ends: adjacent ones would share an end, so left ends go strictly inside.
    lower, upper = [lo + 1e-4 for lo, _ in visits], [np.inf if hi is None else float(hi) for _, hi in visits]
    reference = lifelines.KaplanMeierFitter().fit_interval_censoring(
        lower, upper, weights=list(visits.values()), tol=1e-7
    )
    survival = reference.survival_function_
    theirs = [1.0 - survival[survival.index <= rung].iloc[-1].min() for rung in rungs]
    assert _curve_of_intervals(visits, rungs) == pytest.approx(theirs, abs=1e-3)


def _curve_of_intervals(visits: Counter[tuple[int, int | None]], rungs: tuple[int, ...]) -> list[float]:
    rows = [
        (ANY_BINS, Event(lo, hi, 0, "walked" if hi is None else "accepted"), float(count))
        for (lo, hi), count in visits.items()
    ]
    evidence = gather_evidence((), rows)
    start = together(prior_tables())
    cells = np.zeros(len(rows), dtype=np.intp)
    tables, _ = fit_mixture(evidence, start, start, cells, Strengths(0.0, 1.0, 1.0), 4_000, 0.0, tolerance=1e-12)
    return [float(tables.masses[0].cumsum()[KNOTS.index(rung)]) for rung in rungs]


def test_em_never_loses_likelihood_where_nothing_is_shrunk() -> None:
    evidence, _ = two_groups(200, 6, seed=1)
    parts, cells, tables = parts_of(evidence.events), np.zeros(200, dtype=np.intp), prior_tables()
    reached = []
    for _ in range(25):
        expected = expect(evidence, parts, tables, cells, 0.0)
        reached.append(expected.log_likelihood)
        tables = maximise(expected, tables, Strengths(0.0, 0.0, 0.0))
    assert all(later >= earlier - 1e-6 for earlier, later in pairwise(reached))
    assert reached[-1] > reached[0] + 10.0


def test_the_rates_of_walking_and_of_losing_come_out_of_an_ambiguous_ending() -> None:
    dice = np.random.default_rng(7)
    counts: dict[Event, float] = {}
    for _ in range(6_000):
        event = play_visit(int(dice.choice((10, 30, 60, 400))), 0.2, 0.5, dice)
        counts[event] = counts.get(event, 0.0) + 1.0
    evidence = gather_evidence((), [(ANY_BINS, event, count) for event, count in counts.items()])
    tables = shared_tables(evidence, 0.0)
    assert tables.walk[0] == pytest.approx(0.2, abs=0.03)
    assert tables.loss[0] == pytest.approx(0.5, abs=0.06)
    assert tables.masses[0].cumsum()[[3, 6, 9]].tolist() == pytest.approx([0.25, 0.5, 0.75], abs=0.03)


def test_curves_rise_and_mixes_are_shares() -> None:
    evidence, _ = two_groups(100, 4, seed=2)
    shared = shared_tables(evidence, 0.01)
    tables, _ = fit_mixture(evidence, prior_tables(), shared, np.zeros(100, dtype=np.intp), Strengths(), 20, 0.01)
    assert np.all(tables.masses >= 0.0)
    assert tables.masses.sum(axis=1) == pytest.approx(np.ones(5))
    assert tables.mixes.sum(axis=1) == pytest.approx(np.ones(1))


def test_a_night_of_todays_customers_alone_ends_where_a_night_of_all_does() -> None:
    evidence, _ = two_groups(600, 6, seed=3)
    tree, cells, noise, strengths = CellTree(), np.zeros(600, dtype=np.intp), 0.01, Strengths()
    shared = together(prior_tables())
    earlier = _less_one_visit(evidence, 150)
    before, _ = fit_mixture(earlier, prior_tables(), shared, cells, strengths, 60, noise)
    sums = sum_up(earlier, before, cells, noise)
    seen_today = np.arange(600) < 150
    learned = Learned(before, tree, shared, strengths, sums, labels=(1, 2, 3, 4, 5))
    increment, _ = fit_increment(learned, earlier.part(seen_today), evidence.part(seen_today), noise)
    everybody, _ = fit_mixture(evidence, before, shared, cells, strengths, 10, noise)
    assert _gap(increment, everybody) < 0.02
    assert _gap(increment, everybody) < _gap(before, everybody)


def _less_one_visit(evidence, customers: int):
    counts = evidence.counts.tolil()
    for customer in range(customers):
        event = counts.rows[customer][0]
        counts[customer, event] -= 1
    return type(evidence)(evidence.events, counts.tocsr(), evidence.bins, evidence.weight, evidence.keys)


def _gap(one: Tables, other: Tables) -> float:
    curves = np.abs(one.masses.cumsum(axis=1) - other.masses.cumsum(axis=1)).max()
    return float(max(curves, np.abs(one.walk - other.walk).max(), np.abs(one.loss - other.loss).max()))
