"""Visits as columns, so that a model is weighed on tens of thousands of them at once.

Hides how visits of different baskets come into one table: rungs are padded to the widest basket, and ladders and what
was executed of them are numbered. What depends on no model is read off the visits once and serves every policy.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from pos_discount.arrays import Bools, Floats, Ints
from pos_discount.learning.evaluation import LEAST_LIKELY
from pos_discount.learning.executed import Executed, agrees, executed_of, has_refused_first
from pos_discount.learning.features import bins_of
from pos_discount.learning.history import Visit
from pos_discount.sensitivity import Event, Stakes, Terms, parse_event_code
from pos_discount.sensitivity.ladder import Distribution
from pos_discount.sensitivity.stakes import Ladder

MOST_LOOKED_UP = 5_000
"""Ladders up to which what was possible is looked up in a table of visits and ladders."""


@dataclass(slots=True)
class Ladders:
    """Numbers ladders in the order in which they turn up."""

    number_by_ladder: dict[Ladder, int] = field(default_factory=dict)
    known: list[Ladder] = field(default_factory=list)

    def number(self, ladder: Ladder) -> int:
        """Give a ladder's number."""
        place = self.number_by_ladder.get(ladder)
        if place is None:
            place = self.number_by_ladder[ladder] = len(self.known)
            self.known.append(ladder)
        return place

    def rungs(self) -> Ints:
        """Give all ladders [L, longest], -1 beyond their ends."""
        longest = max((len(ladder) for ladder in self.known), default=0)
        padded = [(*ladder, *(-1,) * (longest - len(ladder))) for ladder in self.known]
        return np.array(padded, dtype=np.intp).reshape(len(padded), longest)


class Spread(NamedTuple):
    """Which ladders a policy may say at which visits: P triples of visit `row`, `ladder` number and its `mass`."""

    row: Ints
    ladder: Ints
    mass: Floats

    def at(self, chosen: Bools) -> "Spread":
        """Keep the visits that are chosen [N]."""
        return self.only(chosen[self.row])

    def only(self, kept: Bools) -> "Spread":
        """Keep the triples that are chosen [P]."""
        return Spread(self.row[kept], self.ladder[kept], self.mass[kept])


def joined(parts: Sequence[Spread]) -> Spread:
    """Put spreads over different visits one after the other."""
    return Spread(
        row=np.concatenate([part.row for part in parts]),
        ladder=np.concatenate([part.ladder for part in parts]),
        mass=np.concatenate([part.mass for part in parts]),
    )


