"""`pos-discount policy replay` and `policy diff`: policies tried on imported receipts, as tables, JSON and a
picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click
import msgspec

from pos_discount.basket import Basket
from pos_discount.cli.environment import now, open_store, policies_folder, read_policy, read_settings_without_secret
from pos_discount.cli.output import Trouble, json_option, print_json, print_table, with_progress
from pos_discount.measure.replay import (
    BasketChange,
    PolicyDifference,
    PolicyGave,
    PromotionGave,
    StoreChange,
    compare_policies,
    replay_policy,
    size_of,
)
from pos_discount.money import format_money
from pos_discount.policy import Policy
from pos_discount.policy.texts import as_sent, parse_moment
from pos_discount.pricing import PolicyIndex

_decode = msgspec.json.Decoder(Basket).decode
Pair = tuple[int | None, int | None]
PICTURES = (".png", ".svg", ".pdf")


def _place_for_a_picture(_context: click.Context, _option: click.Parameter, file: Path | None) -> Path | None:
    """Refuse a file that no picture can be drawn into before receipts are read, which takes long."""
    if file is not None and file.suffix.lower() not in PICTURES:
        raise click.BadParameter(f"{file} is no picture; expected a name that ends in {', '.join(PICTURES)}")
    if file is not None and not file.parent.is_dir():
        raise click.BadParameter(f"there is no folder {file.parent}; make it first")
    return file


@click.command()
@click.argument("folder", required=False, type=click.Path(path_type=Path))
@click.option("--at", "at_text", metavar="DATE", help="Sell all receipts at this moment instead of their own.")
@click.option("--source", help="Only the receipts that were imported under this name.")
@click.option(
    "--plot",
    type=click.Path(path_type=Path),
    callback=_place_for_a_picture,
    help="Also draw a picture into this file (.png, .svg or .pdf).",
)
@json_option
def replay(folder: Path | None, at_text: str | None, source: str | None, plot: Path | None, as_json: bool) -> None:
    """Try the policy in FOLDER on imported receipts: what would each promotion have given, on how many, at what cost?

    What is advertised or claimed counts as given; of the cashier's ladder, what it would have named. "alone" is what a
    promotion would be worth to customers with no other beside it; "given" and "cost" are its part of what is owed.
    Limits are used up by what is owed alone. Receipts tell of no birthdays, groups or earlier visits, so a promotion
    that asks for them applies to none.

    \b
    Example:
      pos-discount policy replay policies --at 2026-11-21T17:00 --plot gave.png
    """
    policy = read_policy(policies_folder(folder))
    gave = replay_policy(PolicyIndex(policy), receipts(policy, at_text, source), now())
    _need_baskets(gave.baskets)
    if as_json:
        print_json(msgspec.to_builtins(gave))
    else:
        _print_gave(gave, policy.house.currency, policy.house.currency_digits)
    if plot:
        from pos_discount.cli.plots import plot_replay

        plot_replay(gave, policy.house.currency, policy.house.currency_digits, plot)


@click.command()
@click.argument("old", type=click.Path(path_type=Path))
@click.argument("new", type=click.Path(path_type=Path))
@click.option("--at", "at_text", metavar="DATE", help="Sell all receipts at this moment instead of their own.")
@click.option("--source", help="Only the receipts that were imported under this name.")
@click.option(
    "--most", type=click.IntRange(min=0), default=10, show_default=True, help="How many stores and baskets to show."
)
@json_option
def diff(old: Path, new: Path, at_text: str | None, source: str | None, most: int, as_json: bool) -> None:
    """Compare the policies in OLD and NEW on imported receipts: who gains, who loses, by promotion and by store.

    A customer gains where more is advertised or claimed or, where that is the same, where more is offered.

    \b
    Example:
      pos-discount policy diff policies policies-next --at 2026-11-21T17:00
    """
    before, after = read_policy(policies_folder(old)), read_policy(policies_folder(new))
    if before.house.currency != after.house.currency:
        raise Trouble(f"{old} is in {before.house.currency}, {new} in {after.house.currency}: nothing to compare")
    baskets = receipts(before, at_text, source)
    difference = compare_policies(PolicyIndex(before), PolicyIndex(after), baskets, now(), most)
    _need_baskets(difference.baskets)
    if as_json:
        print_json(msgspec.to_builtins(difference))
    else:
        _print_difference(difference, before.house.currency_digits, most)


def receipts(policy: Policy, at_text: str | None, source: str | None) -> Iterator[Basket]:
    """Yield the imported baskets, with a bar where that takes long; all at one moment where one is given."""
    at = _moment(at_text, policy)
    with open_store(read_settings_without_secret()) as store:
        count_by_source = dict(store.count_receipts())
        if source and source not in count_by_source:
            there = ", ".join(count_by_source) or "none"
            raise Trouble(f"no receipts under the name {source!r}; there are: {there}")
        sources = [source] if source else list(count_by_source)
        total = sum(count_by_source.get(name, 0) for name in sources)
        kept = (receipt for name in sources for block in store.read_receipts(name) for receipt in block)
        for receipt in with_progress(kept, "receipts", total):
            basket = _decode(receipt.basket)
            yield basket if at is None else msgspec.structs.replace(basket, at=at)


def _moment(text: str | None, policy: Policy) -> datetime | None:
    if text is None:
        return None
    try:
        return as_sent(parse_moment(text, policy.house.time_zone), policy.house.time_zone)
    except ValueError as error:
        raise click.UsageError(f"--at: {error}") from None


def _need_baskets(count: int) -> None:
    if not count:
        raise Trouble("no receipts have been imported; `pos-discount import --help` says how")


def _print_gave(gave: PolicyGave, currency: str, digits: int) -> None:
    columns = ("promotion", "offer", "applies to", "alone", "in base", "given", "cost", "named on", "named first")
    title = f"What policy {gave.policy_version} would have given on {gave.baskets} baskets ({currency})"
    print_table(title, columns, (_gave_row(promotion, digits) for promotion in gave.promotions), columns[2:])
    percent = gave.base_value / gave.list_total if gave.list_total else 0
    click.echo(
        f"{gave.baskets} baskets at list price {format_money(gave.list_total, digits)}; "
        f"owed on {gave.baskets_with_base}: {format_money(gave.base_value, digits)} ({percent:.1%}) "
        f"at a cost of {format_money(gave.base_cost, digits)}"
    )
    click.echo(
        f"a ladder on {gave.baskets_with_ladder}: {format_money(gave.first_rung_value, digits)} more if all took "
        f"the first rung, {format_money(gave.deepest_rung_value, digits)} if all took the deepest"
    )
    if not any(promotion.baskets_alone for promotion in gave.promotions):
        click.echo(
            "nothing applies to any of them: promotions may begin later or end earlier than these receipts (sell them "
            "at another moment with --at), or the receipts lack the skus and categories that the ranges name"
        )


def _gave_row(gave: PromotionGave, digits: int) -> tuple[object, ...]:
    return (
        gave.promotion_id,
        gave.offer,
        gave.baskets_alone,
        format_money(gave.value_alone, digits),
        gave.baskets_in_base,
        format_money(gave.value_in_base, digits),
        format_money(gave.cost_in_base, digits),
        gave.baskets_on_ladder,
        gave.baskets_on_first_rung,
    )


def _print_difference(difference: PolicyDifference, digits: int, most: int) -> None:
    total = difference.total
    click.echo(
        f"{difference.old_version} -> {difference.new_version} on {difference.baskets} baskets: "
        f"{total.gain} gain, {total.lose} lose, {total.same} stay as they are"
    )
    if not difference.promotions and not difference.most_changed:
        return
    names = ("promotion", "baskets before", "after", "value before", "after", "change", "cost before", "after")
    rows = (
        (
            change.promotion_id,
            *_counts(change.baskets),
            *_amounts(change.value, digits, True),
            *_amounts(change.cost, digits),
        )
        for change in difference.promotions
    )
    print_table("By promotion, each alone", names, rows, names[1:])
    _print_stores(difference, digits, most)
    _print_most_changed(difference.most_changed, digits)


def _print_stores(difference: PolicyDifference, digits: int, most: int) -> None:
    changed = sorted((store for store in difference.stores if store.gain or store.lose), key=_size, reverse=True)
    names = (
        "store",
        "gain",
        "lose",
        "same",
        "owed before",
        "after",
        "change",
        "first rung",
        "after",
        "deepest",
        "after",
    )
    rows = (
        (
            *(store.store_id, store.gain, store.lose, store.same),
            *_amounts(store.base_value, digits, True),
            *_amounts(store.first_rung_value, digits),
            *_amounts(store.deepest_rung_value, digits),
        )
        for store in changed[:most]
    )
    print_table("By store, those that changed most: what customers get in all", names, rows, names[1:])
    if len(changed) > most:
        click.echo(f"stores that changed and are not shown: {len(changed) - most}; --most shows more, --json all")


def _size(store: StoreChange) -> tuple[int, ...]:
    """Say how much a store changed, as baskets are ordered."""
    base, first, deepest = (
        after - before for before, after in (store.base_value, store.first_rung_value, store.deepest_rung_value)
    )
    return size_of((base, first, deepest))


def _print_most_changed(changes: Iterable[BasketChange], digits: int) -> None:
    names = ("store", "receipt", "list price", "owed", "after", "first rung", "after", "deepest", "after", "why")
    rows = (
        (
            *(change.store_id, change.sale_id, format_money(change.list_total, digits)),
            *_amounts(change.base_value, digits),
            *_amounts(change.first_rung_value, digits),
            *_amounts(change.deepest_rung_value, digits),
            _why(change, digits),
        )
        for change in changes
    )
    print_table("Baskets that changed most", names, rows, names[2:-1])


def _why(change: BasketChange, digits: int) -> str:
    """Say which promotions apply no more or newly, which give another amount; else what is left as the reason."""
    gone = [f"-{id_}" for id_ in change.applies_no_more]
    new = [f"+{id_}" for id_ in change.applies_newly]
    otherwise = [
        f"{amount.promotion_id} gives {after} instead of {before}"
        for amount in change.gives_otherwise
        for before, after in [_amounts(amount.value, digits)]
    ]
    return "\n".join(gone + new + otherwise) or "what combines, or a house setting"


def _counts(pair: Pair) -> tuple[str, ...]:
    return tuple("" if count is None else str(count) for count in pair)


def _amounts(pair: Pair, digits: int, with_change: bool = False) -> tuple[str, ...]:
    written: list[Any] = ["" if amount is None else format_money(amount, digits) for amount in pair]
    change = (pair[1] or 0) - (pair[0] or 0)
    return (*written, ("+" if change > 0 else "") + format_money(change, digits)) if with_change else tuple(written)
