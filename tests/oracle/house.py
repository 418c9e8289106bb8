"""Read the house settings, the basket's units, ranges, schedules and conditions, as the policy page words them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from .values import DECIMALS, WEEKDAYS, listed, minor, moment, percent, truth, within

Mapped = Mapping[str, Any]


@dataclass(frozen=True)
class Unit:
    """One piece of one line."""

    order: int
    line: int
    price: int
    floor: int


@dataclass(frozen=True)
class House:
    """Hold all that stays the same while one request is solved, and what the order of lines has settled so far."""

    policy: Mapped
    request: Mapped
    files: Mapping[str, Sequence[Mapped]]
    segment: str | None
    decimals: int
    lines: tuple[Mapped, ...]
    units: tuple[Unit, ...]
    settled: list[str] = field(default_factory=list)

    @property
    def zone(self) -> ZoneInfo:
        """Give the house's time zone."""
        return ZoneInfo(self.policy["time_zone"])

    @property
    def at(self) -> datetime:
        """Give the request's moment on the house's wall clock."""
        return datetime.fromisoformat(self.request["at"]).astimezone(self.zone)

    @property
    def customer(self) -> Mapped:
        """Give the customer, empty for an unknown one."""
        return self.request.get("customer") or {}

    @property
    def guards(self) -> Mapped:
        """Give the guards, empty where there are none."""
        return self.policy.get("guards") or {}

    def setting(self, name: str, default: str) -> str:
        """Give a plain house setting."""
        return str(self.policy.get(name, default))

    def money(self, text: Any) -> int:
        """Turn major units of the house's currency into minor ones."""
        return minor(text, self.decimals)

    def units_in(self, wanted: Any) -> list[Unit]:
        """List the units in a range, in basket order; lines that are never discounted are in none."""
        return [unit for unit in self.units if self.counts(unit.line) and self.is_in(unit.line, wanted)]

    def counts(self, line: int) -> bool:
        """Say whether a line may be discounted and counted at all."""
        return "never" not in self.guards or not self.is_in(line, self.guards["never"])

    def is_in(self, line: int, wanted: Any) -> bool:
        """Say whether a line is in a range: a name, a mapping, or None for the whole basket."""
        if wanted is None:
            return True
        if isinstance(wanted, str):
            return self.is_in(line, self.policy["ranges"][wanted])
        return all(_key_holds(self, self.lines[line], line, key, value) for key, value in wanted.items())


def build_house(policy: Mapped, request: Mapped, files: Mapping[str, Sequence[Mapped]], segment: str | None) -> House:
    """Fill in the lines from the catalogue and take the basket apart into units."""
    decimals = DECIMALS[policy["currency"]]
    catalogue = {row["sku"]: row for row in files.get(policy.get("catalogue", ""), ())}
    lines = tuple(_filled_in(line, catalogue.get(line["sku"], {}), decimals) for line in request["lines"])
    house = House(policy, request, files, segment, decimals, lines, ())
    pieces = [index for index, line in enumerate(lines) for _ in range(line["quantity"])]
    units = tuple(
        Unit(order, index, lines[index]["unit_price"], lowest_price(house, index)) for order, index in enumerate(pieces)
    )
    return House(policy, request, files, segment, decimals, lines, units)


def lowest_price(house: House, line: int) -> int:
    """Give the highest `min_price` that names a line, 0 where none does."""
    floors = house.guards.get("min_price", ())
    return max((house.money(floor["price"]) for floor in floors if house.is_in(line, floor.get("of"))), default=0)


def unit_cost(house: House, line: int) -> Fraction | None:
    """Give what a unit costs the house: sent, else in the catalogue, else by the first margin that matches."""
    written = house.lines[line]
    if written.get("unit_cost") is not None:
        return Fraction(written["unit_cost"])
    for margin in house.policy.get("margins", ()):
        if house.is_in(line, margin.get("of")):
            return int(written["unit_price"]) * (1 - percent(margin["rate"]))
    return None


def is_scheduled(house: House, promotion: Mapped) -> bool:
    """Say whether the moment is within `from`, `until`, `weekdays` and `hours`."""
    if "from" in promotion and house.at < moment(promotion["from"], house.zone):
        return False
    if "until" in promotion and house.at >= moment(promotion["until"], house.zone):
        return False
    days = listed(promotion.get("weekdays", list(WEEKDAYS)))
    today, yesterday = WEEKDAYS[house.at.weekday()], WEEKDAYS[(house.at.weekday() - 1) % 7]
    if "hours" not in promotion:
        return today in days
    clock = house.at.replace(tzinfo=None) - datetime.combine(house.at.date(), datetime.min.time())
    for window in listed(promotion["hours"]):
        start, end = (_clock(side) for side in window.split("-"))
        if start < end and start <= clock < end and today in days:
            return True
        if start >= end and ((clock >= start and today in days) or (clock < end and yesterday in days)):
            return True
    return False


def is_in_place(house: House, promotion: Mapped) -> bool:
    """Say whether store, channel and region are right; an unknown one is not."""
    sent = {"stores": "store_id", "channels": "channel", "regions": "region"}
    if house.request["store_id"] in listed(promotion.get("not_stores", [])):
        return False
    return all(house.request.get(field) in listed(promotion[key]) for key, field in sent.items() if key in promotion)


def is_claimed(house: House, promotion: Mapped) -> bool:
    """Say whether the promotion's id is claimed or a coupon that it asks for is presented."""
    return promotion["id"] in house.request.get("claimed", ()) or any(
        _has_coupon(house, condition["coupon"])
        for condition in _asked_for(promotion.get("when", ()))
        if "coupon" in condition
    )


