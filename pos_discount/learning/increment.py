"""A night that costs what the day brought: only customers seen today are weighed again.

EM's sums over all owners stay as they are, save that today's customers are taken out with what they counted for
before and put in with what they count for now: X += r_new H_new - r_old H_old. What they counted for is recomputed
with last night's tables, which is exact for whoever was weighed then and close for others; a full fit, due weekly,
makes it exact again. Source: incremental EM (Neal and Hinton 1998).
"""

import numpy as np

from pos_discount.learning.cells import cells_of
from pos_discount.learning.evidence import Evidence
from pos_discount.learning.fitted import Learned
from pos_discount.learning.mixture import Sums, Tables, expected_of_sums, maximise, sum_up


def fit_increment(
    learned: Learned, before: Evidence, after: Evidence, noise: float, iterations: int = 10
) -> tuple[Tables, Sums]:
    """Go on from what was `learned` last night with today's owners alone; gives tables and sums.

    `before` has the counts of customers seen today as they were last night (customers not known then are left out),
    `after` their counts now, and today's anonymous visits.
    """
    tables, cells = learned.tables, cells_of(learned.tree, after.bins)
    rest = _less(learned.sums, sum_up(before, tables, cells_of(learned.tree, before.bins), noise))
    for _ in range(iterations):
        total = _plus(rest, sum_up(after, tables, cells, noise))
        tables = maximise(expected_of_sums(total, tables, noise), learned.shared, learned.strengths)
    return tables, _plus(rest, sum_up(after, tables, cells, noise))


def _less(sums: Sums, other: Sums) -> Sums:
    """Take sums out; rounding and older weights may leave a trace below zero, which is cut."""
    left = _plus(sums, Sums(other.events, -other.seen, -other.mixes))
    return Sums(left.events, np.maximum(left.seen, 0.0), np.maximum(left.mixes, 0.0))


def _plus(sums: Sums, other: Sums) -> Sums:
    row_by_event = {event: row for row, event in enumerate(sums.events)}
    events = (*sums.events, *(event for event in other.events if event not in row_by_event))
    row_by_event = {event: row for row, event in enumerate(events)}
    seen = np.concatenate([sums.seen, np.zeros((len(events) - len(sums.events), sums.seen.shape[1]))])
    np.add.at(seen, [row_by_event[event] for event in other.events], other.seen)
    return Sums(events, seen, sums.mixes + other.mixes)
