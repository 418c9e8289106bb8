"""The nightly fit: counts in, a served model out.

Most nights EM goes on from yesterday's tables. When evidence has grown by a third, or a week has passed, everything is
found anew: how many segments (by held-out likelihood, the fewest that are not clearly worse), their curves, the cells.
What comes out is yesterday's kind of thing again, so that a night can be repeated, compared and thrown away.
"""

from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
from numpy.typing import NDArray

from pos_discount.learning.cells import CellLimits, cells_of, grow_cells
from pos_discount.learning.evidence import Evidence
from pos_discount.learning.mixture import (
    BASE,
    KEPT,
    LOST,
    RUNG,
    SURVIVED,
    WALKED,
    Expected,
    Strengths,
    Tables,
    empirical_strengths,
    expect,
    fit_mixture,
    owner_scores,
    parts_of,
    prior_tables,
    responsibilities,
    shared_tables,
    with_mixes,
)
from pos_discount.learning.segments import align_to, describe_segments, merge_alike
from pos_discount.sensitivity import CellTree, ModelCard, SensitivityModel, Stakes, Terms
from pos_discount.sensitivity.model import PRIOR_BASE_SHARE, PRIOR_STRENGTH

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How the fit goes about it.

    `segments` are the numbers tried once there are `young_until` visits; before, the prior's segments are sharpened,
    each shrunk to what was assumed of it with `young_strengths`. `noise` is the share of outcomes taken to say nothing.
    `draws` posterior draws are served; `draw_weight` is what a visit weighs in them: above 1, exploration by draws
    narrows faster than the posterior, which pays because the floor explores as well.
    """

    segments: tuple[int, ...] = (5, 6, 7)
    young_until: float = 20_000.0
    young_strengths: Strengths = field(default_factory=lambda: Strengths(20.0, 20.0, 16.0))
    draws: int = 32
    noise: float = 0.003
    draw_weight: float = 12.0
    iterations: int = 60
    nightly_iterations: int = 10
    restarts: int = 3
    anew_after_growth: float = 1.3
    anew_after_nights: int = 7
    limits: CellLimits = field(default_factory=CellLimits)


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What one night hands to the next: the tables, the cells, labels that persist, and the model that is served."""

    tables: Tables
    tree: CellTree
    strengths: Strengths
    labels: tuple[int, ...]
    nights: int
    anew_at_night: int
    anew_at_visits: float
    held_out_log_likelihood: float | None
    model: SensitivityModel


def fit_sensitivity(
    evidence: Evidence,
    previous: Fitted | None,
    options: FitOptions,
    *,
    seed: int,
    fitted_until: str | None = None,
    sample: tuple[Stakes, ...] = (),
    terms: Terms | None = None,
) -> Fitted:
    """Fit the mixture to all counts, going on from the previous night where there is one.

    `sample` are baskets on which segments are compared, under `terms`, before they are merged for people to read.
    """
    is_young = evidence.visits() < options.young_until
    shared = prior_tables() if is_young else shared_tables(evidence, options.noise)
    if is_young:
        tables, tree, strengths, held_out = _fit_young(evidence, previous, shared, options, seed)
        anew = (previous.nights if previous else 0, 0.0)
    elif previous is None or _is_time_anew(evidence, previous, options):
        tables, tree, strengths, held_out = _fit_anew(evidence, previous, shared, options, seed)
        anew = (previous.nights if previous else 0, evidence.visits())
    else:
        tables, strengths = _fit_on(evidence, previous, shared, options)
        tree, held_out = previous.tree, previous.held_out_log_likelihood
        anew = (previous.anew_at_night, previous.anew_at_visits)
    labels, _ = align_to(previous.tables if previous else None, previous.labels if previous else (), tables)
    tables, labels = _in_order(tables, labels)
    nights = (previous.nights if previous else 0) + 1
    card = ModelCard(
        kind="learned",
        effective_samples=round(evidence.visits(), 1),
        customers=sum(key is not None for key in evidence.keys),
        nights=nights,
        fitted_until=fitted_until,
        held_out_log_likelihood=held_out,
    )
    model = _served(evidence, tables, tree, shared, strengths, labels, card, options, seed, sample, terms)
    return Fitted(tables, tree, strengths, labels, nights, anew[0], anew[1], held_out, model)


