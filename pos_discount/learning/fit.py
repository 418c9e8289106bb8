"""The nightly fit: counts in, a served model out.

Most nights cost what the day brought: today's owners are taken out of EM's sums and put in again (`fit_day`). When
evidence has grown by a third, or a week has passed, everything is found anew from all counts: how many segments (by
held-out likelihood, the fewest that are not clearly worse), their curves, the cells. What comes out is yesterday's kind
of thing again, so that a night can be repeated, compared and thrown away.
"""

from dataclasses import replace
from functools import partial
from typing import NamedTuple

import numpy as np

from pos_discount.arrays import Ints
from pos_discount.learning.cells import cells_of, grow_cells
from pos_discount.learning.evidence import Evidence, totals_of
from pos_discount.learning.fitted import FitOptions, Fitted, Learned
from pos_discount.learning.increment import fit_increment
from pos_discount.learning.mixture import (
    Strengths,
    Sums,
    Tables,
    empirical_strengths,
    expect,
    expected_of_sums,
    fit_mixture,
    owner_scores,
    parts_of,
    prior_tables,
    shared_tables,
    sum_up,
    with_mixes,
)
from pos_discount.learning.segments import Sample, align_to
from pos_discount.learning.served import serve
from pos_discount.learning.starts import choose_start, some_owners
from pos_discount.sensitivity import CellTree, ModelCard


class Day(NamedTuple):
    """What a day brought: the counts of customers seen in it as they were last night, with anonymous visits that were
    taken back since, and `after`, their counts now, with today's anonymous visits; `customers` there are in all."""

    before: Evidence
    after: Evidence
    customers: int


def fit_sensitivity(
    evidence: Evidence,
    previous: Fitted | None,
    options: FitOptions,
    *,
    seed: int,
    fitted_until: str | None = None,
    sample: Sample | None = None,
) -> Fitted:
    """Fit the mixture to all counts, going on from the previous night where there is one.

    `fitted_until` goes onto the model's card; on a `sample` segments are compared before they are merged for people.
    """
    is_young = evidence.visits() < options.young_until
    shared = prior_tables() if is_young else shared_tables(evidence, options.noise)
    if is_young:
        found = _fit_young(evidence, previous, shared, options, seed)
    elif previous is None or is_time_anew(evidence.visits(), previous, options):
        found = _fit_anew(evidence, previous, shared, options, seed)
    else:
        found = _fit_on(evidence, previous, shared, options)
    labels, tables, _ = _labelled(previous, found.tables)
    sums = sum_up(evidence, tables, cells_of(found.tree, evidence.bins), options.noise)
    customers = sum(key is not None for key in evidence.keys)
    card = _card(evidence.visits(), customers, _nights(previous) + 1, fitted_until, found.held_out)
    learned = Learned(tables, found.tree, shared, found.strengths, sums, labels)
    return Fitted(
        tables=tables,
        tree=found.tree,
        strengths=found.strengths,
        sums=sums,
        labels=labels,
        nights=card.nights,
        anew_at_night=found.anew_at_night,
        anew_at_visits=found.anew_at_visits,
        held_out_log_likelihood=found.held_out,
        model=serve(learned, card, options, seed, sample),
    )


def fit_day(
    day: Day,
    previous: Fitted,
    options: FitOptions,
    *,
    seed: int,
    fitted_until: str | None = None,
    sample: Sample | None = None,
) -> Fitted:
    """Go on from the previous night with what the day brought, at the cost of the day."""
    shared = shared_tables(_everything(previous.sums, day), options.noise)
    last = Learned(previous.tables, previous.tree, shared, previous.strengths, previous.sums, previous.labels)
    tables, sums = fit_increment(last, day.before, day.after, options.noise, options.nightly_iterations)
    strengths = empirical_strengths(expected_of_sums(sums, tables, options.noise), shared)
    labels, tables, order = _labelled(previous, tables)
    sums = Sums(sums.events, sums.seen[:, order], sums.mixes[:, order])
    held_out = previous.held_out_log_likelihood
    card = _card(sums.visits(), day.customers, previous.nights + 1, fitted_until, held_out)
    model = serve(Learned(tables, previous.tree, shared, strengths, sums, labels), card, options, seed, sample)
    return replace(
        previous, tables=tables, strengths=strengths, sums=sums, labels=labels, nights=card.nights, model=model
    )


def _card(visits: float, customers: int, nights: int, until: str | None, held_out: float | None) -> ModelCard:
    return ModelCard(
        kind="learned",
        effective_samples=round(visits, 1),
        customers=customers,
        nights=nights,
        fitted_until=until,
        held_out_log_likelihood=held_out,
    )


def goes_on(visits: float, previous: Fitted | None, options: FitOptions) -> bool:
    """Say whether tonight may go on from last night with the day alone, given all `visits` with evidence."""
    if previous is None or min(visits, previous.sums.visits()) < options.young_until:
        return False
    return previous.anew_at_visits > 0.0 and not is_time_anew(visits, previous, options)


