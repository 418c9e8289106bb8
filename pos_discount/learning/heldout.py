"""How likely outcomes are that a fit has not seen: a trial fit without a fifth of the owners, judged on that fifth.

The model that would be served is fitted to everything, so it cannot be asked itself; the trial stands in for it. The
champion has seen that fifth too, as it was when the champion was fitted. It is therefore asked only about what came
since, visit by visit, each foreseen from what its customer had done before; otherwise it would be praised for what it
remembers, and a young champion never be followed.
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from pos_discount.arrays import Floats
from pos_discount.learning.cells import cells_of
from pos_discount.learning.checkouts import checkouts_of
from pos_discount.learning.evaluation import Estimate, mean_with_interval
from pos_discount.learning.evidence import Evidence, part_visits
from pos_discount.learning.features import bins_of
from pos_discount.learning.fit import fit_sensitivity
from pos_discount.learning.fitted import FitOptions, Fitted
from pos_discount.learning.history import Visit
from pos_discount.learning.mixture import shared_tables
from pos_discount.learning.starts import owner_log_likelihood
from pos_discount.learning.targets import judge_of
from pos_discount.sensitivity import Event, SensitivityModel, parse_event_code
from pos_discount.sensitivity.model import event_likelihoods

FOLDS = 5
MOST_TAUGHT = 30_000
"""Owners that a trial is taught with at most: enough to compare two models, however many there are."""


class HeldOut(NamedTuple):
    """What a visit's held-out log likelihood gains, in nats: from the champion to a model fitted as the candidate was,
    and from one segment for everybody to the several that the fit tells apart."""

    over_champion: Estimate
    over_one_segment: Estimate


def held_out_gain(
    evidence: Evidence,
    visits: Sequence[Visit],
    previous: Fitted | None,
    champion: SensitivityModel,
    options: FitOptions,
    seed: int,
) -> HeldOut:
    """Fit a trial model without a fifth of the owners, and ask that fifth; of `visits`, the latest ones, only those
    that neither the trial nor the champion has seen. Where nobody can be asked, the estimates have no rows."""
    dice = np.random.default_rng([seed, 5])
    taught, asked = _split(evidence, dice)
    if asked.visits() < 1.0 or taught.visits() < 1.0:
        nobody = mean_with_interval(np.zeros(0), np.zeros(0, dtype=np.intp))
        return HeldOut(nobody, nobody)
    trial = fit_sensitivity(taught, previous, options, seed=seed).model
    unseen = tuple(_unseen(visits, asked, champion, dice))
    alone = owner_log_likelihood(asked, shared_tables(taught, options.noise), options.noise)
    return HeldOut(
        over_champion=_gain_by_visit(unseen, trial, champion),
        over_one_segment=_gain_by_owner(asked, log_likelihoods(trial, asked), alone),
    )


def _unseen(
    visits: Sequence[Visit], asked: Evidence, champion: SensitivityModel, dice: np.random.Generator
) -> Iterator[Visit]:
    """Yield the visits of those who are asked that came since the champion was fitted.

    Anonymous visits of one kind are alike, so any of them may stand for those that were kept from the trial.
    """
    since = int(champion.card.fitted_until or 0)
    later = [visit for visit in visits if visit.event is not None and visit.sequence > since]
    withheld = _anonymous_by_kind(asked)
    for visit, bins in zip(later, bins_of([visit.behaviour for visit in later]), strict=True):
        if visit.customer is not None:
            if _is_asked(visit.customer):
                yield visit
            continue
        kind = (bins.tobytes(), parse_event_code(visit.event or ""))
        if withheld[kind] >= 1 and dice.random() < 1.0 / FOLDS:
            withheld[kind] -= 1
            yield visit


def _anonymous_by_kind(evidence: Evidence) -> Counter[tuple[bytes, Event]]:
    """Count anonymous visits by binned behaviour and event."""
    kinds: Counter[tuple[bytes, Event]] = Counter()
    columns = evidence.counts.tocoo()
    for owner, column in zip(columns.row.tolist(), columns.col.tolist(), strict=True):
        if evidence.keys[owner] is None:
            kinds[evidence.bins[owner].tobytes(), evidence.events[column]] += round(evidence.weight[owner])
    return kinds


def _gain_by_visit(visits: Sequence[Visit], trial: SensitivityModel, champion: SensitivityModel) -> Estimate:
    """Average over visits what the trial foresaw better of how each went on; one customer's depend on one another."""
    told, others = (_foreseen(visits, model) for model in (trial, champion))
    owners = [visit.customer or f"\0{visit.decision}" for visit in visits]
    return mean_with_interval(told - others, np.unique(owners, return_inverse=True)[1])


def _foreseen(visits: Sequence[Visit], model: SensitivityModel) -> Floats:
    """Give how likely each visit's event was [N], in nats, by the belief with which it would have been decided."""
    if not visits:
        return np.zeros(0)
    codes, place = np.unique([visit.event or "" for visit in visits], return_inverse=True)
    likely = np.array([event_likelihoods(model, parse_event_code(code)) for code in codes.tolist()])
    weights = judge_of(model, checkouts_of(visits, is_prefix_trusted=True)).weights
    foreseen: Floats = np.log((weights * likely[place]).sum(axis=1))
    return foreseen


def _gain_by_owner(asked: Evidence, told: Floats, others: Floats) -> Estimate:
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
    named = (key is not None and _is_asked(key) for key in evidence.keys)
    is_asked = np.fromiter(named, dtype=np.bool_, count=len(evidence.keys))
    taught, asked = part_visits(evidence, is_asked, 1.0 / FOLDS, dice)
    thinned = dice.random(len(taught.weight)) < min(1.0, MOST_TAUGHT / max(len(taught.weight), 1))
    return taught.part(thinned), asked


def _is_asked(customer: str) -> bool:
    return hashlib.sha256(customer.encode()).digest()[0] % FOLDS == 0