def _is_time_anew(evidence: Evidence, previous: Fitted, options: FitOptions) -> bool:
    has_grown = evidence.visits() >= previous.anew_at_visits * options.anew_after_growth
    return has_grown or previous.nights - previous.anew_at_night >= options.anew_after_nights


def _fit_young(
    evidence: Evidence, previous: Fitted | None, prior: Tables, options: FitOptions, seed: int
) -> tuple[Tables, CellTree, Strengths, None]:
    """Sharpen the prior's segments: too little is known to ask how many there are, and cells are grown every night."""
    fit = partial(fit_mixture, strengths=options.young_strengths, iterations=options.iterations, noise=options.noise)
    start = prior
    if previous is not None and len(previous.tables.walk) == len(prior.walk):
        start = with_mixes(previous.tables, previous.tables.mixes.mean(axis=0, keepdims=True))
    tables, _ = fit(evidence, start, prior, np.zeros(len(evidence.weight), dtype=np.intp), tolerance=1e-5)
    tree = _grown(evidence, tables, options, seed)
    mixes = np.repeat(tables.mixes, len(tree.rules()), axis=0)
    tables, _ = fit(evidence, with_mixes(tables, mixes), prior, cells_of(tree, evidence.bins), tolerance=1e-6)
    return tables, tree, options.young_strengths, None


def _fit_on(evidence: Evidence, previous: Fitted, shared: Tables, options: FitOptions) -> tuple[Tables, Strengths]:
    cells = cells_of(previous.tree, evidence.bins)
    tables, expected = fit_mixture(
        evidence, previous.tables, shared, cells, previous.strengths, options.nightly_iterations, options.noise
    )
    return tables, empirical_strengths(expected, shared)


def _fit_anew(
    evidence: Evidence, previous: Fitted | None, shared: Tables, options: FitOptions, seed: int
) -> tuple[Tables, CellTree, Strengths, float | None]:
    dice = np.random.default_rng(seed)
    start, held_out = _chosen_start(evidence, previous, shared, options, dice)
    one_cell = np.zeros(len(evidence.weight), dtype=np.intp)
    tables, expected = fit_mixture(evidence, start, shared, one_cell, Strengths(), options.iterations, options.noise)
    strengths = empirical_strengths(expected, shared)
    tree = _grown(evidence, tables, options, seed)
    cells = cells_of(tree, evidence.bins)
    mixes = np.repeat(tables.mixes, len(tree.rules()), axis=0)
    tables, expected = fit_mixture(
        evidence, with_mixes(tables, mixes), shared, cells, strengths, options.iterations, options.noise
    )
    return tables, tree, empirical_strengths(expected, shared), held_out


def _grown(evidence: Evidence, tables: Tables, options: FitOptions, seed: int) -> CellTree:
    if len(tables.walk) < 2:
        return CellTree()
    scores = owner_scores(evidence, parts_of(evidence.events), tables, options.noise)
    likelihood = np.exp(scores - scores.max(axis=1, keepdims=True))
    visits = evidence.weight * evidence.counts.sum(axis=1)
    return grow_cells(evidence.bins, evidence.weight, visits, likelihood, tables.mixes[0], options.limits, seed)


