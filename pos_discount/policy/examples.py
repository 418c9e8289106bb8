"""Examples as written: a basket in a merchandiser's words, and what must come of it.

A line may leave out its ``line_id`` (lines count from 1) and its ``quantity`` (1). An example that leaves out ``at``
takes place at a moment when the promotions that it names are in force, so that it says something of them; see
`moment_for`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from collections.abc import Mapping as MappingType
from collections.abc import Sequence as SequenceType
from datetime import date, datetime, timedelta, tzinfo
from typing import Annotated, Any, NoReturn

import msgspec

from pos_discount.basket import Basket, basket_problems
from pos_discount.policy.fields import FieldReader, Unreadable, shown
from pos_discount.policy.model import Example, Promotion
from pos_discount.policy.schedule import is_in_force
from pos_discount.policy.spelling import did_you_mean
from pos_discount.policy.texts import YES_NO, as_sent, moment_of_wall_clock, moments_of_wall_clock
from pos_discount.policy.values import Count, Money, Number, Percent, Reads, Text, Words
from pos_discount.policy.yaml_nodes import Mapping, Node, Scalar, place_of
from pos_discount.refused import refused_reason

NamedValues = tuple[tuple[str, tuple[str, ...]], ...]
Attributes = Annotated[NamedValues, Reads.NAMED_VALUES]
NOON_OF_NO_PROMOTION = datetime(2026, 1, 15, 12)
"""When an example takes place that leaves ``at`` out, where no promotion that it names begins or is over before: a
Thursday at noon."""
DAYS_SEARCHED = 14


class WrittenLine(msgspec.Struct, frozen=True):
    """A line of an example's basket; ``price`` is the list price of one unit."""

    sku: Text
    price: Money
    quantity: Count = 1
    line_id: Text | None = None
    name: Text | None = None
    category: Text | None = None
    brand: Text | None = None
    supplier: Text | None = None
    tags: Words | None = None
    unit_cost: Money | None = None
    attributes: Attributes = ()


class WrittenCustomer(msgspec.Struct, frozen=True):
    """The customer of an example; one without ``customer_id`` is no member."""

    customer_id: Text | None = None
    tier: Text | None = None
    groups: Words = ()
    birthday: Text | None = None
    visit_number: Count | None = None
    last_visit_on: date | None = None
    visits_90d: Number | None = None
    spend_90d: Money | None = None
    promo_share_90d: Percent | None = None
    attributes: Attributes = ()


class WrittenExample(msgspec.Struct, frozen=True):
    """A basket and what must come of it."""

    name: Text
    basket: tuple[WrittenLine, ...]
    expect: Annotated[Mapping, Reads.EXPECTED]
    at: datetime | None = None
    customer: WrittenCustomer | None = None
    store_id: Text = "S001"
    till_id: Text | None = None
    cashier_id: Text | None = None
    authority: Text | None = None
    channel: Text | None = None
    region: Text | None = None
    currency: Annotated[str, Reads.CURRENCY] | None = None
    locale: Text | None = None
    coupons: Words = ()
    claimed: Words = ()
    asked: bool = False
    payment: Text | None = None
    attributes: Attributes = ()
    segment: Text | None = None


_WHERE_IN_A_REQUEST = re.compile(r" - at `\$\.(.+)`$")
WANTED = {"lines": "at least one line", "customer.birthday": "month and day, such as 11-25"}
"""What is expected of parts of a request, where the types' own words would be of no help to a merchandiser."""


