"""The mixture of behavioural segments, fitted by EM to counts of interval-censored events.

Every event is a sum of parts, and every part a product: mass of the curve inside an interval, times powers of the
rates. So one table of intervals and one of exponents say all about the events, and the M step is a Turnbull step for
the curves and plain frequencies for the rates, each shrunk to what all segments share.
Sources: Dempster, Laird and Rubin (1977); Turnbull (1976) for the censored curve; Minka (2000) for the strengths.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy import sparse
from scipy.special import gammaln

from pos_discount.arrays import Floats, Ints
from pos_discount.learning.evidence import Evidence
from pos_discount.sensitivity.events import KNOTS, Event
from pos_discount.sensitivity.prior import (
    PRIOR_BASE_SHARE,
    PRIOR_SEGMENTS,
    PRIOR_STRENGTH,
)

STRENGTHS = (2.0, 4.0, 8.0, 16.0, 32.0, 64.0)
SMALLEST_MASS = 1e-12
SURVIVED, WALKED, KEPT, LOST, BASE, RUNG = range(6)


@dataclass(frozen=True, slots=True, eq=False)
class Parts:
    """P parts of E events: `inside` [P, K + 1] share of each knot interval, `powers` [P, 6] of the rates.

    Powers are of 1 - walk, walk, 1 - loss, loss, base share, 1 - base share; `of_event` [E, P] sums parts to events.
    """

    inside: Floats
    powers: Floats
    of_event: sparse.csr_array
    event: Ints


class Likelihoods(NamedTuple):
    """The likelihood of parts [S, P], of events [S, E], and of events tempered by the noise [S, E]."""

    of_parts: Floats
    of_events: Floats
    tempered: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Tables:
    """What EM estimates: `masses` [S, K + 1] between knots and beyond, `walk`, `loss` [S], `mixes` [C, S]."""

    masses: Floats
    walk: Floats
    loss: Floats
    mixes: Floats
    base_share: float


@dataclass(frozen=True, slots=True)
class Strengths:
    """How many visits the priors weigh: of a segment's curve, of its rates, of a cell's mix."""

    curve: float = 16.0
    rate: float = 16.0
    mix: float = 16.0


@dataclass(frozen=True, slots=True, eq=False)
class Expected:
    """Expected counts given the tables: `masses` [S, K + 1], `rates` [S, 6], `mixes` [C, S]; total log likelihood."""

    masses: Floats
    rates: Floats
    mixes: Floats
    log_likelihood: float


@dataclass(frozen=True, slots=True, eq=False)
class Sums:
    """EM's sums over all owners: what each segment saw of each event `seen` [E, S], mass of cells `mixes` [C, S]."""

    events: tuple[Event, ...]
    seen: Floats
    mixes: Floats

    def visits(self) -> float:
        """Count the visits with evidence."""
        return float(self.seen.sum())


def prior_tables() -> Tables:
    """Give the stated prior's segments as tables of one cell."""
    curves = np.array([segment.curve for segment in PRIOR_SEGMENTS])
    edges = np.concatenate([np.zeros((len(curves), 1)), curves, np.ones((len(curves), 1))], axis=1)
    return Tables(
        masses=np.diff(edges, axis=1),
        walk=np.array([segment.walk for segment in PRIOR_SEGMENTS]),
        loss=np.array([segment.loss for segment in PRIOR_SEGMENTS]),
        mixes=np.array([[segment.share for segment in PRIOR_SEGMENTS]]),
        base_share=PRIOR_BASE_SHARE,
    )


def together(tables: Tables) -> Tables:
    """Average the segments of one cell into one segment that everybody is in."""
    mix = tables.mixes[0]
    rates = np.array([mix @ tables.walk]), np.array([mix @ tables.loss])
    return Tables((mix @ tables.masses)[None], *rates, np.ones((1, 1)), tables.base_share)