def _chosen_start(
    evidence: Evidence, previous: Fitted | None, shared: Tables, options: FitOptions, dice: np.random.Generator
) -> tuple[Tables, float | None]:
    """Choose the number of segments: the fewest whose held-out likelihood is within one standard error of the best."""
    is_held_out = dice.random(len(evidence.weight)) < 0.25
    taught, asked = evidence.part(~is_held_out), evidence.part(is_held_out)
    visits = asked.visits()
    if visits < 50 or not taught.visits():
        return shared, None
    tried = [(number, *_best_of_starts(taught, number, previous, shared, options, dice)) for number in options.segments]
    told = [_owner_log_likelihood(asked, tables, options.noise) for _, tables, _ in tried]
    best = int(np.argmax([float(asked.weight @ each) for each in told]))
    for index, (_, tables, _) in enumerate(tried):
        gap = told[best] - told[index]
        total, spread = float(asked.weight @ gap), float(np.sqrt(asked.weight @ gap**2))
        if total <= spread:
            return tables, float(asked.weight @ told[index]) / visits
    return tried[best][1], float(asked.weight @ told[best]) / visits


def _owner_log_likelihood(evidence: Evidence, tables: Tables, noise: float) -> Floats:
    scores = owner_scores(evidence, parts_of(evidence.events), tables, noise)
    top = scores.max(axis=1)
    likelihood: Floats = top + np.log(np.exp(scores - top[:, None]) @ tables.mixes[0])
    return likelihood


def _best_of_starts(
    evidence: Evidence,
    number: int,
    previous: Fitted | None,
    shared: Tables,
    options: FitOptions,
    dice: np.random.Generator,
) -> tuple[Tables, float]:
    """Run short EMs from several starts, and go on from the likeliest."""
    cells = np.zeros(len(evidence.weight), dtype=np.intp)
    starts = [_archetypes(shared, number)]
    if previous is not None and len(previous.tables.walk) == number:
        mix = previous.tables.mixes.mean(axis=0, keepdims=True)
        starts.append(with_mixes(previous.tables, mix))
    starts += [_random_start(shared, number, dice) for _ in range(options.restarts if number > 1 else 0)]
    ended = [
        fit_mixture(evidence, start, shared, cells, Strengths(), 12, options.noise, tolerance=1e-5) for start in starts
    ]
    best, _ = max(ended, key=lambda pair: pair[1].log_likelihood)
    tables, expected = fit_mixture(evidence, best, shared, cells, Strengths(), 30, options.noise, tolerance=1e-5)
    return tables, expected.log_likelihood


ARCHETYPES: tuple[tuple[float, float, float], ...] = (
    (0.4, 0.7, 0.5),
    (2.0, 1.0, 1.6),
    (1.0, 3.0, 1.4),
    (2.0, 0.5, 0.2),
    (1.0, 1.0, 1.0),
    (4.0, 1.0, 1.0),
    (0.7, 0.5, 1.5),
    (1.4, 2.0, 0.5),
)
"""Starting points: the shared curve to this power, the shared walk and loss times these."""


def _archetypes(shared: Tables, number: int) -> Tables:
    if number == 1:
        return shared
    curve = shared.masses[0].cumsum()
    chosen = [ARCHETYPES[index % len(ARCHETYPES)] for index in range(number)]
    masses = np.stack([np.diff(np.minimum(curve, 1.0) ** power, prepend=0.0) for power, _, _ in chosen])
    masses = np.maximum(masses, 1e-4)
    return Tables(
        masses=masses / masses.sum(axis=1, keepdims=True),
        walk=np.clip([shared.walk[0] * walk for _, walk, _ in chosen], 0.01, 0.6),
        loss=np.clip([shared.loss[0] * loss for _, _, loss in chosen], 0.02, 0.9),
        mixes=np.full((1, number), 1.0 / number),
        base_share=shared.base_share,
    )


def _random_start(shared: Tables, number: int, dice: np.random.Generator) -> Tables:
    masses = dice.dirichlet(4.0 * shared.masses[0] + 0.05, number) + 1e-4
    return Tables(
        masses=masses / masses.sum(axis=1, keepdims=True),
        walk=dice.beta(1.0, 5.0, number).clip(0.01, 0.8),
        loss=dice.beta(1.0, 1.5, number).clip(0.02, 0.95),
        mixes=np.full((1, number), 1.0 / number),
        base_share=shared.base_share,
    )


