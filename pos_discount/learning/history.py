"""What the store recorded, read as learning wants it: counts to fit on, and visits to evaluate on.

Counts need only a customer's latest behaviour and, for anonymous visits, a number by behaviour and event; customers'
own counts live with the customer in the store. A row that changes (a later satisfaction, a sale that is cancelled)
comes again under a new sequence: what it counted before is taken back first, so that nothing counts twice.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import msgspec

from pos_discount.learning.evidence import Evidence, gather_evidence
from pos_discount.recording import OutcomeLesson
from pos_discount.sensitivity import (
    Behaviour,
    EventCounts,
    LadderChoice,
    Stakes,
    Terms,
    bin_behaviour,
    parse_event_code,
)
from pos_discount.store import Checkout, KeptCustomer

Bins = tuple[int, ...]

MOST_REMEMBERED = 200_000
"""Anonymous visits whose outcome may still be corrected; older ones stay as they were counted."""


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


class VisitNote(msgspec.Struct, frozen=True, array_like=True):
    """A decision's notes as far as evaluation reads them; money in minor units, index 0 of `profits` is the base."""

    depths: tuple[float, ...]
    totals: tuple[int, ...]
    promoted: msgspec.Raw
    profits: tuple[float, ...]
    counted: msgspec.Raw
    choice: LadderChoice
    belief: msgspec.Raw
    behaviour: Behaviour
    stakes: Stakes | None = None
    terms: Terms | None = None
    first: tuple[str, ...] = ()


read_behaviour = msgspec.msgpack.Decoder(BehaviourNote).decode
read_visit = msgspec.msgpack.Decoder(VisitNote).decode
read_outcome_note = msgspec.msgpack.Decoder(OutcomeLesson).decode


@dataclass(slots=True)
class Counts:
    """What was counted so far: all outcomes up to `sequence`.

    `bins_by_customer` has each customer's latest behaviour, `visits_by_kind` the anonymous visits by (bins, event
    code), `kind_by_decision` what lately counted visits counted as.
    """

    sequence: int = 0
    visits: int = 0
    bins_by_customer: dict[str, Bins] = field(default_factory=dict)
    visits_by_kind: dict[tuple[Bins, str], int] = field(default_factory=dict)
    kind_by_decision: dict[int, tuple[Bins, str]] = field(default_factory=dict)

    def add(self, row: Checkout) -> None:
        """Count one outcome, new or changed."""
        self.sequence = max(self.sequence, row.sequence or 0)
        before = self.kind_by_decision.pop(row.decision, None)
        if before is not None:
            self._count(before, -1)
        if row.event is None or not row.learning:
            return
        bins = bin_behaviour(read_behaviour(row.learning).behaviour)
        if row.customer is not None:
            self.bins_by_customer[row.customer] = bins
            return
        self._count((bins, row.event), 1)
        self.kind_by_decision[row.decision] = (bins, row.event)

    def forget_old(self) -> None:
        """Stop remembering what the oldest visits counted as."""
        for decision in list(self.kind_by_decision)[: -MOST_REMEMBERED or None]:
            del self.kind_by_decision[decision]

    def _count(self, kind: tuple[Bins, str], number: int) -> None:
        left = self.visits_by_kind.get(kind, 0) + number
        if left:
            self.visits_by_kind[kind] = left
        else:
            del self.visits_by_kind[kind]


class Visit(msgspec.Struct, frozen=True):
    """One checkout with its outcome, to be evaluated: what could be chosen, what was, and what came of it.

    `own_events` are those known when it was decided; `reward` is gross profit less the seconds spent, minor units.
    `said` are the rungs said, numbered as answered, with their reactions; None where the till did not say.
    """

    decision: int
    customer: str | None
    store_id: str
    till_id: str | None
    arm: str
    model_version: str | None
    segment_id: str | None
    result: str
    event: str | None
    rung: int | None
    satisfaction: int | None
    choice: LadderChoice
    stakes: Stakes
    terms: Terms
    behaviour: Behaviour
    own_events: tuple[tuple[str, int], ...]
    said: tuple[tuple[int, str], ...] | None
    reward: float


def evidence_of(counts: Counts, customers: Iterable[tuple[str, KeptCustomer]]) -> Evidence:
    """Gather what the fit is taught with; customers whose behaviour was never seen here are left out."""
    known = (
        (customer, counts.bins_by_customer[customer], _events(kept.events))
        for customer, kept in customers
        if customer in counts.bins_by_customer and kept.events
    )
    anonymous = (
        (bins, parse_event_code(code), float(visits)) for (bins, code), visits in counts.visits_by_kind.items()
    )
    return gather_evidence(known, anonymous)


def visits_of(
    rows: Iterable[Checkout], events_by_customer: dict[str, tuple[tuple[str, int], ...]]
) -> tuple[Visit, ...]:
    """Read rows, all outcomes from some sequence on, as visits in order of decision.

    `events_by_customer` are the counts as they stand now: what came after a visit's decision is taken off. Cancelled
    sales, and records too old to say what could have been chosen, are left out.
    """
    kept = [row for row in rows if row.result not in (None, "cancelled") and row.learning]
    later = _events_by_moment(kept)
    visits = (_visit(row, events_by_customer, later) for row in sorted(kept, key=lambda row: row.decision))
    return tuple(visit for visit in visits if visit is not None)


def _visit(
    row: Checkout,
    events_by_customer: dict[str, tuple[tuple[str, int], ...]],
    later: dict[str, list[tuple[int, str]]],
) -> Visit | None:
    note, outcome = read_visit(row.learning), read_outcome_note(row.outcome_learning or b"\x93\x00\x00\xc0")
    if note.stakes is None or note.terms is None or not note.choice.rungs:
        return None
    own = dict(events_by_customer.get(row.customer or "", ()))
    for received_at, code in later.get(row.customer or "", ()):
        if received_at > row.made_at and own.get(code, 0):
            own[code] -= 1
    return Visit(
        decision=row.decision,
        customer=row.customer,
        store_id=row.store_id,
        till_id=row.till_id,
        arm=row.arm,
        model_version=row.model_version if row.fallback is None else None,
        segment_id=row.segment_id,
        result=row.result or "",
        event=row.event,
        rung=row.rung,
        satisfaction=row.satisfaction,
        choice=note.choice,
        stakes=note.stakes,
        terms=note.terms,
        behaviour=note.behaviour,
        own_events=tuple((code, count) for code, count in own.items() if count > 0),
        said=outcome.offers,
        reward=outcome.profit - note.terms.offer_cost * _spoken(row, outcome, note),
    )


def _spoken(row: Checkout, outcome: OutcomeLesson, note: VisitNote) -> int:
    """Count the rungs said; where the till did not say, as many as the result implies."""
    if outcome.offers is not None:
        return len(outcome.offers)
    if row.result == "not_offered":
        return 0
    return row.rung or len(note.choice.rungs)


def _events_by_moment(rows: Iterable[Checkout]) -> dict[str, list[tuple[int, str]]]:
    """List each customer's events with the moment when they were received."""
    found: dict[str, list[tuple[int, str]]] = {}
    for row in rows:
        if row.customer is not None and row.event is not None and row.received_at is not None:
            found.setdefault(row.customer, []).append((row.received_at, row.event))
    return found


def _events(codes: tuple[tuple[str, int], ...]) -> EventCounts:
    return tuple((parse_event_code(code), count) for code, count in codes)
