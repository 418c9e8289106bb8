"""What the fit is taught with: counts of events, by customer and, for anonymous visits, by features.

Customers and anonymous visits become one kind of thing, an owner: a customer owns all events of one person; an
anonymous pair (features, event) owns one event and stands for as many visits as it was counted. That is all that
learning reads, so a night needs one GROUP BY and no visit by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pos_discount.sensitivity import FEATURE_RULES, Event, EventCounts

Floats = NDArray[np.float64]
Bins = NDArray[np.int8]


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """O owners of E kinds of events: `counts` [O, E] sparse, `bins` [O, features], `weight` [O] visits each stands for.

    `keys` [O] names the owner from night to night (a customer's pseudonym; None for anonymous ones).
    """

    events: tuple[Event, ...]
    counts: sparse.csr_array
    bins: Bins
    weight: Floats
    keys: tuple[str | None, ...]

    def visits(self) -> float:
        """Count the visits with evidence."""
        return float(self.weight @ self.counts.sum(axis=1))

    def part(self, chosen: NDArray[np.bool_]) -> "Evidence":
        """Keep the chosen owners; the kinds of events stay."""
        kept = tuple(key for key, is_kept in zip(self.keys, chosen.tolist(), strict=True) if is_kept)
        return Evidence(self.events, self.counts[chosen], self.bins[chosen], self.weight[chosen], kept)


def gather_evidence(
    customers: Iterable[tuple[str, tuple[int, ...], EventCounts]],
    anonymous: Iterable[tuple[tuple[int, ...], Event, float]] = (),
) -> Evidence:
    """Gather counts: (key, binned features, events with counts) per customer, (binned features, event, visits) else.

    Counts may be fractions, where older evidence is to weigh less.
    """
    column_by_event: dict[Event, int] = {}
    rows, columns, values = [], [], []
    bins: list[tuple[int, ...]] = []
    weight: list[float] = []
    keys: list[str | None] = []
    for key, owner_bins, owner_events in customers:
        for event, count in owner_events:
            rows.append(len(bins))
            columns.append(column_by_event.setdefault(event, len(column_by_event)))
            values.append(float(count))
        bins.append(owner_bins)
        weight.append(1.0)
        keys.append(key)
    for owner_bins, event, visits in anonymous:
        rows.append(len(bins))
        columns.append(column_by_event.setdefault(event, len(column_by_event)))
        values.append(1.0)
        bins.append(owner_bins)
        weight.append(visits)
        keys.append(None)
    return Evidence(
        events=tuple(column_by_event),
        counts=sparse.csr_array((values, (rows, columns)), shape=(len(bins), len(column_by_event))),
        bins=np.array(bins, dtype=np.int8).reshape(len(bins), len(FEATURE_RULES)),
        weight=np.array(weight, dtype=np.float64),
        keys=tuple(keys),
    )
