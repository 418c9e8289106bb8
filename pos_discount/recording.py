"""What is written of a decision and of how it ended: the bridge from the core's values to the store's records.

Pure. A decision's inputs are kept whole, so that it can be decided again to the same bytes; beside them what an
outcome counts, and what learning reads, so that neither has to decide again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, tzinfo

import msgspec

from pos_discount.answer import Answer, Discount, LineNet
from pos_discount.basket import Basket
from pos_discount.decide import Counted, Decision, Explain, Known, Seed
from pos_discount.sensitivity import Behaviour, Belief, LadderChoice, Stakes, Terms
from pos_discount.store import DecisionRecord


class Inputs(msgspec.Struct, frozen=True):
    """All that a decision depended on; the customer's id in the basket is a pseudonym."""

    basket: Basket
    known: Known
    now: datetime
    seed: Seed
    explain: Explain
    policy_version: str
    model_version: str | None


class Notes(msgspec.Struct, frozen=True, array_like=True):
    """What is kept of a decision beside its answer, for its outcome and for learning.

    Index 0 of ``profits``, ``counted``, ``promoted`` and ``totals`` is the base, index k rung k as answered.
    ``depths`` are those of the rungs. ``promoted`` is the part of a total that is bought on promotion. All money is
    in minor units. ``stakes`` and ``terms`` are what another model would have chosen from; None where a record is
    older than they are. ``first`` are rung 1's promotions, which no arm and no model has a say in.
    """

    depths: tuple[float, ...]
    totals: tuple[int, ...]
    promoted: tuple[int, ...]
    profits: tuple[float, ...]
    counted: tuple[tuple[Counted, ...], ...]
    choice: LadderChoice
    belief: Belief
    behaviour: Behaviour
    stakes: Stakes | None = None
    terms: Terms | None = None
    first: tuple[str, ...] = ()


class OutcomeLesson(msgspec.Struct, frozen=True, array_like=True):
    """What learning and measuring read of an outcome: money in minor units, and the rungs said with their answers.

    ``offers`` None: the till did not say. A sale that was lost earned nothing.
    """

    profit: float
    paid: int
    offers: tuple[tuple[int, str], ...] | None


def microseconds(moment: datetime) -> int:
    """Return a moment as the store counts: whole microseconds since 1970.

    >>> from datetime import UTC
    >>> microseconds(datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC))
    1000000
    """
    return (moment - _EPOCH) // _MICROSECOND


_EPOCH = datetime.fromisoformat("1970-01-01T00:00:00+00:00")
_MICROSECOND = timedelta(microseconds=1)


def local_day(moment: datetime, zone: tzinfo) -> int:
    """Return the day of a moment on the house's calendar, as `date.toordinal` counts."""
    return moment.astimezone(zone).toordinal()


def decision_record(inputs: Inputs, decision: Decision, answer: bytes) -> DecisionRecord:
    """Make the record of a decision; ``answer`` are the exact bytes that are sent."""
    basket, told = inputs.basket, decision.answer
    return DecisionRecord(
        decision_id=told.decision_id,
        store_id=basket.store_id,
        made_at=microseconds(inputs.now),
        decided_at=microseconds(told.at),
        expires_at=microseconds(told.expires_at),
        policy_version=told.policy_version,
        arm=told.arm,
        seed=inputs.seed.dice,
        inputs=_encode_json(inputs),
        answer=answer,
        till_id=basket.till_id,
        cashier_id=basket.cashier_id,
        sale_id=basket.sale_id,
        customer=basket.customer.customer_id if basket.customer else None,
        model_version=told.model_version,
        segment_id=told.segment.segment_id if told.segment else None,
        fallback=told.fallback,
        learning=_encode_msgpack(notes_of(basket, decision)),
    )


def notes_of(basket: Basket, decision: Decision) -> Notes:
    """Gather what an outcome and learning will want to know of a decision."""
    answer = decision.answer
    return Notes(
        depths=tuple(rung.depth for rung in answer.ladder),
        totals=(answer.base.total, *(rung.total for rung in answer.ladder)),
        promoted=(_promoted_at_base(basket, answer), *(_promoted(rung.lines) for rung in answer.ladder)),
        profits=decision.profits,
        counted=(decision.counted_at_base, *decision.counted_by_rung),
        choice=decision.choice,
        belief=decision.belief,
        behaviour=decision.behaviour,
        stakes=decision.stakes,
        terms=decision.terms,
        first=answer.ladder[0].promotions if answer.ladder else (),
    )


def nets_at_base(basket: Basket, discounts: Sequence[Discount]) -> dict[str, int]:
    """Return what each line costs after the base's discounts, by line id."""
    nets = {line.line_id: line.unit_price * line.quantity for line in basket.lines}
    for discount in discounts:
        for share in discount.lines:
            nets[share.line_id] -= share.saving
    return nets


def _promoted_at_base(basket: Basket, answer: Answer) -> int:
    if not answer.base.discounts:
        return 0
    touched = {share.line_id for discount in answer.base.discounts for share in discount.lines if share.saving}
    return sum(net for line_id, net in nets_at_base(basket, answer.base.discounts).items() if line_id in touched)


def _promoted(lines: Sequence[LineNet]) -> int:
    return sum(line.net for line in lines if line.saving)


_encode_json = msgspec.json.Encoder().encode
_encode_msgpack = msgspec.msgpack.Encoder().encode
read_inputs = msgspec.json.Decoder(Inputs).decode
read_notes = msgspec.msgpack.Decoder(Notes).decode
read_answer = msgspec.json.Decoder(Answer).decode
