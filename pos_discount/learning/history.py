"""What the store recorded of the latest checkouts, read as evaluation wants it: what could be chosen, what was, and
what came of it. What fits are taught with is counted in `counts`.
"""

from collections.abc import Iterable

import msgspec

from pos_discount.recording import OutcomeLesson
from pos_discount.sensitivity import Behaviour, LadderChoice, Stakes, Terms
from pos_discount.store import Checkout


class VisitNote(msgspec.Struct, frozen=True, array_like=True, gc=False):
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


read_visit = msgspec.msgpack.Decoder(VisitNote).decode
read_outcome_note = msgspec.msgpack.Decoder(OutcomeLesson).decode


class Visit(msgspec.Struct, frozen=True, gc=False):
    """One checkout with its outcome, to be evaluated: what could be chosen, what was, and what came of it.

    `sequence` numbers its outcome among all. `own_events` are those known when it was decided; `reward` is gross profit
    less the seconds spent, minor units. `said` are the rungs said, numbered as answered, with their reactions; None
    where the till did not say.
    """

    decision: int
    sequence: int
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
        sequence=row.sequence or 0,
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