def holds(house: House, condition: Mapped, left: Sequence[int]) -> bool:
    """Say whether one condition holds, `left` being what is left of each unit's price."""
    ((kind, value),) = condition.items()
    if kind == "any":
        return any(all(holds(house, inner, left) for inner in inners) for inners in value)
    if kind == "not":
        return not any(holds(house, inner, left) for inner in value)
    if kind in ("quantity", "spend", "contains", "distinct"):
        return _basket_holds(house, kind, value, left)
    return _person_holds(house, kind, value)


def spent(house: House, units: Sequence[Unit], left: Sequence[int], counts: str | None) -> int:
    """Add up units at list price or at what is left, as the condition or the house says."""
    if (counts or house.setting("spend_counts", "original")) == "remaining":
        return sum(left[unit.order] for unit in units)
    return sum(unit.price for unit in units)


def _filled_in(line: Mapped, row: Mapped, decimals: int) -> Mapped:
    known = {key: row[key] for key in ("category", "brand", "supplier") if row.get(key)}
    if row.get("tags"):
        known["tags"] = row["tags"].split(";")
    if row.get("unit_cost"):
        known["unit_cost"] = minor(row["unit_cost"], decimals)
    return known | {key: value for key, value in line.items() if value is not None}


def _key_holds(house: House, line: Mapped, index: int, key: str, value: Any) -> bool:
    if key == "range":
        return any(house.is_in(index, name) for name in listed(value))
    if key == "any":
        return any(house.is_in(index, inner) for inner in value)
    if key == "all":
        return all(house.is_in(index, inner) for inner in value)
    if key == "not":
        return not any(house.is_in(index, inner) for inner in listed(value))
    if key == "price":
        return within(line["unit_price"], value, house.money)
    if key == "category":
        return any(f"{line.get('category') or ''}/".startswith(f"{category}/") for category in listed(value))
    if key == "tag":
        return any(tag in line.get("tags", ()) for tag in listed(value))
    if key == "attribute":
        return _attributes_hold(line.get("attributes") or {}, value)
    return line.get(key) in listed(value)


def _attributes_hold(attributes: Mapped, wanted: Mapped) -> bool:
    return all(name in attributes and str(attributes[name]) in listed(value) for name, value in wanted.items())


def _basket_holds(house: House, kind: str, value: Any, left: Sequence[int]) -> bool:
    if kind == "contains":
        return all(house.units_in(wanted) for wanted in listed(value))
    units = house.units_in(value.get("of"))
    if kind == "spend":
        return within(spent(house, units, left, value.get("counts")), value, house.money)
    if kind == "distinct":
        return within(len({house.lines[unit.line]["sku"] for unit in units}), value, int)
    return within(len(units), value, int)


def _person_holds(house: House, kind: str, value: Any) -> bool:
    customer, request = house.customer, house.request
    if kind == "member":
        return bool(customer.get("customer_id")) == truth(value)
    if kind == "asked":
        return bool(request.get("asked", False)) == truth(value)
    if kind == "group":
        return any(group in customer.get("groups", ()) for group in listed(value))
    if kind == "coupon":
        return _has_coupon(house, value)
    if kind == "attribute":
        attributes = (customer if value["of"] == "customer" else request).get("attributes") or {}
        return _attributes_hold(attributes, {value["name"]: value["is"]})
    if kind in ("birthday", "visit_number", "days_since_last_visit"):
        return _history_holds(house, kind, value)
    known = {
        "tier": customer.get("tier"),
        "segment": house.segment,
        "payment": request.get("payment"),
        "currency": request["currency"],
    }
    return known[kind] is not None and known[kind] in listed(value)


def _history_holds(house: House, kind: str, value: Any) -> bool:
    customer, today = house.customer, house.at.date()
    if kind == "birthday":
        return customer.get("birthday") is not None and _near_birthday(today, customer["birthday"], value)
    if kind == "visit_number":
        number = customer.get("visit_number")
        return number is not None and within(number, value, int) and number % int(value.get("every", 1)) == 0
    last = customer.get("last_visit_on")
    return last is not None and within((today - date.fromisoformat(last)).days, value, int)


def _near_birthday(today: date, birthday: str, window: Mapped) -> bool:
    before, after = int(window.get("days_before", 0)), int(window.get("days_after", 0))
    return any(
        -before <= (today - _birthday_in(year, birthday)).days <= after
        for year in range(today.year - 1, today.year + 2)
    )


def _birthday_in(year: int, birthday: str) -> date:
    month, day = (int(part) for part in birthday.split("-"))
    if (month, day) == (2, 29) and (date(year, 3, 1) - timedelta(days=1)).day == 28:
        return date(year, 2, 28)
    return date(year, month, day)


def _has_coupon(house: House, patterns: Any) -> bool:
    presented = [coupon.casefold() for coupon in house.request.get("coupons", ())]
    wanted = [pattern.casefold() for pattern in listed(patterns)]
    return any(
        coupon.startswith(pattern[:-1]) if pattern.endswith("*") else coupon == pattern
        for coupon in presented
        for pattern in wanted
    )


def _asked_for(conditions: Sequence[Mapped]) -> list[Mapped]:
    """List conditions together with those inside `any`; what stands in `not` is not asked for."""
    inner = [found for condition in conditions for option in condition.get("any", ()) for found in _asked_for(option)]
    return [*conditions, *inner]


def _clock(text: str) -> timedelta:
    hour, minute = text.strip().split(":")
    return timedelta(hours=int(hour), minutes=int(minute))
