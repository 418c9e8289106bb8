"""Measure the engine against the naive solver: each discount alone, base, candidates and rungs, to the minor unit."""

import csv
import json
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import pytest

from pos_discount.basket import Basket
from pos_discount.policy import Policy, load_policy
from pos_discount.policy.group_benefits import Bundle
from pos_discount.pricing import (
    Applied,
    Candidate,
    Context,
    CounterKey,
    PolicyIndex,
    Priced,
    Pricing,
    Usage,
    counters_of,
    price,
)

from .cut_prices import cut_prices_case
from .generator import Case, random_case
from .rarer import rarer_case
from .solver import solve

ORDINARY, LONG = 500, 20_000
IN_ONE_TEST = 100

# What the naive solver finds no saving in may be told by what the benefit still lacks.
LACKS = {"no_saving", "quantity", "spend"}


@pytest.mark.parametrize("first", range(0, ORDINARY, IN_ONE_TEST))
def test_the_engine_agrees_on_random_cases(first: int, tmp_path: Path) -> None:
    assert list(_disagreements(range(first, first + IN_ONE_TEST), tmp_path)) == []


@pytest.mark.slow
@pytest.mark.parametrize("first", range(ORDINARY, ORDINARY + LONG, 1000))
def test_the_engine_agrees_on_many_random_cases(first: int, tmp_path: Path) -> None:
    assert list(_disagreements(range(first, first + 1000), tmp_path)) == []


def test_the_engine_agrees_where_a_bundles_units_could_change_parts(tmp_path: Path) -> None:
    assert list(_disagreements([2805], tmp_path)) == []


@pytest.mark.parametrize("first", range(0, ORDINARY, IN_ONE_TEST))
def test_the_engine_agrees_on_rarer_cases(first: int, tmp_path: Path) -> None:
    assert list(_disagreements(range(first, first + IN_ONE_TEST), tmp_path, rarer_case)) == []


@pytest.mark.slow
@pytest.mark.parametrize("first", range(ORDINARY, ORDINARY + LONG, 1000))
def test_the_engine_agrees_on_many_rarer_cases(first: int, tmp_path: Path) -> None:
    assert list(_disagreements(range(first, first + 1000), tmp_path, rarer_case)) == []


@pytest.mark.parametrize(
    "first", [0, pytest.param(100, marks=pytest.mark.slow), pytest.param(1100, marks=pytest.mark.slow)]
)
def test_the_engine_saves_the_most_with_a_bundles_percentage_of_list_prices(first: int, tmp_path: Path) -> None:
    for seed in range(first, first + (100 if first == 0 else 1000)):
        case = cut_prices_case(Random(seed))
        best, found = solve(case.policy, case.request)["base"]["total"], priced(case, tmp_path)
        assert (found.base.total, found.is_exact) == (best, True), f"seed {seed}"


def test_the_engine_saves_the_most_where_a_mix_of_list_price_and_what_is_left_finds_no_best(tmp_path: Path) -> None:
    """A choice of units on the edge between two mixes, both of which are worth the same by the one between them."""
    assert priced(case := cut_prices_case(Random(1245)), tmp_path).base.total == 2297
    assert solve(case.policy, case.request)["base"]["total"] == 2297


SMALL_GIFT = {"gift": {"sku": "S", "name": "Sample", "value": "1.00", "cost": "0.10"}}


def _automatic(benefit: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"offer": "automatic", "combines_with": "all", "benefit": benefit} | rest


def _any_units(count: int, **way: str) -> dict[str, Any]:
    return _automatic({"bundle": {"of": [{"units": str(count)}]} | way})


