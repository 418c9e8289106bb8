"""What is given back for units that are brought back.

What is kept is priced with the sale's own promotions, policy and time, so that returning one of a 3-for-2 doesn't pay
for the free one. Faulty units give back what they cost net; the rest gives back what was paid less what is kept less
what went back before. So whoever brings everything back, in whatever order, gets all that was paid and no more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import msgspec

from pos_discount.basket import Basket
from pos_discount.money import share_out
from pos_discount.recording import local_day, microseconds
from pos_discount.store import Claim, NoSale, Reply, ReturnConflict, ReturnRecord, Store
from pos_discount.store import ReturnedLine as KeptLine
from pos_discount.web.bodies import BodyReader
from pos_discount.web.decisions import answering_with
from pos_discount.web.keys import Caller
from pos_discount.web.messages import LineRefund, OutcomeReport, ReturnAnswer, ReturnedLine, ReturnRequest
from pos_discount.web.outcomes import SALES, open_sale
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


class Paid(NamedTuple):
    """What was paid for a sale, in all and by line id, in minor units."""

    total: int
    nets: Mapping[str, int]


class Refund(NamedTuple):
    """What goes back: for each returned line in order, and of that what is for faulty units."""

    by_line: tuple[int, ...]

    @property
    def total(self) -> int:
        """All that goes back."""
        return sum(self.by_line)


def _record(sale: KeptSale, request: ReturnRequest) -> ReturnRecord:
    outcome = sale.kept.outcome
    if outcome is None or outcome.result not in SALES:
        raise _no_sale()
    earlier = [line for returned in sale.kept.returns for line in returned.lines]
    if faults := tuple(_faults(sale, request, earlier)):
        raise invalid(faults)
    sold = sale.sold(outcome.rung, outcome.promotions)
    refund = refund_of(sale, sold, _paid(sold, _read_outcome(outcome.body).paid_total), earlier, request.lines)
    now = datetime.now(UTC)
    return ReturnRecord(
        store_id=sale.record.store_id,
        decision_id=sale.record.decision_id,
        number=len(sale.kept.returns) + 1,
        made_at=microseconds(now),
        lines=tuple(
            KeptLine(line.line_id, line.quantity, line.faulty, amount)
            for line, amount in zip(request.lines, refund.by_line, strict=True)
        ),
        refund=refund.total,
        answer=_answer(request.lines, refund),
        day=local_day(now, sale.index.policy.house.time_zone),
    )


def refund_of(
    sale: KeptSale, sold: Sold, paid: Paid, earlier: Sequence[KeptLine], returned: Sequence[ReturnedLine]
) -> Refund:
    """Compute what goes back for returned lines, after earlier returns of the same sale."""
    quantities = {line.line_id: line.quantity for line in sale.basket.lines}
    faulty = _faulty_refunds(paid, quantities, earlier, returned)
    back = Counter[str]()
    for line_id, quantity in (
        *((e.line_id, e.quantity) for e in earlier),
        *((r.line_id, r.quantity) for r in returned),
    ):
        back[line_id] += quantity
    rest = reduced(sale.basket, {line_id: quantity - back[line_id] for line_id, quantity in quantities.items()})
    kept = sale.price(rest, sold.promotion_ids).total if rest else 0
    gone = sum(line.refund for line in earlier)
    others = max(0, paid.total - kept - gone - sum(faulty)) if _asks_more_than_net(returned, rest) else 0
    most = max(0, paid.total - gone)
    return Refund(tuple(_within(_shared(others, faulty, paid, quantities, returned), most)))


def _asks_more_than_net(returned: Sequence[ReturnedLine], rest: Basket | None) -> bool:
    """Faulty units alone give back their net; with the last of a sale goes all that is left of what was paid."""
    return rest is None or any(not line.faulty for line in returned)


def _faulty_refunds(
    paid: Paid, quantities: Mapping[str, int], earlier: Sequence[KeptLine], returned: Sequence[ReturnedLine]
) -> list[int]:
    """Give each faulty line what its units cost net, to the last minor unit over all returns of that line."""
    units = Counter[str]()
    for kept in earlier:
        units[kept.line_id] += kept.quantity if kept.faulty else 0
    refunds = []
    for line in returned:
        if not line.faulty:
            refunds.append(0)
            continue
        net, quantity, before = paid.nets[line.line_id], quantities[line.line_id], units[line.line_id]
        units[line.line_id] += line.quantity
        refunds.append(net * (before + line.quantity) // quantity - net * before // quantity)
    return refunds


def _shared(
    others: int, faulty: Sequence[int], paid: Paid, quantities: Mapping[str, int], returned: Sequence[ReturnedLine]
) -> list[int]:
    """Share what goes back for units that are not faulty over their lines, by what they cost."""
    are_all_faulty = all(line.faulty for line in returned)
    weights = [
        paid.nets[line.line_id] * line.quantity // quantities[line.line_id] if are_all_faulty or not line.faulty else 0
        for line in returned
    ]
    if not any(weights):
        weights = [1 if are_all_faulty or not line.faulty else 0 for line in returned]
    return [own + share for own, share in zip(faulty, share_out(others, weights), strict=True)]


def _within(amounts: Sequence[int], most: int) -> Iterator[int]:
    for amount in amounts:
        yield min(amount, most)
        most -= min(amount, most)


def _paid(sold: Sold, paid_total: int | None) -> Paid:
    """What the till says was paid counts; it is shared over lines as the sale's prices are."""
    if paid_total is None or paid_total == sold.total:
        return Paid(sold.total, sold.nets)
    shares = share_out(paid_total, list(sold.nets.values()))
    if paid_total and not sold.total:
        shares = share_out(paid_total, [1] * len(sold.nets))
    return Paid(paid_total, dict(zip(sold.nets, shares, strict=True)))


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


def _answer(lines: Sequence[ReturnedLine], refund: Refund) -> bytes:
    told = tuple(LineRefund(line.line_id, amount) for line, amount in zip(lines, refund.by_line, strict=True))
    return _encode(ReturnAnswer(refund.total, told, _reason(lines, refund)))


def _reason(lines: Sequence[ReturnedLine], refund: Refund) -> str:
    if all(line.faulty for line in lines):
        return "Faulty units give back what they cost after their discounts."
    if not refund.total:
        return "What is kept costs, with the sale's own discounts, as much as was paid, so nothing goes back."
    given = "What was paid, less what is kept at the sale's own discounts, less earlier refunds."
    return f"{given} Faulty units give back what they cost." if any(line.faulty for line in lines) else given


def _no_sale() -> Problem:
    return Problem(
        "no_sale", "Nothing was sold by this decision, or nothing is known of it, so nothing can be returned."
    )
