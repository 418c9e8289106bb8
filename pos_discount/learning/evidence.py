"""What the fit is taught with: counts of events, by customer and, for anonymous visits, by features.

Customers and anonymous visits become one kind of thing, an owner: a customer owns all events of one person; an
anonymous pair (features, event) owns one event and stands for as many visits as it was counted. That is all that
learning reads, so a night needs one GROUP BY and no visit by itself.
"""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pos_discount.arrays import Bools, Floats
from pos_discount.sensitivity import FEATURE_RULES, Event, EventCounts, parse_event_code

Bins = NDArray[np.int8]
CodedEvents = Iterable[tuple[str, float]]


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

    def part(self, chosen: Bools) -> "Evidence":
        """Keep the chosen owners; the kinds of events stay."""
        kept = tuple(key for key, is_kept in zip(self.keys, chosen.tolist(), strict=True) if is_kept)
        return Evidence(self.events, self.counts[chosen], self.bins[chosen], self.weight[chosen], kept)


def totals_of(events: Sequence[Event], seen: Floats) -> Evidence:
    """Make evidence of how often each event was `seen` [E] by anybody: all that one segment for everybody needs."""
    there = np.flatnonzero(seen > 0.0)
    return Evidence(
        events=tuple(events),
        counts=sparse.csr_array((np.ones(len(there)), there, np.arange(len(there) + 1)), (len(there), len(events))),
        bins=np.zeros((len(there), len(FEATURE_RULES)), dtype=np.int8),
        weight=seen[there],
        keys=(None,) * len(there),
    )


def part_visits(
    evidence: Evidence, is_asked: Bools, share: float, dice: np.random.Generator
) -> tuple[Evidence, Evidence]:
    """Part evidence into what is taught and what is asked: customers whole, as `is_asked` [O] says, anonymous visits
    one by one, so that no kind of event is kept from either side for having a single owner.
    """
    is_anonymous = np.fromiter((key is None for key in evidence.keys), dtype=np.bool_, count=len(evidence.keys))
    visits = np.where(is_anonymous, evidence.weight, 0.0)
    drawn = dice.binomial(np.rint(visits).astype(np.int64), share)
    asked = np.where(is_anonymous, drawn, np.where(is_asked, evidence.weight, 0.0))
    return _weighed(evidence, evidence.weight - asked), _weighed(evidence, asked)


def _weighed(evidence: Evidence, weight: Floats) -> Evidence:
    return replace(evidence, weight=weight.astype(np.float64)).part(weight > 0.0)


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


class Gathering:
    """Gathers coded counts row by row into flat arrays, for millions of customers."""

    def __init__(self) -> None:
        self._column_by_code: dict[str, int] = {}
        self._columns, self._values, self._ends = array("i"), array("d"), array("q", [0])
        self._bins: list[Bins] = []
        self._weight: list[Floats] = []
        self._keys: list[str | None] = []

    def add_customers(self, names: Sequence[str], bins: Bins, events: Iterable[CodedEvents]) -> None:
        """Add customers, all at once: their `bins` [n, features] and events."""
        for own in events:
            for code, count in own:
                self._columns.append(self._column_by_code.setdefault(code, len(self._column_by_code)))
                self._values.append(count)
            self._ends.append(len(self._columns))
        self._bins.append(bins)
        self._weight.append(np.ones(len(names)))
        self._keys += names

    def add_anonymous(self, visits_by_kind: Iterable[tuple[tuple[bytes, str], int]]) -> None:
        """Add anonymous visits: ((bins as bytes, event code), visits)."""
        kinds = list(visits_by_kind)
        for (_, code), _ in kinds:
            self._columns.append(self._column_by_code.setdefault(code, len(self._column_by_code)))
            self._values.append(1.0)
            self._ends.append(len(self._columns))
        told = np.frombuffer(b"".join(bins for (bins, _), _ in kinds), dtype=np.int8)
        self._bins.append(told.reshape(len(kinds), len(FEATURE_RULES)))
        self._weight.append(np.array([visits for _, visits in kinds], dtype=np.float64))
        self._keys += [None] * len(kinds)

    def evidence(self) -> Evidence:
        """Give what was gathered."""
        flat = (np.array(self._values), np.array(self._columns), np.array(self._ends))
        shape = (len(self._keys), len(self._column_by_code))
        return Evidence(
            events=tuple(parse_event_code(code) for code in self._column_by_code),
            counts=sparse.csr_array(flat, shape=shape),
            bins=np.concatenate([np.zeros((0, len(FEATURE_RULES)), dtype=np.int8), *self._bins]),
            weight=np.concatenate([np.zeros(0), *self._weight]),
            keys=tuple(self._keys),
        )
