"""How fast is it found what applies, against rule engines that look at every rule; and how fast is all of `decide()`?

Every engine gets the same promotions, written as its own users would and compiled once, and the same basket as it
likes it best. First all must find the same promotions; then they take turns. Django-oscar can only say some of
them, so it is asked in a case of its own, on a policy of what it can say, and once more to apply what holds, which
is its own role.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import NamedTuple

import click

from benchmarks.engines import ours
from benchmarks.engines.business_rules_sets import rule_list
from benchmarks.engines.json_logic_rules import logic_trees
from benchmarks.engines.rule_engine_rules import compiled_rules
from benchmarks.engines.rules import Rule, facts_of, is_sayable, rule_of
from benchmarks.engines.zen_decision import decision_table, expressions
from benchmarks.result import Cell, Claim, Result, show
from benchmarks.shop import NOW, Written, made_assortment, made_basket, made_promotions, read_basket, read_promotions
from benchmarks.timing import Task, Timings, measure
from pos_discount.basket import Basket
from pos_discount.decide import Known, Seed, decide
from pos_discount.pricing import Context, PolicyIndex

SIZES = ((20, 50), (20, 100), (20, 1_000), (100, 50))
"""Lines and promotions."""

PRODUCTS = 2_000
FINDING, DECIDING, ZEN, ZEN_EACH = "finding", "decide()", "zen, one table", "zen, an expression each"
RIVALS: dict[str, Callable[[Sequence[Rule]], Callable[[Written], frozenset[str]]]] = {
    ZEN: decision_table,
    ZEN_EACH: expressions,
    "rule-engine": compiled_rules,
    "business-rules": rule_list,
    "json-logic": logic_trees,
}
IN_PYTHON = tuple(RIVALS)[2:]


PEER_FINDING, PEER_APPLYING = "django-oscar, conditions", "django-oscar, applicator"
PEER_LINES, PEER_PROMOTIONS, PEER_PRODUCTS = 20, 50, 100

Find = Callable[[], frozenset[str]]


class Case(NamedTuple):
    """One size: what each engine is to be asked, and how many promotions apply."""

    lines: int
    promotions: int
    applicable: int
    tasks: dict[str, Task]


@click.command(help=__doc__)
@click.option("--rounds", default=7, show_default=True)
@click.option("--json", "as_json", is_flag=True)
def main(rounds: int, as_json: bool) -> None:
    """Measure, and show what was found."""
    cases = [_made_case(lines, promotions) for lines, promotions in SIZES]
    peer = _made_peer_case()
    measured = [(case, measure(case.tasks, rounds)) for case in cases]
    against_peer = measure(peer.tasks, min(rounds, 3))
    rows = [row for case, timings in (*measured, (peer, against_peer)) for row in _rows(case, timings)]
    claims = [claim for case, timings in measured for claim in _claims(case, timings)]
    show(Result("What applies to this basket", rows, claims), as_json=as_json)


def _made_case(lines: int, promotions: int) -> Case:
    assortment = made_assortment(Random(1), PRODUCTS)
    written = [p for p in made_promotions(Random(4), assortment, promotions * 3) if is_sayable(p)][:promotions]
    body = made_basket(Random(3), assortment, lines)
    index, basket = PolicyIndex(read_promotions(written)), read_basket(body)
    asked = {FINDING: _our_finding(index, basket), **_rivals_asked(written, body)}
    found = {name: find() for name, find in asked.items()}
    for name, promotion_ids in found.items():
        if promotion_ids != found[FINDING]:
            raise SystemExit(f"{name} finds other promotions at {lines} lines: {promotion_ids ^ found[FINDING]}")
    return Case(lines, promotions, len(found[FINDING]), {**asked, DECIDING: _our_deciding(index, basket)})


def _made_peer_case() -> Case:
    from benchmarks.engines.oscar_offers import oscar_shop

    assortment = made_assortment(Random(1), PRODUCTS)
    body = made_basket(Random(3), assortment, PEER_LINES)
    written = _sayable_by_the_peer(made_promotions(Random(4), assortment, PEER_PROMOTIONS * 6))[:PEER_PROMOTIONS]
    bought = {line["sku"] for line in body["lines"]}
    products = [row for number, row in enumerate(assortment) if number < PEER_PRODUCTS or row["sku"] in bought]
    peer = oscar_shop([rule_of(promotion) for promotion in written], products, body)
    index, basket = PolicyIndex(read_promotions(written)), read_basket(body)
    finding = _our_finding(index, basket)
    if peer.find() != finding():
        raise SystemExit(f"django-oscar finds other promotions: {peer.find() ^ finding()}")
    tasks = {FINDING: finding, DECIDING: _our_deciding(index, basket)}
    tasks |= {PEER_FINDING: peer.find, PEER_APPLYING: peer.apply}
    return Case(PEER_LINES, PEER_PROMOTIONS, len(finding()), tasks)


def _sayable_by_the_peer(promotions: list[Written]) -> list[Written]:
    """Return those that count units or money of a range, with nothing else asked, as a percentage off that range."""
    said = []
    for promotion in promotions:
        conditions = [one for one in promotion.get("when", ()) if "quantity" in one or "spend" in one]
        if conditions:
            of = next(iter(conditions[0].values()))["of"]
            kept = {key: promotion[key] for key in ("id", "name", "priority")}
            kept |= {"from": "2026-01-01", "until": "2027-01-01", "when": conditions[:1]}
            said.append({**kept, "benefit": {"percent": "10%", "of": of}})
    return said


def _our_finding(index: PolicyIndex, basket: Basket) -> Find:
    context = Context(NOW)
    return lambda: ours.holding(index, basket, context)


def _our_deciding(index: PolicyIndex, basket: Basket) -> Task:
    seed = Seed("dec_benchmark", "benchmark")
    return lambda: decide(basket, index, None, Known(), NOW, seed)


def _rivals_asked(written: list[Written], body: Written) -> dict[str, Find]:
    rules, facts = [rule_of(promotion) for promotion in written], facts_of(body)

    def asked(holding: Callable[[Written], frozenset[str]]) -> Find:
        return lambda: holding(facts)

    return {name: asked(make(rules)) for name, make in RIVALS.items()}


def _rows(case: Case, timings: Timings) -> list[dict[str, Cell]]:
    return [
        {
            "lines": case.lines,
            "promotions": case.promotions,
            "apply": case.applicable,
            "engine": name,
            "microseconds": timings.microseconds(name),
            "of our finding": timings.ratio(name, FINDING),
            "of our decide()": timings.ratio(name, DECIDING),
        }
        for name in case.tasks
    ]


def _claims(case: Case, timings: Timings) -> list[Claim]:
    size = f"{case.lines} lines x {case.promotions:,}"
    slowest_ratio = min(timings.ratio(name, FINDING) for name in IN_PYTHON)
    return [
        Claim(f"{size}: zen's table against finding what applies", timings.ratio(ZEN, FINDING), at_least=50),
        Claim(f"{size}: zen's expressions against finding", timings.ratio(ZEN_EACH, FINDING), at_least=50, is_aim=True),
        Claim(f"{size}: the fastest Python rule engine against finding", slowest_ratio, at_least=300),
        Claim(f"{size}: zen's table against a whole decide()", timings.ratio(ZEN, DECIDING), at_least=3),
        Claim(
            f"{size}: zen's expressions against decide()", timings.ratio(ZEN_EACH, DECIDING), at_least=3, is_aim=True
        ),
    ]


if __name__ == "__main__":
    main()
