"""A basket and its answer as a cashier would see them: what it costs, what to say and in which order, what is near."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from pos_discount.answer import Answer, NotApplicable, Rung
from pos_discount.basket import Basket
from pos_discount.cli.output import console, plain
from pos_discount.money import format_money


def print_ladder(basket: Basket, answer: Answer, digits: int) -> None:
    """Print the basket, its base and the rungs in the order in which they are said."""
    screen = console()
    screen.print(_receipt(basket, answer, digits))
    screen.print(_rungs(answer, digits) if answer.ladder else Text("Nothing to offer on this basket."))
    for line in _remarks(answer):
        screen.print(Text(line, style="dim"))


def _receipt(basket: Basket, answer: Answer, digits: int) -> Table:
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    table.add_column("what", min_width=44)
    table.add_column("money", justify="right")
    for line in basket.lines:
        name = plain(line.name or line.sku)
        table.add_row(Text(f"{line.quantity} × {name}"), format_money(line.quantity * line.unit_price, digits))
    for discount in answer.base.discounts:
        table.add_row(Text(f"    {plain(discount.name)}"), format_money(-discount.saving, digits))
    table.add_row(Text("To pay", style="bold"), f"{format_money(answer.base.total, digits)} {answer.currency}")
    return table


def _rungs(answer: Answer, digits: int) -> Table:
    table = Table(title=Text("Say, in this order, and stop when the customer is content"), title_justify="left")
    table.add_column("", justify="right")
    table.add_column("Say", overflow="fold", ratio=1)
    for name in ("Off", "To pay", "Accepts"):
        table.add_column(name, justify="right")
    table.add_column("Ask first")
    for rung in answer.ladder:
        off, total = format_money(rung.saving, digits), format_money(rung.total, digits)
        table.add_row(str(rung.rung), _said(rung), off, total, f"{rung.acceptance:.0%}", plain(rung.approval))
    return table


def _said(rung: Rung) -> Text:
    gifts = "".join(f" [gift: {gift.name}]" for gift in rung.gifts)
    points = f" [{rung.points} points]" if rung.points else ""
    return Text(plain(rung.say + gifts + points))


def _remarks(answer: Answer) -> Iterator[str]:
    yield from (near for reason in answer.not_applicable if (near := _near_miss(reason)))
    if answer.fallback:
        yield f"Chosen without a learned model ({answer.fallback}): by a stated prior."
    if answer.arm == "holdout":
        yield "This customer is in the hold-out, which gets the house's old way."
    yield f"{answer.decision_id}, policy {answer.policy_version[:12]}"


def _near_miss(reason: NotApplicable) -> str | None:
    return plain(f"Nearly: {reason.promotion_id}: {reason.detail}") if reason.near_miss else None