def parts_of(events: tuple[Event, ...]) -> Parts:
    """Write events as sums of products; `left` may be a walk or a loss, `accepted_or_settled` either of both."""
    inside, powers, columns = [], [], []
    for column, event in enumerate(events):
        for interval, exponents in _parts_of_event(event):
            inside.append(interval)
            powers.append(exponents)
            columns.append(column)
    incidence = sparse.csr_array((np.ones(len(columns)), (columns, range(len(columns)))), (len(events), len(columns)))
    shape = (len(columns), len(KNOTS) + 1)
    return Parts(
        inside=np.array(inside).reshape(shape),
        powers=np.array(powers, dtype=np.float64).reshape(len(columns), 6),
        of_event=incidence,
        event=np.array(columns, dtype=np.intp),
    )


def fit_mixture(
    evidence: Evidence,
    start: Tables,
    shared: Tables,
    cells: Ints,
    strengths: Strengths,
    iterations: int,
    noise: float,
    tolerance: float = 1e-7,
) -> tuple[Tables, Expected]:
    """Run EM from `start`, shrinking to `shared` (one segment); `cells` [O] are the owners' cells.

    Stops early where the log likelihood per visit gains less than `tolerance`.
    """
    parts = parts_of(evidence.events)
    tables, before, visits = start, -np.inf, max(evidence.visits(), 1.0)
    expected = expect(evidence, parts, tables, cells, noise)
    for _ in range(iterations):
        tables = maximise(expected, shared, strengths)
        expected = expect(evidence, parts, tables, cells, noise)
        if expected.log_likelihood - before < tolerance * visits:
            break
        before = expected.log_likelihood
    return tables, expected


def responsibilities(
    evidence: Evidence, parts: Parts, tables: Tables, cells: Ints, noise: float
) -> tuple[Floats, float]:
    """E step: weight [O, S] of each segment for each owner, and the total log likelihood."""
    return _responsibilities(evidence, event_likelihoods(parts, tables, noise), tables, cells)


def _responsibilities(evidence: Evidence, told: Likelihoods, tables: Tables, cells: Ints) -> tuple[Floats, float]:
    scores: Floats = evidence.counts @ np.log(told.tempered).T
    scores += np.log(tables.mixes)[cells]
    top = _over_columns(np.maximum, scores)
    scores -= top[:, None]
    raised = np.exp(scores, out=scores)
    total = _over_columns(np.add, raised)
    raised /= total[:, None]
    return raised, float(evidence.weight @ (top + np.log(total)))


def _over_columns(combine: np.ufunc, rows: Floats) -> Floats:
    """Reduce rows [O, S] to [O], column by column: many times faster than row by row where S is small."""
    reduced: Floats = rows[:, 0].copy()
    for column in range(1, rows.shape[1]):
        combine(reduced, rows[:, column], out=reduced)
    return reduced


def owner_scores(evidence: Evidence, parts: Parts, tables: Tables, noise: float) -> Floats:
    """Sum each owner's log likelihood [O, S] over its events, the mix left out."""
    scores: Floats = evidence.counts @ np.log(event_likelihoods(parts, tables, noise).tempered).T
    return scores


def event_likelihoods(parts: Parts, tables: Tables, noise: float) -> Likelihoods:
    """Give the likelihoods of parts and of events in each segment."""
    mass = np.maximum(tables.masses @ parts.inside.T, SMALLEST_MASS)
    of_parts = mass * np.exp(_log_rates(tables) @ parts.powers.T)
    of_events: Floats = np.maximum((parts.of_event @ of_parts.T).T, SMALLEST_MASS)
    return Likelihoods(of_parts, of_events, (1.0 - noise) * of_events + noise * of_events.mean(axis=0))


def expect(evidence: Evidence, parts: Parts, tables: Tables, cells: Ints, noise: float) -> Expected:
    """Do the E step and gather all that the M step needs; a misreported share of events teaches nothing."""
    told = event_likelihoods(parts, tables, noise)
    weights, log_likelihood = _responsibilities(evidence, told, tables, cells)
    weighted = weights * evidence.weight[:, None]
    mixes = sums_by_cell(cells, weighted, len(tables.mixes))
    return _expected(evidence.counts.T @ weighted, parts, told, tables, noise, mixes, log_likelihood)


