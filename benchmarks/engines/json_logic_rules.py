"""The rules in JsonLogic: one expression tree for each promotion."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from json_logic import jsonLogic

from benchmarks.engines.rules import AnyOf, Bounds, Clause, Fact, LineTest, Rule, Shared, Total

Logic = dict[str, Any]


def logic_trees(rules: Sequence[Rule]) -> Callable[[Mapping[str, Any]], frozenset[str]]:
    """Return a function from a request's facts to the ids of the promotions whose rules hold."""
    written = [(rule.promotion_id, _all(rule.clauses)) for rule in rules]

    def holding(facts: Mapping[str, Any]) -> frozenset[str]:
        return frozenset(promotion_id for promotion_id, logic in written if jsonLogic(logic, facts))

    return holding


def _all(clauses: Sequence[Clause]) -> Logic:
    return {"and": list(map(_logic, clauses))}


def _logic(clause: Clause) -> Logic:
    if isinstance(clause, Fact):
        held = _is_one_of(clause.path, clause.words)
        return {"!": [held]} if clause.is_negated else held
    if isinstance(clause, Bounds):
        number: Logic = {"var": clause.path}
        if clause.at_least is None:
            return {"<=": [number, clause.at_most]}
        return {"<=": [clause.at_least, number, clause.at_most]}
    if isinstance(clause, Shared):
        return {"or": [{"in": [word, {"var": clause.path}]} for word in clause.words]}
    if isinstance(clause, AnyOf):
        return {"or": [_all(alternative) for alternative in clause.alternatives]}
    return _total(clause)


def _total(clause: Total) -> Logic:
    tests: Logic = {"and": list(map(_line_test, clause.of))}
    if clause.measure == "quantity" and clause.at_least == 1:
        return {"some": [{"var": "lines"}, tests]}
    quantity: Logic = {"var": "current.quantity"}
    amount = quantity if clause.measure == "quantity" else {"*": [quantity, {"var": "current.unit_price"}]}
    total = {"reduce": [{"filter": [{"var": "lines"}, tests]}, {"+": [{"var": "accumulator"}, amount]}, 0]}
    return {">=": [total, clause.at_least]}


def _line_test(test: LineTest) -> Logic:
    if test.field == "tag":
        held: Logic = {"or": [{"in": [word, {"var": "tags"}]} for word in test.words]}
    elif test.field == "category":
        held = {"or": [logic for word in test.words for logic in _is_below(word)]}
    else:
        held = _is_one_of(test.field, test.words)
    return {"!": [held]} if test.is_negated else held


def _is_below(root: str) -> tuple[Logic, Logic]:
    category: Logic = {"var": "category"}
    return {"==": [category, root]}, {"==": [{"substr": [category, 0, len(root) + 1]}, root + "/"]}


def _is_one_of(path: str, words: Sequence[str | bool]) -> Logic:
    if len(words) == 1:
        return {"==": [{"var": path}, words[0]]}
    return {"in": [{"var": path}, list(words)]}
