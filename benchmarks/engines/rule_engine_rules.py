"""The rules in rule-engine, in the way that it is made for: compiled rules that match one flat thing, or filter many.

What a promotion asks of the sale is one rule, matched against the request; what it asks of products is a rule that
filters the lines, of which the host then sums units or money. One rule over a nested list of lines can be written
too, but rule-engine then converts the whole basket for each rule, and takes many times as long.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import rule_engine

from benchmarks.engines.rules import AnyOf, Bounds, Clause, Fact, LineTest, Rule, Shared, Total

Facts = Mapping[str, Any]
Holds = Callable[[Facts], bool]


def compiled_rules(rules: Sequence[Rule]) -> Callable[[Facts], frozenset[str]]:
    """Return a function from a request's facts to the ids of the promotions whose rules hold."""
    context = rule_engine.Context(resolver=rule_engine.resolve_item)
    compiled = [(rule.promotion_id, _all(rule.clauses, context)) for rule in rules]

    def holding(facts: Facts) -> frozenset[str]:
        return frozenset(promotion_id for promotion_id, holds in compiled if holds(facts))

    return holding


def _all(clauses: Sequence[Clause], context: Any) -> Holds:
    """Return a test of all clauses: those on the sale as one rule and first, then one by one those on lines."""
    said = [_expression(clause) for clause in clauses if isinstance(clause, Fact | Bounds | Shared)]
    tests = [rule_engine.Rule(" and ".join(said), context=context).matches] if said else []
    tests += [_total(clause, context) for clause in clauses if isinstance(clause, Total)]
    tests += [_any(clause, context) for clause in clauses if isinstance(clause, AnyOf)]
    return lambda facts: all(test(facts) for test in tests)


def _any(clause: AnyOf, context: Any) -> Holds:
    alternatives = [_all(alternative, context) for alternative in clause.alternatives]
    return lambda facts: any(holds(facts) for holds in alternatives)


def _total(clause: Total, context: Any) -> Holds:
    products = rule_engine.Rule(" and ".join(map(_line_test, clause.of)), context=context)
    is_spend = clause.measure == "spend"

    def holds(facts: Facts) -> bool:
        lines = products.filter(facts["lines"])
        total: int = sum(line["quantity"] * (line["unit_price"] if is_spend else 1) for line in lines)
        return total >= clause.at_least

    return holds


def _expression(clause: Fact | Bounds | Shared) -> str:
    if isinstance(clause, Fact):
        return f"({_is_one_of(clause.path, clause.words, is_negated=clause.is_negated)})"
    if isinstance(clause, Bounds):
        bounds = ((">=", clause.at_least), ("<=", clause.at_most))
        return " and ".join(f"{clause.path} {sign} {number}" for sign, number in bounds if number is not None)
    return "(" + " or ".join(f"{_text(word)} in {clause.path}" for word in clause.words) + ")"


def _line_test(test: LineTest) -> str:
    if test.field == "tag":
        held = " or ".join(f"{_text(word)} in tags" for word in test.words)
    elif test.field == "category":
        held = " or ".join(f"category == {_text(w)} or category.starts_with({_text(w + '/')})" for w in test.words)
    else:
        held = _is_one_of(test.field, test.words, is_negated=False)
    return f"not ({held})" if test.is_negated else f"({held})"


def _is_one_of(path: str, words: Sequence[str | bool], *, is_negated: bool) -> str:
    if len(words) == 1:
        return f"{path} {'!=' if is_negated else '=='} {_text(words[0])}"
    held = f"{path} in [{', '.join(map(_text, words))}]"
    return f"not ({held})" if is_negated else held


def _text(word: str | bool) -> str:
    return str(word).lower() if isinstance(word, bool) else f'"{word}"'
