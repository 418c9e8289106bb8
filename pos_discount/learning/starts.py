"""Where EM starts: how many segments there are, and which of several starting points leads furthest.

EM only climbs, so several starts are tried, on a bounded share of the owners, and judged on visits that none has seen.
"""

import numpy as np

from pos_discount.arrays import Floats
from pos_discount.learning.evidence import Evidence, part_visits
from pos_discount.learning.fitted import FitOptions, Fitted
from pos_discount.learning.mixture import Strengths, Tables, fit_mixture, owner_scores, parts_of, with_mixes

HELD_OUT = 0.25
MOST_TRIED = 20_000
"""Owners that starts are tried on at most; what is found there is then fitted to all."""


def some_owners(evidence: Evidence, dice: np.random.Generator) -> Evidence:
    """Draw about MOST_TRIED owners where there are more."""
    if len(evidence.weight) <= MOST_TRIED:
        return evidence
    return evidence.part(dice.random(len(evidence.weight)) < MOST_TRIED / len(evidence.weight))


def choose_start(
    evidence: Evidence, previous: Fitted | None, shared: Tables, options: FitOptions, dice: np.random.Generator
) -> tuple[Tables, float | None]:
    """Choose the number of segments: the fewest whose held-out likelihood is within one standard error of the best."""
    is_held_out = dice.random(len(evidence.weight)) < HELD_OUT
    visit_dice = np.random.default_rng([len(evidence.weight), 25])  # of its own: the starts' dice stay what they are
    taught, asked = part_visits(evidence, is_held_out, HELD_OUT, visit_dice)
    visits = asked.visits()
    if visits < 50 or not taught.visits():
        return shared, None
    tried = [(number, *_best_of_starts(taught, number, previous, shared, options, dice)) for number in options.segments]
    told = [owner_log_likelihood(asked, tables, options.noise) for _, tables, _ in tried]
    best = int(np.argmax([float(asked.weight @ each) for each in told]))
    for index, (_, tables, _) in enumerate(tried):
        gap = told[best] - told[index]
        total, spread = float(asked.weight @ gap), float(np.sqrt(asked.weight @ gap**2))
        if total <= spread:
            return tables, float(asked.weight @ told[index]) / visits
    return tried[best][1], float(asked.weight @ told[best]) / visits


def owner_log_likelihood(evidence: Evidence, tables: Tables, noise: float) -> Floats:
    """Give each owner's log likelihood [O], all its events together, under tables of one cell."""
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