@pytest.mark.parametrize(
    ("promotions", "settings", "prices"),
    [
        pytest.param(
            [_automatic(SMALL_GIFT, when=[{"not": [{"contains": {"sku": "Z"}}]}])],
            {},
            [100],
            id="a gift where something is not in the basket",
        ),
        pytest.param(
            [_automatic(SMALL_GIFT, when=[{"quantity": {"of": {"sku": "Z"}, "at_most": "3"}}])],
            {},
            [100],
            id="at most three may be none",
        ),
        pytest.param(
            [_automatic(SMALL_GIFT)],
            {"guards": {"never": {"sku": "A"}}},
            [100],
            id="a gift beside what is never discounted",
        ),
        pytest.param([_automatic(SMALL_GIFT, offer="ladder")], {}, [0], id="a gift beside what is free"),
        pytest.param(
            [
                _automatic({"amount": "1.00"}, priority="1"),
                _automatic({"amount": "0.50"}, when=[{"spend": {"below": "10.00", "counts": "remaining"}}]),
            ],
            {},
            [1000],
            id="a condition that an earlier discount fulfils",
        ),
        pytest.param(
            [
                _automatic({"amount": "1.00"}, priority="1"),
                _automatic({"percent": "50%"}, limits=[{"budget": "4.50", "per": "chain"}]),
            ],
            {},
            [1000],
            id="a budget that an earlier discount makes suffice",
        ),
        pytest.param(
            [
                _automatic({"amount": "0.01", "of": {"sku": "B"}}, priority="1"),
                _automatic({"unit_price": "0.50", "units": {"at_most": "1"}}),
            ],
            {"guards": {"min_price": [{"of": {"sku": "A"}, "price": "1.00"}]}},
            [100, 100],
            id="a pick that an earlier discount changes",
        ),
        pytest.param(
            [
                _automatic(
                    {"bundle": {"of": [{"of": {"sku": "A"}}, {"of": {"sku": "D"}}], "percent": "10%"}}, priority="1"
                ),
                _automatic({"every": {"units": "2", "at_most": "1"}, "give": {"percent": "50%"}}),
            ],
            {},
            [0, 100, 200, 300],
            id="a pick that an earlier bundle changes",
        ),
        pytest.param(
            [_any_units(1, price="0.10", at_most="1")],
            {"guards": {"min_price": [{"of": {"sku": "A"}, "price": "1.00"}]}},
            [100, 100],
            id="a bundle of what may be sold cheaper",
        ),
        pytest.param(
            [_any_units(2, amount="1.00")],
            {},
            [500, 500, 0, 0],
            id="a bundle's amount beside units that cost nothing",
        ),
        pytest.param(
            [_any_units(2, amount="5.00")],
            {},
            [800, 800, 100, 100],
            id="a bundle's amount beside units that cost less",
        ),
        pytest.param(
            [_any_units(2, price="0.50")],
            {"guards": {"min_price": [{"of": {"sku": ["A", "B"]}, "price": "0.90"}]}},
            [500, 500, 500, 500],
            id="a bundle's price beside units that have a lowest one",
        ),
        pytest.param(
            [
                _automatic({"amount": "0.50", "of": {"sku": "A"}}, priority="1"),
                _any_units(1, percent="10%", at_most="1"),
            ],
            {"percent_of": "original"},
            [120, 100],
            id="a bundle's percentage of list prices",
        ),
        pytest.param(
            [
                _automatic({"unit_price": "1.00", "of": {"sku": ["A", "C"]}}, priority="1"),
                _any_units(2, percent="20%", at_most="1"),
            ],
            {"percent_of": "original"},
            [3000, 2000, 2500, 1900],
            id="a bundle's percentage of list prices, brought in by a unit that is nearly free",
        ),
        pytest.param(
            [_automatic({"unit_price": "1.00"}, priority="1"), _any_units(2, percent="4%", at_most="1")],
            {"percent_of": "original"},
            [100, 2000, 1000, 2400],
            id="a bundle's percentage of list prices, as far as units can bear it",
        ),
    ],
)
def test_the_engine_agrees_on_named_traps(
    promotions: list[dict[str, Any]], settings: dict[str, Any], prices: list[int], tmp_path: Path
) -> None:
    named = [{"id": f"p{index}", "name": "P"} | promotion for index, promotion in enumerate(promotions)]
    house = {"policy": "1", "currency": "EUR", "time_zone": "Europe/Paris", "promotions": named} | settings
    lines = [
        {"line_id": sku.lower(), "sku": sku, "quantity": 1, "unit_price": price}
        for sku, price in zip("ABCD", prices, strict=False)
    ]
    request = {"store_id": "S", "currency": "EUR", "at": "2026-11-05T10:00:00+01:00", "lines": lines}
    assert list(compare(solve(house, request), priced(Case(house, request), tmp_path))) == []


def _disagreements(seeds: Iterable[int], folder: Path, made: Callable[[Random], Case] = random_case) -> Iterable[str]:
    for seed in seeds:
        case = made(Random(seed))
        naive = solve(case.policy, case.request, case.usage, case.files, case.segment)
        yield from (f"seed {seed}: {difference}" for difference in compare(naive, priced(case, folder)))


def priced(case: Case, folder: Path) -> Pricing:
    """Let the engine read a case from files, as merchandisers and tills would give it, and price it."""
    policy = loaded(case, folder)
    segment = (case.segment,) if case.segment else ()
    context = Context(datetime.fromisoformat(case.request["at"]), segment, _usage(policy, case))
    return price(PolicyIndex(policy), msgspec.convert(case.request, Basket), context)


