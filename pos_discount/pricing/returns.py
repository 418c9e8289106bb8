"""What goes back for units that are brought back, once it is known what was paid and what the rest would cost.

Faulty units give back what they cost net; the others give back what was paid less what is kept less what went back
before; with the last of a sale goes all that is left. So whoever brings everything back, in whatever order, gets all
that was paid and no more. All money is in minor units.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from pos_discount.money import share_out


class Paid(NamedTuple):
    """What was paid for a sale, in all and by line id."""

    total: int
    nets: Mapping[str, int]


class Returned(NamedTuple):
    """Units of a line that are brought back."""

    line_id: str
    quantity: int
    is_faulty: bool


class Refunded(NamedTuple):
    """Units that were brought back before, and what was given for them."""

    returned: Returned
    refund: int


def paid_for(total: int, nets: Mapping[str, int], paid_total: int | None) -> Paid:
    """Share what the till says was paid over the lines as the sale's prices are; None: it says nothing.

    >>> paid_for(900, {"1": 600, "2": 300}, 600)
    Paid(total=600, nets={'1': 400, '2': 200})
    """
    if paid_total is None or paid_total == total:
        return Paid(total, nets)
    shares = share_out(paid_total, list(nets.values()))
    if paid_total and not total:
        shares = share_out(paid_total, [1] * len(nets))
    return Paid(paid_total, dict(zip(nets, shares, strict=True)))


def refunds(
    paid: Paid,
    kept_total: int | None,
    quantities: Mapping[str, int],
    earlier: Sequence[Refunded],
    returned: Sequence[Returned],
) -> tuple[int, ...]:
    """Compute what goes back for each returned line, in order, after earlier returns of the same sale.

    ``kept_total`` is what all that is then still kept costs, None where nothing is; ``quantities`` are what was bought,
    by line id.
    """
    faulty = _faulty_refunds(paid, quantities, [one.returned for one in earlier], returned)
    gone = sum(one.refund for one in earlier)
    others = 0
    if kept_total is None or not all(line.is_faulty for line in returned):  # faulty units alone give back their net
        others = max(0, paid.total - (kept_total or 0) - gone - sum(faulty))
    most = max(0, paid.total - gone)
    return tuple(_within(_shared(others, faulty, paid, quantities, returned), most))


def _faulty_refunds(
    paid: Paid, quantities: Mapping[str, int], earlier: Sequence[Returned], returned: Sequence[Returned]
) -> list[int]:
    """Give each faulty line what its units cost net, to the last minor unit over all returns of that line."""
    units = Counter[str]()
    for line in earlier:
        units[line.line_id] += line.quantity if line.is_faulty else 0
    amounts = []
    for line in returned:
        if not line.is_faulty:
            amounts.append(0)
            continue
        net, quantity, before = paid.nets[line.line_id], quantities[line.line_id], units[line.line_id]
        units[line.line_id] += line.quantity
        amounts.append(net * (before + line.quantity) // quantity - net * before // quantity)
    return amounts


def _shared(
    others: int, faulty: Sequence[int], paid: Paid, quantities: Mapping[str, int], returned: Sequence[Returned]
) -> list[int]:
    """Share what goes back for units that are not faulty over their lines, by what they cost."""
    are_all_faulty = all(line.is_faulty for line in returned)
    weights = [
        paid.nets[line.line_id] * line.quantity // quantities[line.line_id]
        if are_all_faulty or not line.is_faulty
        else 0
        for line in returned
    ]
    if not any(weights):
        weights = [1 if are_all_faulty or not line.is_faulty else 0 for line in returned]
    return [own + share for own, share in zip(faulty, share_out(others, weights), strict=True)]


def _within(amounts: Sequence[int], most: int) -> Iterator[int]:
    for amount in amounts:
        yield min(amount, most)
        most -= min(amount, most)