def is_time_anew(visits: float, previous: Fitted, options: FitOptions) -> bool:
    """Say whether everything is to be found anew: evidence grew by a third, or a week has passed."""
    has_grown = visits >= previous.anew_at_visits * options.anew_after_growth
    return has_grown or previous.nights - previous.anew_at_night >= options.anew_after_nights


class _Found(NamedTuple):
    """What a fit to all counts found, its held-out log likelihood (nats, None: not asked), and when everything was
    found anew last: after how many nights, at how many visits."""

    tables: Tables
    tree: CellTree
    strengths: Strengths
    held_out: float | None
    anew_at_night: int
    anew_at_visits: float


def _fit_young(evidence: Evidence, previous: Fitted | None, prior: Tables, options: FitOptions, seed: int) -> _Found:
    """Sharpen the prior's segments: too little is known to ask how many there are, and cells are grown every night."""
    fit = partial(fit_mixture, strengths=options.young_strengths, iterations=options.iterations, noise=options.noise)
    start = prior
    if previous is not None and len(previous.tables.walk) == len(prior.walk):
        start = with_mixes(previous.tables, previous.tables.mixes.mean(axis=0, keepdims=True))
    tables, _ = fit(evidence, start, prior, np.zeros(len(evidence.weight), dtype=np.intp), tolerance=1e-5)
    tree = _grown(evidence, tables, options, seed)
    mixes = np.repeat(tables.mixes, len(tree.rules()), axis=0)
    tables, _ = fit(evidence, with_mixes(tables, mixes), prior, cells_of(tree, evidence.bins), tolerance=1e-6)
    return _Found(tables, tree, options.young_strengths, None, _nights(previous), 0.0)


def _fit_on(evidence: Evidence, previous: Fitted, shared: Tables, options: FitOptions) -> _Found:
    """Go on from the previous night's tables, in its cells."""
    cells = cells_of(previous.tree, evidence.bins)
    tables, expected = fit_mixture(
        evidence, previous.tables, shared, cells, previous.strengths, options.nightly_iterations, options.noise
    )
    return _Found(
        tables,
        previous.tree,
        empirical_strengths(expected, shared),
        previous.held_out_log_likelihood,
        previous.anew_at_night,
        previous.anew_at_visits,
    )


def _fit_anew(evidence: Evidence, previous: Fitted | None, shared: Tables, options: FitOptions, seed: int) -> _Found:
    """Find everything from all counts: how many segments from some owners, then cells, then the mix of each."""
    dice = np.random.default_rng(seed)
    some = some_owners(evidence, dice)
    start, held_out = choose_start(some, previous, shared, options, dice)
    one_cell, one_cell_of_some = (np.zeros(len(each.weight), dtype=np.intp) for each in (evidence, some))
    tables, _ = fit_mixture(some, start, shared, one_cell_of_some, Strengths(), options.iterations, options.noise)
    expected = expect(evidence, parts_of(evidence.events), tables, one_cell, options.noise)
    strengths = empirical_strengths(expected, shared)
    tree = _grown(evidence, tables, options, seed)
    cells = cells_of(tree, evidence.bins)
    mixes = np.repeat(tables.mixes, len(tree.rules()), axis=0)
    tables, expected = fit_mixture(
        evidence, with_mixes(tables, mixes), shared, cells, strengths, options.iterations, options.noise
    )
    strengths = empirical_strengths(expected, shared)
    return _Found(tables, tree, strengths, held_out, _nights(previous), evidence.visits())


def _nights(previous: Fitted | None) -> int:
    return previous.nights if previous else 0


def _grown(evidence: Evidence, tables: Tables, options: FitOptions, seed: int) -> CellTree:
    if len(tables.walk) < 2:
        return CellTree()
    scores = owner_scores(evidence, parts_of(evidence.events), tables, options.noise)
    likelihood = np.exp(scores - scores.max(axis=1, keepdims=True))
    visits = evidence.weight * evidence.counts.sum(axis=1)
    return grow_cells(evidence.bins, evidence.weight, visits, likelihood, tables.mixes[0], options.limits, seed)


def _everything(sums: Sums, day: Day) -> Evidence:
    """Count all events ever seen, by anybody."""
    seen = dict(zip(sums.events, sums.seen.sum(axis=1).tolist(), strict=True))
    for evidence, sign in ((day.after, 1.0), (day.before, -1.0)):
        told = sign * np.asarray(evidence.weight @ evidence.counts, dtype=np.float64)
        for event, count in zip(evidence.events, told, strict=True):
            seen[event] = seen.get(event, 0.0) + float(count)
    return totals_of(tuple(seen), np.array(list(seen.values())))


def _labelled(previous: Fitted | None, tables: Tables) -> tuple[tuple[int, ...], Tables, Ints]:
    """Give segments their labels of last night and bring them into that order; gives labels, tables and the order."""
    labels, _ = align_to(previous.tables if previous else None, previous.labels if previous else (), tables)
    order = np.argsort(labels)
    ordered = Tables(
        tables.masses[order], tables.walk[order], tables.loss[order], tables.mixes[:, order], tables.base_share
    )
    return tuple(labels[index] for index in order.tolist()), ordered, order