def sums_by_cell(cells: Ints, weighted: Floats, count: int) -> Floats:
    """Sum rows [O, S] by cell [C, S]."""
    columns = [np.bincount(cells, weighted[:, segment], count) for segment in range(weighted.shape[1])]
    return np.stack(columns, axis=1)


def sum_up(evidence: Evidence, tables: Tables, cells: Ints, noise: float) -> Sums:
    """Sum over all owners of some evidence under the given tables."""
    weights, _ = responsibilities(evidence, parts_of(evidence.events), tables, cells, noise)
    weighted = weights * evidence.weight[:, None]
    return Sums(evidence.events, evidence.counts.T @ weighted, sums_by_cell(cells, weighted, len(tables.mixes)))


def expected_of_sums(sums: Sums, tables: Tables, noise: float) -> Expected:
    """Gather from sums what the M step needs; how likely the owners were is not known any more."""
    parts = parts_of(sums.events)
    told = event_likelihoods(parts, tables, noise)
    return _expected(sums.seen, parts, told, tables, noise, sums.mixes, float("nan"))


def masses_seen(sums: Sums, tables: Tables, noise: float) -> tuple[Floats, Floats, Floats]:
    """Give what was seen of the curves: the share of each knot interval that lies inside a part [P, K + 1], how often
    each segment is taken to have shown that part [S, P], and how much of its curve lies there [S, P].
    """
    parts = parts_of(sums.events)
    by_part = _seen_by_part(sums.seen, parts, event_likelihoods(parts, tables, noise), noise)
    return parts.inside, by_part, np.maximum(tables.masses @ parts.inside.T, SMALLEST_MASS)


def _seen_by_part(seen: Floats, parts: Parts, told: Likelihoods, noise: float) -> Floats:
    of_parts, of_events, tempered = told
    true_seen = seen.T * ((1.0 - noise) * of_events / tempered) / of_events
    by_part: Floats = true_seen[:, parts.event] * of_parts
    return by_part


def _expected(
    seen: Floats,
    parts: Parts,
    told: Likelihoods,
    tables: Tables,
    noise: float,
    mixes: Floats,
    log_likelihood: float,
) -> Expected:
    """Split what each segment saw of each event (`seen` [E, S]) into intervals and rates: the Turnbull step's half."""
    by_part = _seen_by_part(seen, parts, told, noise)
    mass = np.maximum(tables.masses @ parts.inside.T, SMALLEST_MASS)
    masses = tables.masses * ((by_part / mass) @ parts.inside)
    return Expected(masses, by_part @ parts.powers, mixes, log_likelihood)


def maximise(expected: Expected, shared: Tables, strengths: Strengths) -> Tables:
    """M step: expected counts, shrunk to the shared tables (of one segment, or each to its own), as frequencies."""
    masses = expected.masses + strengths.curve * shared.masses
    rates, pull = expected.rates, strengths.rate
    mixes = expected.mixes + strengths.mix * _global_mix(expected, shared)
    base, rung = rates[:, BASE].sum(), rates[:, RUNG].sum()
    return Tables(
        masses=masses / masses.sum(axis=1, keepdims=True),
        walk=(rates[:, WALKED] + pull * shared.walk) / (rates[:, WALKED] + rates[:, SURVIVED] + pull),
        loss=(rates[:, LOST] + pull * shared.loss) / (rates[:, LOST] + rates[:, KEPT] + pull),
        mixes=mixes / mixes.sum(axis=1, keepdims=True),
        base_share=float((base + PRIOR_STRENGTH * PRIOR_BASE_SHARE) / (base + rung + PRIOR_STRENGTH)),
    )