def _in_order(tables: Tables, labels: tuple[int, ...]) -> tuple[Tables, tuple[int, ...]]:
    """Order segments by their labels, so that a segment keeps its place as well as its name."""
    order = np.argsort(labels)
    ordered = Tables(
        tables.masses[order], tables.walk[order], tables.loss[order], tables.mixes[:, order], tables.base_share
    )
    return ordered, tuple(labels[index] for index in order.tolist())


def _served(
    evidence: Evidence,
    fitted: Tables,
    tree: CellTree,
    shared: Tables,
    strengths: Strengths,
    labels: tuple[int, ...],
    card: ModelCard,
    options: FitOptions,
    seed: int,
    sample: tuple[Stakes, ...],
    terms: Terms | None,
) -> SensitivityModel:
    cells = cells_of(tree, evidence.bins)
    parts = parts_of(evidence.events)
    expected = expect(evidence, parts, fitted, cells, options.noise)
    weights, _ = responsibilities(evidence, parts, fitted, cells, options.noise)
    visits = evidence.weight * evidence.counts.sum(axis=1)
    shares = (visits @ weights + 1e-9) / (visits.sum() + 1e-9 * len(fitted.walk))
    plain = _with_draws(fitted, tree, expected, shared, strengths, card, options, np.random.default_rng([seed, 1]))
    leaders = merge_alike(plain, sample, terms) if terms else tuple(range(len(labels)))
    segments, segment_of = describe_segments(plain, labels, leaders, shares)
    return replace(plain, segments=segments, segment_of=segment_of)


def _with_draws(
    tables: Tables,
    tree: CellTree,
    expected: Expected,
    shared: Tables,
    strengths: Strengths,
    card: ModelCard,
    options: FitOptions,
    dice: np.random.Generator,
) -> SensitivityModel:
    """Serve the tables with draws from their posterior: Dirichlets and Betas on the weighed expected counts."""
    count, weight = options.draws, options.draw_weight
    rates, pull = weight * expected.rates, weight * strengths.rate
    mix = tables.mixes.mean(axis=0) if len(tables.mixes) > 1 else tables.mixes[0]
    masses = _dirichlet(weight * (expected.masses + strengths.curve * shared.masses), count, dice)
    return SensitivityModel(
        curves=_curves(tables.masses),
        walk=tables.walk,
        loss=tables.loss,
        mixes=tables.mixes,
        draw_curves=_curves(masses),
        draw_walk=_betas(rates[:, WALKED], rates[:, SURVIVED], pull, shared.walk, count, dice),
        draw_loss=_betas(rates[:, LOST], rates[:, KEPT], pull, shared.loss, count, dice),
        draw_mixes=_dirichlet(weight * (expected.mixes + strengths.mix * mix), count, dice),
        draw_base_share=_betas(
            rates[:, BASE].sum(keepdims=True),
            rates[:, RUNG].sum(keepdims=True),
            PRIOR_STRENGTH,
            PRIOR_BASE_SHARE,
            count,
            dice,
        )[:, 0],
        base_share=tables.base_share,
        tree=tree,
        segments=(),
        segment_of=tuple(range(len(tables.walk))),
        card=card,
        noise=options.noise,
    )


def _curves(masses: Floats) -> Floats:
    curves: Floats = np.minimum(masses.cumsum(axis=-1)[..., :-1], 1.0)
    return curves


def _dirichlet(alpha: Floats, count: int, dice: np.random.Generator) -> Floats:
    gammas = dice.standard_gamma(np.maximum(alpha, 1e-3), (count, *alpha.shape)) + 1e-12
    drawn: Floats = gammas / gammas.sum(axis=-1, keepdims=True)
    return drawn


def _betas(yes: Floats, no: Floats, pull: float, rate: Floats | float, count: int, dice: np.random.Generator) -> Floats:
    drawn: Floats = dice.beta(
        np.maximum(yes + pull * rate, 1e-3), np.maximum(no + pull * (1.0 - rate), 1e-3), (count, len(yes))
    )
    return np.clip(drawn, 1e-6, 1.0 - 1e-6)
