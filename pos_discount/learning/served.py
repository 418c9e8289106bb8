"""From tables to what is served: draws from the posterior, segments as people read them."""

from dataclasses import replace

import numpy as np

from pos_discount.arrays import Floats
from pos_discount.learning.fitted import FitOptions, Learned
from pos_discount.learning.intervals import curve_deviations
from pos_discount.learning.mixture import (
    BASE,
    KEPT,
    LOST,
    RUNG,
    SURVIVED,
    WALKED,
    expected_of_sums,
)
from pos_discount.learning.segments import Sample, describe_segments, merge_alike
from pos_discount.sensitivity import ModelCard, SensitivityModel
from pos_discount.sensitivity.prior import PRIOR_BASE_SHARE, PRIOR_STRENGTH


def serve(learned: Learned, card: ModelCard, options: FitOptions, seed: int, sample: Sample | None) -> SensitivityModel:
    """Make the model that is served; segments that act alike on the `sample` are one for people to read."""
    tables, sums = learned.tables, learned.sums
    visits = sums.seen.sum(axis=0)
    shares = (visits + 1e-9) / (visits.sum() + 1e-9 * len(visits))
    plain = _with_draws(learned, card, options, np.random.default_rng([seed, 1]))
    leaders = merge_alike(plain, sample) if sample else tuple(range(len(learned.labels)))
    deviations = curve_deviations(sums, tables, learned.shared, learned.strengths, options.noise)
    segments, segment_of = describe_segments(plain, learned.labels, leaders, shares, deviations)
    return replace(plain, segments=segments, segment_of=segment_of)


def _with_draws(learned: Learned, card: ModelCard, options: FitOptions, dice: np.random.Generator) -> SensitivityModel:
    """Serve the tables with draws around them: Dirichlets and Betas on the expected counts, weighed by how much
    narrower than the posterior they should be."""
    tables, shared, strengths = learned.tables, learned.shared, learned.strengths
    expected, count, weight = expected_of_sums(learned.sums, tables, options.noise), options.draws, options.draw_weight
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
        tree=learned.tree,
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