def loaded(case: Case, folder: Path) -> Policy:
    """Write a case's policy into an empty folder and load it."""
    for old in folder.iterdir():
        old.unlink()
    (folder / "all.yaml").write_text(json.dumps(case.policy))
    for name, rows in case.files.items():
        with (folder / name).open("w", newline="") as file:
            writer = csv.DictWriter(file, list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
    return load_policy(folder)


def _usage(policy: Policy, case: Case) -> dict[CounterKey, Usage]:
    """Count past sales in the counters that they fell in when they were made."""
    promotions = {promotion.id: promotion for promotion in policy.promotions}
    counted: dict[CounterKey, Usage] = {}
    for sale in case.usage:
        who = {"customer": {"customer_id": sale["customer_id"]}} if sale["customer_id"] else {}
        who |= {name: sale[name] for name in ("store_id", "cashier_id") if sale[name]}
        basket = msgspec.convert(case.request | {"cashier_id": None, "customer": None} | who, Basket)
        local_time = datetime.fromisoformat(sale["at"]).astimezone(policy.house.time_zone)
        keys = {key for _, key in counters_of(promotions[sale["promotion_id"]], basket, local_time) if key}
        for key in keys:
            before = counted.get(key, Usage())
            counted[key] = Usage(before.uses + 1, before.spent + sale["cost"])
    return counted


def compare(naive: Mapping[str, Any], pricing: Pricing) -> Iterable[str]:
    """Yield where the two differ. Of bundles that tie, only what each promotion gives alone has to agree: what it
    saves, what that costs, and on the lines as one of the answers that tie."""
    yield from _compare_alone(naive["alone"], pricing)
    outcomes = [naive["base"], *naive["candidates"], *naive["alone"].values()]
    if any(outcome.get("has_tie") for outcome in outcomes):
        return
    if not pricing.is_exact and not _may_be_open(pricing):
        yield "not exact at this size"
    yield from _unequal("base", _naive_outcome(naive["base"]), _outcome(pricing, pricing.base))
    ours = {tuple(one["promotions"]): _naive_candidate(one) for one in naive["candidates"]}
    theirs = {tuple(sorted(one.promotion_ids)): _candidate(pricing, one) for one in pricing.candidates}
    for ids in sorted(ours.keys() | theirs.keys()):
        yield from _unequal(f"candidate {ids}", ours.get(ids), theirs.get(ids))
    yield from _unequal(
        "rungs", [one["promotions"] for one in naive["rungs"]], [sorted(one.promotion_ids) for one in pricing.rungs]
    )


def _compare_alone(naive: Mapping[str, Any], pricing: Pricing) -> Iterable[str]:
    for position, entry in enumerate(pricing.scan.index.entries):
        ours, theirs = naive[entry.promotion.id], pricing.discounts.alone(position)
        name = f"{entry.promotion.id} alone"
        if isinstance(theirs, Applied) and "saving" in ours:
            yield from _unequal(f"{name}, saving", ours["saving"], theirs.saving)
            yield from _unequal(f"{name}, cost", ours["cost"], theirs.cost)
            lines = _lines(pricing, [theirs])
            if lines not in ours["ties"]:
                yield from _unequal(f"{name}, lines", ours["lines"], lines)
        elif isinstance(theirs, Applied) or "saving" in ours:
            yield f"{name}: naive {ours}, engine {theirs}"
        else:
            reasons = set(ours["reasons"])
            allowed = reasons | LACKS if "no_saving" in reasons else reasons
            if theirs.reason not in allowed:
                yield f"{name}: naive {ours['reasons']}, engine {theirs.reason}"


def _may_be_open(pricing: Pricing) -> bool:
    """Say whether there is a percentage bundle of list prices, of which the engine cannot always tell that no other
    units save more after earlier discounts."""
    promotions = [entry.promotion for entry in pricing.scan.index.entries]
    has_bundle = any(isinstance(one.benefit, Bundle) and one.benefit.bundle.percent for one in promotions)
    return has_bundle and pricing.scan.house.percent_of == "original"


def _unequal(name: str, naive: Any, engine: Any) -> Iterable[str]:
    if naive != engine:
        yield f"{name}: naive {naive}, engine {engine}"


def _naive_outcome(outcome: Mapping[str, Any]) -> dict[str, Any]:
    discounts = [(one["promotion_id"], one["saving"], one["cost"], one["lines"]) for one in outcome["discounts"]]
    return {name: outcome[name] for name in ("total", "lines", "extra", "cost")} | {"discounts": discounts}


def _outcome(pricing: Pricing, outcome: Priced) -> dict[str, Any]:
    return {
        "total": outcome.total,
        "lines": _lines(pricing, outcome.applied),
        "extra": outcome.present_value,
        "cost": outcome.cost,
        "discounts": [
            (applied.entry.promotion.id, applied.saving, applied.cost, _lines(pricing, [applied]))
            for applied in outcome.applied
        ],
    }


def _naive_candidate(candidate: Mapping[str, Any]) -> dict[str, Any]:
    same = {name: candidate[name] for name in ("value", "saving", "approval")}
    return _naive_outcome(candidate) | same | {"depth": float(candidate["depth"])}


def _candidate(pricing: Pricing, candidate: Candidate) -> dict[str, Any]:
    return _outcome(pricing, candidate.priced) | {
        "value": candidate.value,
        "saving": candidate.saving,
        "depth": candidate.depth,
        "approval": pricing.approval(candidate),
    }


def _lines(pricing: Pricing, discounts: Iterable[Applied]) -> dict[str, int]:
    saved: dict[str, int] = {}
    for applied in discounts:
        for share in applied.lines:
            line_id = pricing.scan.basket.lines[share.line].line_id
            saved[line_id] = saved.get(line_id, 0) + share.saving
    return {line_id: amount for line_id, amount in saved.items() if amount}