class ExampleReader:
    """Reads examples in a house's currency and time zone, of its promotions.

    ``is_unread`` tells whether an id may belong to a promotion that could not be read.
    """

    def __init__(
        self,
        reader: FieldReader,
        footing: tuple[str, tzinfo],
        promotion_by_id: MappingType[str, Promotion],
        is_unread: Callable[[str], bool],
    ) -> None:
        self._reader, self._promotion_by_id, self._is_unread = reader, promotion_by_id, is_unread
        self._currency, self._zone = footing
        reader.parse_by_reads[Reads.EXPECTED] = self._expectations
        self._money = reader.parse_by_reads[Reads.MONEY]
        self._amounts = reader.parse_by_reads[Reads.AMOUNTS]

    def read(self, node: Node) -> Example:
        """Read one example."""
        written = self._reader.struct(WrittenExample)(node)
        saving_by_promotion, base, rungs = self._expected(written.expect)
        at = written.at or moment_for(self._named_promotions(saving_by_promotion), self._zone)
        return Example(
            name=written.name,
            place=place_of(node),
            basket=self._basket(written, as_sent(at, self._zone), node),
            saving_by_promotion=saving_by_promotion,
            base=base,
            rungs=rungs,
            segment=written.segment,
        )

    def _expectations(self, node: Node) -> Mapping:
        if type(node) is not Mapping:
            self._reader.fail(node, f"expected a mapping of promotion ids to an amount or no, got {shown(node)}")
        return node

    def _expected(self, expect: Mapping) -> tuple[dict[str, int | None], int | None, tuple[int, ...] | None]:
        saving_by_promotion: dict[str, int | None] = {}
        base, rungs, is_right = None, None, True
        for key, node in expect.entries.values():
            try:
                if key.text == "base":
                    base = self._money(node)
                elif key.text == "rungs":
                    rungs = self._amounts(node)
                else:
                    saving_by_promotion[key.text] = self._saving(key, node)
            except Unreadable:
                is_right = False
        if not is_right:
            raise Unreadable
        return saving_by_promotion, base, rungs

    def _saving(self, key: Scalar, node: Node) -> int | None:
        promotion_id = key.text
        if promotion_id not in self._promotion_by_id:
            if self._is_unread(promotion_id):
                raise Unreadable
            ids = [*self._promotion_by_id, "base", "rungs"]
            self._reader.fail(key, f"unknown promotion '{promotion_id[:60]}'{did_you_mean(promotion_id, ids)}")
        if type(node) is Scalar and YES_NO.get(node.text.lower()) is False:
            return None
        amount: int = self._money(node)
        return amount

    def _named_promotions(self, saving_by_promotion: MappingType[str, int | None]) -> list[Promotion]:
        applying = [key for key, saving in saving_by_promotion.items() if saving is not None]
        return [self._promotion_by_id[key] for key in applying or saving_by_promotion]

    def _basket(self, written: WrittenExample, at: datetime, node: Node) -> Basket:
        sent: dict[str, Any] = {
            field: value for field in Basket.__struct_fields__ if (value := getattr(written, field, None)) is not None
        }
        sent |= {"at": at, "currency": written.currency or self._currency}
        sent["attributes"] = self._attributes(written.attributes, node)
        sent["lines"] = [_line(line, position) for position, line in enumerate(written.basket, 1)]
        sent["customer"] = None if written.customer is None else self._customer(written.customer, node)
        try:
            basket = msgspec.convert(sent, Basket)
        except msgspec.ValidationError as error:
            self._refuse_basket(node, str(error))
        for problem in basket_problems(basket):
            self._refuse_basket(node, f"{problem.detail} at {problem.pointer}")
        return basket

    def _customer(self, written: WrittenCustomer, node: Node) -> dict[str, Any]:
        sent = {name: value for name, value in msgspec.structs.asdict(written).items() if value is not None}
        sent["attributes"] = self._attributes(written.attributes, node)
        if written.promo_share_90d is not None:
            sent["promo_share_90d"] = float(written.promo_share_90d)
        return sent

    def _attributes(self, named_values: NamedValues, node: Node) -> dict[str, str | tuple[str, ...]]:
        """Return a person's or a basket's attributes as a till sends them, refusing those that a till may not send."""
        for name, _ in named_values:
            if (trait := refused_reason(name)) is not None:
                self._reader.fail(node, f"attribute '{name}' is refused, as it tells of a person's {trait}")
        return _attributes(named_values)

    def _refuse_basket(self, node: Node, message: str) -> NoReturn:
        """Refuse what the types of a request do not take, at the key of the example under which it stands."""
        found = _WHERE_IN_A_REQUEST.search(message)
        where = found[1] if found else ""
        key = where.partition(".")[0]
        inner = node.entries.get(key, node.entries["basket"])[1] if type(node) is Mapping else node
        wanted = f"{where}: expected {WANTED[where]}" if where in WANTED else message
        self._reader.fail(inner, f"no till could send this: {wanted}")


def moment_for(promotions: SequenceType[Promotion], zone: tzinfo) -> datetime:
    """Return a moment at which all promotions are in force: the first noon that suits, or else an hour or the moment at
    which one begins.

    The search starts on the day when the last of them begins; where none of them says when, in time before the first
    is over. Where their weekdays and hours never meet, it is that day's noon.
    """
    begins = [promotion.from_ for promotion in promotions if promotion.from_ is not None]
    noon = _first_noon(promotions, begins, zone)
    starts = sorted({window.starts for promotion in promotions for window in promotion.hours or ()})
    for day in (noon + timedelta(days=days) for days in range(DAYS_SEARCHED)):
        for wall_clock in (day, *(datetime.combine(day.date(), start) for start in starts)):
            for moment in moments_of_wall_clock(wall_clock, zone):
                if _are_in_force(promotions, moment, zone):
                    return moment
    if begins and _are_in_force(promotions, max(begins), zone):
        return max(begins)
    return moment_of_wall_clock(noon, zone)


def _first_noon(promotions: SequenceType[Promotion], begins: SequenceType[datetime], zone: tzinfo) -> datetime:
    if begins:
        return _noon_of(max(begins), zone)
    ends = [promotion.until for promotion in promotions if promotion.until is not None]
    return min([NOON_OF_NO_PROMOTION, *(_noon_of(end - timedelta(days=DAYS_SEARCHED), zone) for end in ends)])


def _noon_of(moment: datetime, zone: tzinfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None, fold=0, hour=12, minute=0, second=0)


def _are_in_force(promotions: SequenceType[Promotion], moment: datetime, zone: tzinfo) -> bool:
    return all(is_in_force(promotion, moment.astimezone(zone)) for promotion in promotions)


def _line(written: WrittenLine, position: int) -> dict[str, Any]:
    sent = {name: value for name, value in msgspec.structs.asdict(written).items() if value is not None}
    sent["unit_price"] = sent.pop("price")
    sent["attributes"] = _attributes(written.attributes)
    return {"line_id": str(position)} | sent


def _attributes(named_values: NamedValues) -> dict[str, str | tuple[str, ...]]:
    """Return attributes as a till sends them: a single word stands alone."""
    return {name: words[0] if len(words) == 1 else words for name, words in named_values}