class Baskets(NamedTuple):
    """What N baskets have: `depths` and `profits` [N, K] (padded with the deepest's), number of `rungs`, base and
    cost of an offer [N]; `terms` has the house's terms of each, `kind` [N] numbers equal (rungs, terms) pairs."""

    depths: Floats
    profits: Floats
    rungs: Ints
    base_profit: Floats
    base_total: Floats
    offer_cost: Floats
    terms: tuple[Terms, ...]
    kind: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Checkouts:
    """N visits as columns: baskets, `bins` [N, features], own `counts` [N, E] of `events` known at the time, the
    `logged` policy, the ladder that was `chosen` [N], and `done` [N], the number of what was executed (`executed`);
    `has_refused` [N] says where rung 1 was named and refused.

    Beyond rung 1, what is evidence is settled by the ladder that was drawn, never by what came of it: `is_heard` [N]
    where that was a possible one, `likely` [N] the probability of all possible ladders that would have shown what was
    seen. Were what was seen itself asked how likely it was, a walk-out at rung 1, which every longer ladder shares,
    would be heard and the acceptance of a rare rung after it not, and whatever differs from the recorded policy would
    look poor. Where no ladder could have made a difference (`is_alike` [N]), all are possible.
    """

    baskets: Baskets
    bins: NDArray[np.int8]
    events: tuple[Event, ...]
    counts: sparse.csr_array
    ladders: Ladders
    logged: Spread
    chosen: Ints
    executed: tuple[Executed, ...]
    done: Ints
    has_refused: Bools
    is_alike: Bools = field(init=False)
    is_heard: Bools = field(init=False)
    likely: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Find what is evidence, and how likely it was."""
        rows = np.arange(len(self.done))
        is_alike = np.array([len(each.prefix) < 2 and each.reach in ("prefix", "free") for each in self.executed])
        object.__setattr__(self, "is_alike", is_alike[self.done] if len(rows) else np.zeros(0, dtype=np.bool_))
        chosen = Spread(rows, self.chosen, np.ones(len(rows)))
        object.__setattr__(self, "is_heard", self.is_alike | self.possible(chosen))
        mass = self.logged.mass * self.agreeing(self.logged) * self.speaks(self.logged)
        object.__setattr__(self, "likely", np.bincount(self.logged.row, mass, len(rows)).astype(np.float64))

    def __len__(self) -> int:
        """Count the visits."""
        return len(self.done)

    def agreeing(self, spread: Spread) -> Bools:
        """Say of each triple [P] whether its ladder would have shown what its visit showed."""
        width = len(self.executed)
        keys = spread.ladder * width + self.done[spread.row]
        answers = np.zeros(len(self.ladders.known) * width, dtype=np.bool_)
        answers[keys] = True
        for kind in np.flatnonzero(answers).tolist():
            answers[kind] = agrees(self.ladders.known[kind // width], self.executed[kind % width])
        agreeing: Bools = answers[keys]
        return agreeing

    def speaks(self, spread: Spread) -> Bools:
        """Say of each triple [P] whether its visit is evidence of its ladder, if that would have shown the same."""
        speaks: Bools = self.is_alike[spread.row] | (self.is_heard[spread.row] & self.possible(spread))
        return speaks

    def possible(self, spread: Spread) -> Bools:
        """Say of each triple [P] whether its ladder could well have been chosen when the visit was decided."""
        width, possible = len(self.ladders.known), self.logged.only(self.logged.mass >= LEAST_LIKELY)
        there = possible.row * width + possible.ladder
        kind: Literal["table"] | None = "table" if width <= MOST_LOOKED_UP else None
        found: Bools = np.isin(spread.row * width + spread.ladder, there, kind=kind)
        return found


def checkouts_of(visits: Sequence[Visit], is_prefix_trusted: bool) -> Checkouts:
    """Read visits as columns; `is_prefix_trusted` says whether the beginning of a ladder may be weighed alone."""
    ladders, number_by_done = Ladders(), dict[Executed, int]()
    done = [number_by_done.setdefault(executed_of(visit, is_prefix_trusted), len(number_by_done)) for visit in visits]
    events, counts = _own_events(visits)
    return Checkouts(
        baskets=baskets_of([visit.stakes for visit in visits], [visit.terms for visit in visits]),
        bins=bins_of([visit.behaviour for visit in visits]),
        events=events,
        counts=counts,
        ladders=ladders,
        logged=spread_of((visit.choice.distribution for visit in visits), ladders),
        chosen=np.array([ladders.number(visit.choice.rungs) for visit in visits], dtype=np.intp),
        executed=tuple(number_by_done),
        done=np.array(done, dtype=np.intp),
        has_refused=np.fromiter(map(has_refused_first, visits), dtype=np.bool_, count=len(visits)),
    )


def spread_of(distributions: Iterable[Distribution], ladders: Ladders) -> Spread:
    """Lay the distributions of N visits flat."""
    rows: list[int] = []
    numbers: list[int] = []
    masses: list[float] = []
    for row, distribution in enumerate(distributions):
        for ladder, mass in distribution:
            rows.append(row)
            numbers.append(ladders.number(ladder))
            masses.append(mass)
    return Spread(np.array(rows, dtype=np.intp), np.array(numbers, dtype=np.intp), np.array(masses, dtype=np.float64))


def baskets_of(stakes: Sequence[Stakes], terms: Sequence[Terms]) -> Baskets:
    """Lay baskets out as columns."""
    widest = max((len(each.depths) for each in stakes), default=0)
    number_by_kind: dict[tuple[int, Terms], int] = {}
    kinds = [
        number_by_kind.setdefault((len(each.depths), own), len(number_by_kind))
        for each, own in zip(stakes, terms, strict=True)
    ]
    return Baskets(
        depths=_padded([each.depths for each in stakes], widest),
        profits=_padded([each.profits for each in stakes], widest),
        rungs=np.array([len(each.depths) for each in stakes], dtype=np.intp),
        base_profit=np.array([each.base_profit for each in stakes], dtype=np.float64),
        base_total=np.array([each.base_total for each in stakes], dtype=np.float64),
        offer_cost=np.array([each.offer_cost for each in terms], dtype=np.float64),
        terms=tuple(terms),
        kind=np.array(kinds, dtype=np.intp),
    )


def _padded(rows: Sequence[tuple[float, ...]], width: int) -> Floats:
    padded = [row if len(row) == width else (*row, *(row[-1:] or (0.0,)) * (width - len(row))) for row in rows]
    return np.array(padded, dtype=np.float64).reshape(len(rows), width)


def _own_events(visits: Sequence[Visit]) -> tuple[tuple[Event, ...], sparse.csr_array]:
    column_by_code: dict[str, int] = {}
    columns: list[int] = []
    values: list[int] = []
    ends = [0]
    for visit in visits:
        for code, count in visit.own_events:
            columns.append(column_by_code.setdefault(code, len(column_by_code)))
            values.append(count)
        ends.append(len(columns))
    shape = (len(visits), len(column_by_code))
    counts = sparse.csr_array((np.array(values, dtype=np.float64), columns, ends), shape=shape)
    return tuple(parse_event_code(code) for code in column_by_code), counts