def empirical_strengths(expected: Expected, shared: Tables) -> Strengths:
    """Choose prior strengths by the marginal likelihood of the expected counts (Dirichlet-multinomial)."""
    walks, losses = expected.rates[:, [SURVIVED, WALKED]], expected.rates[:, [KEPT, LOST]]
    marginal_by_strength = [
        _log_marginal(walks, np.array([1.0 - shared.walk[0], shared.walk[0]]), strength)
        + _log_marginal(losses, np.array([1.0 - shared.loss[0], shared.loss[0]]), strength)
        for strength in STRENGTHS
    ]
    return Strengths(
        curve=_best_strength(expected.masses, shared.masses[0]),
        rate=STRENGTHS[int(np.argmax(marginal_by_strength))],
        mix=_best_strength(expected.mixes, _global_mix(expected, shared)),
    )


def shared_tables(evidence: Evidence, noise: float) -> Tables:
    """Fit one segment to everybody, shrunk to the stated prior."""
    prior = together(prior_tables())
    cells = np.zeros(len(evidence.weight), dtype=np.intp)
    strengths = Strengths(PRIOR_STRENGTH, PRIOR_STRENGTH, PRIOR_STRENGTH)
    return fit_mixture(evidence, prior, prior, cells, strengths, 40, noise)[0]


def _global_mix(expected: Expected, shared: Tables) -> Floats:
    """Give the mix of everybody, ten visits of the assumed mix added (an even one where segments are not shared)."""
    count = expected.mixes.shape[1]
    assumed = shared.mixes[0] if shared.mixes.shape[1] == count else np.full(count, 1.0 / count)
    mix = expected.mixes.sum(axis=0) + 10.0 * assumed
    share: Floats = mix / mix.sum()
    return share


def with_mixes(tables: Tables, mixes: Floats) -> Tables:
    """Give the tables another set of cells."""
    return replace(tables, mixes=mixes)


def _log_rates(tables: Tables) -> Floats:
    base = np.full_like(tables.walk, tables.base_share)
    rates = (1.0 - tables.walk, tables.walk, 1.0 - tables.loss, tables.loss, base, 1.0 - base)
    return np.log(np.maximum(np.stack(rates, axis=1), SMALLEST_MASS))


def _parts_of_event(event: Event) -> list[tuple[Floats, tuple[int, ...]]]:
    """List (share of each knot interval inside, powers) of an event's parts."""
    beyond, n = _inside(event.lo, None), event.n
    match event.exit:
        case "accepted":
            return [(_inside(event.lo, event.hi), (n, 0, 0, 0, 0, 0))]
        case "walked":
            return [(beyond, (n, 1, 0, 0, 0, 0))]
        case "settled":
            return [(beyond, (n, 0, 1, 0, 0, 1))]
        case "base":
            return [(beyond, (n, 0, 1, 0, 1, 0))]
        case "left":
            return [(beyond, (n - 1, 1, 0, 0, 0, 0)), (beyond, (n, 0, 0, 1, 0, 0))]
        case "accepted_or_settled":
            settled = _inside(event.hi or 0, None)
            return [(_inside(event.lo, event.hi), (n, 0, 0, 0, 0, 0)), (settled, (n + 1, 0, 1, 0, 0, 1))]


def _inside(lo: int, hi: int | None) -> Floats:
    """Give the share of each knot interval that lies in (lo, hi]; the last interval is all beyond the last knot."""
    edges = np.array((0, *KNOTS), dtype=np.float64)
    top = KNOTS[-1] if hi is None else min(hi, KNOTS[-1])
    overlap = np.minimum(edges[1:], top) - np.maximum(edges[:-1], min(lo, KNOTS[-1]))
    share = np.maximum(overlap, 0.0) / np.diff(edges)
    return np.append(share, 1.0 if hi is None else 0.0)


def _best_strength(counts: Floats, mean: Floats) -> float:
    return max(STRENGTHS, key=lambda strength: _log_marginal(counts, mean, strength))


def _log_marginal(counts: Floats, mean: Floats, strength: float) -> float:
    alpha = np.maximum(strength * mean, SMALLEST_MASS)
    totals = counts.sum(axis=1)
    inner = gammaln(counts + alpha) - gammaln(alpha)
    return float((inner.sum(axis=1) + gammaln(strength) - gammaln(strength + totals)).sum())
