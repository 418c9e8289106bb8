"""What was counted of the till's outcomes so far, and what a day added to it.

Counts need only a customer's latest behaviour and, for anonymous visits, a number by behaviour and event; customers'
own counts live with the customer in the store. A row that changes (a later satisfaction, a sale that is cancelled)
comes again under a new sequence: what it counted before is taken back first, so that nothing counts twice. Behaviours
lie in arrays, so that millions of customers are read and written in the blink of an eye and a day touches its own only.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

import msgspec
import numpy as np
from numpy.typing import NDArray

from pos_discount.arrays import Bools
from pos_discount.learning.features import bins_of
from pos_discount.sensitivity import FEATURE_RULES, Behaviour
from pos_discount.store import Lesson

Kind = tuple[bytes, str]
"""Binned behaviour, one byte a feature (none for a known customer's visit), and an event's code."""

FEATURES = len(FEATURE_RULES)
MOST_REMEMBERED = 200_000
"""Visits whose outcome may still be corrected at once; an older correction counts fully with the next `--full`."""


class BehaviourNote(msgspec.Struct, frozen=True, array_like=True):
    """A decision's notes as far as counting reads them: the service's `Notes`, all but the behaviour left unread."""

    depths: msgspec.Raw
    totals: msgspec.Raw
    promoted: msgspec.Raw
    profits: msgspec.Raw
    counted: msgspec.Raw
    choice: msgspec.Raw
    belief: msgspec.Raw
    behaviour: Behaviour


read_behaviour = msgspec.msgpack.Decoder(BehaviourNote).decode


@dataclass(slots=True)
class Behaviours:
    """Customers' latest binned behaviour: `names` [C] sorted with `bins` [C, features], and what is newer than that."""

    names: NDArray[np.bytes_] = field(default_factory=lambda: np.zeros(0, dtype="S1"))
    bins: NDArray[np.int8] = field(default_factory=lambda: np.zeros((0, FEATURES), dtype=np.int8))
    newer: dict[str, bytes] = field(default_factory=dict)

    def __len__(self) -> int:
        """Count the customers, as they were when last settled."""
        return len(self.names)

    def settled(self, customers: Sequence[str]) -> tuple[NDArray[np.int8], Bools]:
        """Give behaviours [n, features] as they were before what is newer, and who [n] was known then."""
        wanted = np.array([name.encode() for name in customers], dtype=np.bytes_)
        place = np.searchsorted(self.names, wanted).clip(max=max(len(self.names) - 1, 0))
        if not len(self.names) or not len(wanted):
            return np.zeros((len(wanted), FEATURES), dtype=np.int8), np.zeros(len(wanted), dtype=np.bool_)
        return self.bins[place], self.names[place] == wanted

    def settle(self) -> None:
        """Lay what is newer among the rest."""
        if not self.newer:
            return
        newer = sorted((name.encode(), bins) for name, bins in self.newer.items())
        names = np.array([name for name, _ in newer], dtype=np.bytes_)
        bins = np.frombuffer(b"".join(own for _, own in newer), dtype=np.int8).reshape(len(newer), FEATURES)
        kept = ~np.isin(self.names, names)
        all_names = np.concatenate([self.names[kept], names])
        order = np.argsort(all_names, kind="stable")
        self.names, self.bins = all_names[order], np.concatenate([self.bins[kept], bins])[order]
        self.newer = {}

    def keep(self, customers: Iterable[str]) -> None:
        """Keep some customers and forget all others."""
        chosen = np.isin(self.names, np.array([name.encode() for name in customers], dtype=np.bytes_))
        self.names, self.bins = self.names[chosen], self.bins[chosen]


@dataclass(slots=True)
class Today:
    """What was added since last night: events by customer and anonymous visits by kind, less what was taken back."""

    events_by_customer: dict[str, dict[str, int]] = field(default_factory=dict)
    visits_by_kind: dict[Kind, int] = field(default_factory=dict)

    def add(self, customer: str | None, kind: Kind, number: int) -> None:
        """Add a number of visits of a kind."""
        if customer is None:
            self.visits_by_kind[kind] = self.visits_by_kind.get(kind, 0) + number
        else:
            events = self.events_by_customer.setdefault(customer, {})
            events[kind[1]] = events.get(kind[1], 0) + number

    def visits(self) -> int:
        """Count the visits with evidence that were added."""
        named = sum(sum(events.values()) for events in self.events_by_customer.values())
        return named + sum(self.visits_by_kind.values())


@dataclass(slots=True)
class Counts:
    """What was counted so far: all outcomes up to `sequence`.

    `visits_by_kind` has the anonymous visits, `kind_by_decision` what lately counted visits counted as.
    """

    sequence: int = 0
    visits: int = 0
    behaviours: Behaviours = field(default_factory=Behaviours)
    visits_by_kind: dict[Kind, int] = field(default_factory=dict)
    kind_by_decision: dict[int, Kind] = field(default_factory=dict)

    def read(self, blocks: Iterable[Sequence[Lesson]]) -> Today | None:
        """Count what is new and give it; None where all is new, since nothing goes on from before."""
        today = Today() if self.sequence else None
        for block in blocks:
            self._add(block, today)
            if len(self.kind_by_decision) > 2 * MOST_REMEMBERED:
                self._forget_old()
        self._forget_old()
        return today

    def _add(self, block: Sequence[Lesson], today: Today | None) -> None:
        taught = [row for row in block if row.event is not None and row.learning]
        behaviours = bins_of([read_behaviour(row.learning).behaviour for row in taught]).tobytes()
        for row in block:
            before = self.kind_by_decision.pop(row.decision, None)
            if before is not None:
                self._count(row.customer, before, -1, today)
        for place, row in enumerate(taught):
            bins, code = behaviours[FEATURES * place : FEATURES * (place + 1)], row.event or ""
            kind = (bins, code) if row.customer is None else (b"", code)
            self._count(row.customer, kind, 1, today)
            self.kind_by_decision[row.decision] = kind
            if row.customer is not None:
                self.behaviours.newer[row.customer] = bins
        self.sequence = max(self.sequence, block[-1].sequence)
        self.visits += len(block)

    def _count(self, customer: str | None, kind: Kind, number: int, today: Today | None) -> None:
        if today is not None:
            today.add(customer, kind, number)
        if customer is not None:
            return
        left = self.visits_by_kind.get(kind, 0) + number
        if left:
            self.visits_by_kind[kind] = left
        else:
            del self.visits_by_kind[kind]

    def _forget_old(self) -> None:
        """Stop remembering what the oldest visits counted as."""
        for decision in list(islice(self.kind_by_decision, max(0, len(self.kind_by_decision) - MOST_REMEMBERED))):
            del self.kind_by_decision[decision]
