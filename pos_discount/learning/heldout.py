"""How likely outcomes are that a fit has not seen: a trial fit without a fifth of the owners, judged on that fifth.

The model that would be served is fitted to everything, so it cannot be asked itself; the trial stands in for it.
"""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pos_discount.learning.cells import cells_of
from pos_discount.learning.evaluation import Estimate, mean_with_interval
from pos_discount.learning.evidence import Evidence, part_visits
from pos_discount.learning.fit import fit_sensitivity
from pos_discount.learning.fitted import FitOptions, Fitted
from pos_discount.learning.mixture import shared_tables
from pos_discount.learning.starts import owner_log_likelihood
from pos_discount.sensitivity import SensitivityModel
from pos_discount.sensitivity.model import event_likelihoods

Floats = NDArray[np.float64]

FOLDS = 5
MOST_TAUGHT = 30_000
"""Owners that a trial is taught with at most: enough to compare two models, however many there are."""


class HeldOut(NamedTuple):
    """What a visit's held-out log likelihood gains, in nats: from the champion to a model fitted as the candidate was,
    and from one segment for everybody to the several that the fit tells apart."""

    over_champion: Estimate
    over_one_segment: Estimate


def held_out_gain(
    evidence: Evidence, previous: Fitted | None, champion: SensitivityModel, options: FitOptions, seed: int
) -> HeldOut:
    """Fit a trial model without a fifth of the owners, and ask that fifth."""
    taught, asked = _split(evidence, np.random.default_rng([seed, 5]))
    if asked.visits() < 1.0 or taught.visits() < 1.0:
        unknown = Estimate(float("nan"), -np.inf, np.inf, 0, 0)
        return HeldOut(unknown, unknown)
    told = log_likelihoods(fit_sensitivity(taught, previous, options, seed=seed).model, asked)
    alone = owner_log_likelihood(asked, shared_tables(taught, options.noise), options.noise)
    return HeldOut(_gain(asked, told, log_likelihoods(champion, asked)), _gain(asked, told, alone))


def _gain(asked: Evidence, told: Floats, others: Floats) -> Estimate:
    visits = asked.weight * asked.counts.sum(axis=1)
    gain = asked.weight * (told - others)
    return mean_with_interval(gain * len(gain) / max(float(visits.sum()), 1.0), np.arange(len(gain)))


def log_likelihoods(model: SensitivityModel, evidence: Evidence) -> Floats:
    """Give each owner's log likelihood [O], all its events together, by its cell's mix."""
    table = np.log(
        np.array([event_likelihoods(model, event) for event in evidence.events]).reshape(-1, len(model.walk))
    )
    scores = evidence.counts @ table + np.log(model.mixes)[cells_of(model.tree, evidence.bins)]
    top = scores.max(axis=1)
    likelihoods: Floats = top + np.log(np.exp(scores - top[:, None]).sum(axis=1))
    return likelihoods


def _split(evidence: Evidence, dice: np.random.Generator) -> tuple[Evidence, Evidence]:
    """Part the evidence: a customer goes whole into one side, always the same one; anonymous visits one by one."""
    named = (key is not None and hashlib.sha256(key.encode()).digest()[0] % FOLDS == 0 for key in evidence.keys)
    is_asked = np.fromiter(named, dtype=np.bool_, count=len(evidence.keys))
    taught, asked = part_visits(evidence, is_asked, 1.0 / FOLDS, dice)
    thinned = dice.random(len(taught.weight)) < min(1.0, MOST_TAUGHT / max(len(taught.weight), 1))
    return taught.part(thinned), asked
