"""What a promotion asks for, in a form that belongs to no engine, so that each writes the same rules in its own way.

A rule holds where all its clauses do: the promotion's schedule and place, its conditions, and that the basket holds
something that its benefit could make cheaper. Kinds that one of the engines has no words for (different skus, days
around a birthday, a learned segment) are left out of the comparison for all.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from benchmarks.shop import HOUSE, NOW, Written

UNSAID_BY_SOME = frozenset({"distinct", "birthday", "days_since_last_visit", "segment", "attribute"})
Word = str | bool


class LineTest(NamedTuple):
    """A line's field has one of these words; a category also where it lies below one of them."""

    field: str
    words: tuple[str, ...]
    is_negated: bool = False


class Total(NamedTuple):
    """The units of some lines, or their money in minor units, reach a number."""

    measure: str
    of: tuple[LineTest, ...]
    at_least: int


class Fact(NamedTuple):
    """A fact about the sale is one of these words."""

    path: str
    words: tuple[Word, ...]
    is_negated: bool = False


class Shared(NamedTuple):
    """A list among the sale's facts has one of these words."""

    path: str
    words: tuple[str, ...]


class Bounds(NamedTuple):
    """A number among the sale's facts lies within bounds, both inclusive."""

    path: str
    at_least: int | None
    at_most: int | None


class AnyOf(NamedTuple):
    """All clauses of at least one alternative hold."""

    alternatives: tuple[tuple[Clause, ...], ...]


Clause = Total | Fact | Shared | Bounds | AnyOf


class Rule(NamedTuple):
    """A promotion's id and the clauses that must all hold."""

    promotion_id: str
    clauses: tuple[Clause, ...]


def is_sayable(promotion: Written) -> bool:
    """Tell whether every engine has words for a promotion's conditions."""
    return UNSAID_BY_SOME.isdisjoint(_kinds(promotion.get("when", ())))


def rule_of(promotion: Written) -> Rule:
    """Return what a promotion asks for."""
    asked = [*_schedule_and_place(promotion), *(c for one in promotion.get("when", ()) for c in _clauses(one))]
    if any(limit["per"] == "customer" for limit in promotion.get("limits", ())):
        asked.append(Fact("is_member", (True,)))
    targets = [(Total("quantity", of, 1),) for of in _targets(promotion["benefit"])]
    held = {clause.of for clause in asked if isinstance(clause, Total)}
    if targets and not any(target.of in held for (target,) in targets):
        asked.append(targets[0][0] if len(targets) == 1 else AnyOf(tuple(targets)))
    return Rule(promotion["id"], tuple(asked))


def facts_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return a request's body with what a host would add to it before it asks a rule engine."""
    local_time = NOW.astimezone(ZoneInfo(HOUSE["time_zone"]))
    return {
        **body,
        "at": int(NOW.timestamp()),
        "weekday": local_time.strftime("%a").lower(),
        "is_member": True,
        "asked": False,
    }


def _kinds(conditions: Sequence[Written]) -> Iterator[str]:
    for condition in conditions:
        ((kind, value),) = condition.items()
        yield kind
        if kind == "not":
            yield from _kinds(value)
        elif kind == "any":
            for alternative in value:
                yield from _kinds(alternative)


def _schedule_and_place(promotion: Written) -> Iterator[Clause]:
    begins, ends = (_moment(promotion[key]) for key in ("from", "until"))
    yield Bounds("at", begins, ends - 1)
    for key, path in (("weekdays", "weekday"), ("stores", "store_id")):
        if key in promotion:
            yield Fact(path, tuple(promotion[key]))


def _moment(day: str) -> int:
    return int(datetime.fromisoformat(day).replace(tzinfo=ZoneInfo(HOUSE["time_zone"])).timestamp())


def _clauses(condition: Written) -> Iterator[Clause]:
    ((kind, value),) = condition.items()
    if kind in ("quantity", "spend"):
        yield Total(kind, _products(value["of"]), _number(kind, value["at_least"]))
    elif kind == "contains":
        yield Total("quantity", _products(value), 1)
    elif kind in ("group", "coupon"):
        yield Shared({"group": "customer.groups", "coupon": "coupons"}[kind], tuple(value))
    elif kind == "visit_number":
        yield Bounds("customer.visit_number", None, value["at_most"])
    elif kind == "any":
        yield AnyOf(tuple(tuple(c for one in alternative for c in _clauses(one)) for alternative in value))
    elif kind == "not":
        yield from (_fact(one, is_negated=True) for one in value)
    else:
        yield _fact(condition)


def _fact(condition: Written, *, is_negated: bool = False) -> Fact:
    ((kind, value),) = condition.items()
    path = {"tier": "customer.tier", "member": "is_member"}.get(kind, kind)
    words = (value == "yes",) if isinstance(value, str) else tuple(value)
    return Fact(path, words, is_negated)


def _number(kind: str, text: object) -> int:
    return int(Decimal(str(text)) * 100) if kind == "spend" else int(str(text))


def _products(of: Written | None) -> tuple[LineTest, ...]:
    tests = (LineTest(key, _words(value)) for key, value in (of or {}).items() if key != "not")
    excluded = (LineTest(key, _words(value), is_negated=True) for key, value in (of or {}).get("not", {}).items())
    return (*tests, *excluded)


def _words(value: str | Iterable[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _targets(benefit: Written) -> list[tuple[LineTest, ...]]:
    if "bundle" in benefit:
        return [_products(part["of"]) for part in benefit["bundle"]["of"]]
    written = next((benefit[kind] for kind in ("every", "buy_get", "tiers") if kind in benefit), benefit)
    return [_products(written["of"])] if "of" in written else []
