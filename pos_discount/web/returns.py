"""Returns: what may be brought back of a sale, its refund, and its record.

What is kept is priced with the sale's own promotions, policy and time, so that returning one of a 3-for-2 doesn't pay
for the free one; how the refund follows from that is told in `pricing.returns`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import msgspec

from pos_discount.basket import SALES
from pos_discount.pricing.returns import Refunded, Returned, paid_for, refunds
from pos_discount.recording import local_day, microseconds
from pos_discount.store import Claim, NoSale, Reply, ReturnConflict, ReturnRecord, Store
from pos_discount.store import ReturnedLine as KeptLine
from pos_discount.web.bodies import BodyReader
from pos_discount.web.decisions import answering_with
from pos_discount.web.keys import Caller
from pos_discount.web.messages import LineRefund, OutcomeReport, ReturnAnswer, ReturnedLine, ReturnRequest
from pos_discount.web.outcomes import open_sale
from pos_discount.web.problems import Fault, Problem, invalid, retry_later
from pos_discount.web.sales import Archive, KeptSale, Sold, reduced

MOST_TRIES = 20

_encode = msgspec.json.Encoder().encode
_read_outcome = msgspec.json.Decoder(OutcomeReport).decode


class Returns:
    """Computes and records refunds."""

    def __init__(self, store: Store, archive: Archive) -> None:
        self._store = store
        self._archive = archive
        self._reader = BodyReader(ReturnRequest)

    def record(
        self, caller: Caller, decision_id: str, body: bytes, claim: Claim | None, reply_of: Callable[[bytes], Reply]
    ) -> Reply:
        """Record a return and reply with its refund; computed again where another return came first."""
        request = self._reader.read(body)
        for _ in range(MOST_TRIES):
            record = _record(open_sale(self._store, self._archive, caller, decision_id), request)
            reply = reply_of(record.answer)
            try:
                self._store.record_return(record, answering_with(reply, claim))
            except ReturnConflict:
                continue
            except NoSale:
                raise _no_sale() from None
            return reply
        raise retry_later("overloaded", "Other returns of this sale came first again and again; try again.")


def _record(sale: KeptSale, request: ReturnRequest) -> ReturnRecord:
    outcome = sale.kept.outcome
    if outcome is None or outcome.result not in SALES:
        raise _no_sale()
    earlier = [line for returned in sale.kept.returns for line in returned.lines]
    if faults := tuple(_faults(sale, request, earlier)):
        raise invalid(faults)
    sold = sale.sold(outcome.rung, outcome.promotions)
    amounts = _refund(sale, sold, _read_outcome(outcome.body).paid_total, earlier, request.lines)
    now = datetime.now(UTC)
    return ReturnRecord(
        store_id=sale.record.store_id,
        decision_id=sale.record.decision_id,
        number=len(sale.kept.returns) + 1,
        made_at=microseconds(now),
        lines=tuple(
            KeptLine(line.line_id, line.quantity, line.faulty, amount)
            for line, amount in zip(request.lines, amounts, strict=True)
        ),
        refund=sum(amounts),
        answer=_answer(request.lines, amounts),
        day=local_day(now, sale.index.policy.house.time_zone),
    )


def _refund(
    sale: KeptSale, sold: Sold, paid_total: int | None, earlier: Sequence[KeptLine], returned: Sequence[ReturnedLine]
) -> tuple[int, ...]:
    """Compute what goes back for each returned line, after earlier returns of the same sale."""
    quantities = {line.line_id: line.quantity for line in sale.basket.lines}
    back = Counter[str]()
    for line_id, quantity in (
        *((e.line_id, e.quantity) for e in earlier),
        *((r.line_id, r.quantity) for r in returned),
    ):
        back[line_id] += quantity
    rest = reduced(sale.basket, {line_id: quantity - back[line_id] for line_id, quantity in quantities.items()})
    return refunds(
        paid=paid_for(sold.total, sold.nets, paid_total),
        kept_total=sale.price(rest, sold.promotion_ids, sold.waived).total if rest else None,
        quantities=quantities,
        earlier=[Refunded(Returned(line.line_id, line.quantity, line.faulty), line.refund) for line in earlier],
        returned=[Returned(line.line_id, line.quantity, line.faulty) for line in returned],
    )


def _faults(sale: KeptSale, request: ReturnRequest, earlier: Sequence[KeptLine]) -> Iterator[Fault]:
    left = Counter({line.line_id: line.quantity for line in sale.basket.lines})
    known = frozenset(left)
    for kept in earlier:
        left[kept.line_id] -= kept.quantity
    seen: set[tuple[str, bool]] = set()
    for position, line in enumerate(request.lines):
        if line.line_id not in known:
            yield Fault(f"/lines/{position}/line_id", "unknown_line", "expected a line of the decision's basket")
            continue
        if (line.line_id, line.faulty) in seen:
            yield Fault(f"/lines/{position}/line_id", "duplicate", "expected each line once, or once more as faulty")
        seen.add((line.line_id, line.faulty))
        left[line.line_id] -= line.quantity
        if left[line.line_id] < 0:
            detail = "expected at most the units that were bought and not brought back yet"
            yield Fault(f"/lines/{position}/quantity", "too_large", detail)


def _answer(lines: Sequence[ReturnedLine], amounts: Sequence[int]) -> bytes:
    told = tuple(LineRefund(line.line_id, amount) for line, amount in zip(lines, amounts, strict=True))
    return _encode(ReturnAnswer(sum(amounts), told, _reason(lines, amounts)))


def _reason(lines: Sequence[ReturnedLine], amounts: Sequence[int]) -> str:
    if all(line.faulty for line in lines):
        return "Faulty units give back what they cost after their discounts."
    if not any(amounts):
        return "What is kept costs, with the sale's own discounts, as much as was paid, so nothing goes back."
    given = "What was paid, less what is kept at the sale's own discounts, less earlier refunds."
    return f"{given} Faulty units give back what they cost." if any(line.faulty for line in lines) else given


def _no_sale() -> Problem:
    return Problem(
        "no_sale", "Nothing was sold by this decision, or nothing is known of it, so nothing can be returned."
    )
