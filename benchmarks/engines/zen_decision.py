"""The rules in GoRules' zen: a decision table that collects every row that holds, which is how its editor would have
it.

Plain facts have a column each, with cells in the short form that zen compiles; what looks at lines is an
expression. The table is compiled once. Beside it, the other way in which it is embedded: one compiled expression
per promotion.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import zen

from benchmarks.engines.rules import AnyOf, Bounds, Clause, Fact, LineTest, Rule, Shared, Total

AT = {"x": 0, "y": 0}


def decision_table(rules: Sequence[Rule]) -> Callable[[dict[str, Any]], frozenset[str]]:
    """Return a function from a request's facts to the ids of the promotions whose rules hold."""
    paths = list(dict.fromkeys(c.path for rule in rules for c in rule.clauses if isinstance(c, Fact | Bounds)))
    decision = zen.ZenEngine().create_decision(zen.ZenDecisionContent(json.dumps(_content(rules, paths))))

    def holding(facts: dict[str, Any]) -> frozenset[str]:
        found = decision.evaluate(facts)["result"]
        return frozenset(row["promotion"] for row in found)

    return holding


def expressions(rules: Sequence[Rule]) -> Callable[[dict[str, Any]], frozenset[str]]:
    """Return the same by one compiled expression for each promotion."""
    compiled = [(rule.promotion_id, zen.compile_expression(_all(rule.clauses))) for rule in rules]

    def holding(facts: dict[str, Any]) -> frozenset[str]:
        return frozenset(promotion_id for promotion_id, expression in compiled if expression.evaluate(facts))

    return holding


def _content(rules: Sequence[Rule], paths: Sequence[str]) -> dict[str, Any]:
    table = {
        "hitPolicy": "collect",
        "inputs": [*({"id": path, "name": path, "field": path} for path in paths), {"id": "lines", "name": "lines"}],
        "outputs": [{"id": "promotion", "name": "promotion", "field": "promotion"}],
        "rules": [_row(rule, paths) for rule in rules],
    }
    nodes = [
        {"id": "in", "type": "inputNode", "name": "in", "position": AT},
        {"id": "table", "type": "decisionTableNode", "name": "table", "position": AT, "content": table},
        {"id": "out", "type": "outputNode", "name": "out", "position": AT},
    ]
    edges = [
        {"id": "1", "type": "edge", "sourceId": "in", "targetId": "table"},
        {"id": "2", "type": "edge", "sourceId": "table", "targetId": "out"},
    ]
    return {"nodes": nodes, "edges": edges}


def _row(rule: Rule, paths: Sequence[str]) -> dict[str, str]:
    row = dict.fromkeys((*paths, "lines"), "")
    for clause in rule.clauses:
        if isinstance(clause, Fact | Bounds) and not row[clause.path]:
            row[clause.path] = _cell(clause)
    others = [c for c in rule.clauses if not isinstance(c, Fact | Bounds) or row[c.path] != _cell(c)]
    return {"_id": rule.promotion_id, **row, "lines": _all(others), "promotion": _text(rule.promotion_id)}


def _cell(clause: Fact | Bounds) -> str:
    if isinstance(clause, Fact):
        words = ", ".join(map(_text, clause.words))
        return f"not($ in [{words}])" if clause.is_negated else words
    if clause.at_least is None:
        return f"<= {clause.at_most}"
    return f"[{clause.at_least}..{clause.at_most}]"


def _all(clauses: Sequence[Clause]) -> str:
    return " and ".join(map(_expression, clauses))


def _expression(clause: Clause) -> str:
    if isinstance(clause, Fact):
        words = ", ".join(map(_text, clause.words))
        return f"{clause.path} {'not in' if clause.is_negated else 'in'} [{words}]"
    if isinstance(clause, Bounds):
        bounds = ((">=", clause.at_least), ("<=", clause.at_most))
        return " and ".join(f"{clause.path} {sign} {number}" for sign, number in bounds if number is not None)
    if isinstance(clause, Shared):
        return f"some({clause.path}, # in [{', '.join(map(_text, clause.words))}])"
    if isinstance(clause, AnyOf):
        return "(" + " or ".join(f"({_all(alternative)})" for alternative in clause.alternatives) + ")"
    return _total(clause)


def _total(clause: Total) -> str:
    tests = " and ".join(map(_line_test, clause.of)) or "true"
    if clause.measure == "quantity" and clause.at_least == 1:
        return f"some(lines, {tests})"
    amount = "#.quantity" if clause.measure == "quantity" else "#.quantity * #.unit_price"
    return f"sum(map(filter(lines, {tests}), {amount})) >= {clause.at_least}"


def _line_test(test: LineTest) -> str:
    if test.field == "tag":
        held = " or ".join(f"{_text(word)} in #.tags" for word in test.words)
    elif test.field == "category":
        held = " or ".join(f"#.category == {_text(w)} or startsWith(#.category, {_text(w + '/')})" for w in test.words)
    elif len(test.words) == 1:
        held = f"#.{test.field} == {_text(test.words[0])}"
    else:
        held = f"#.{test.field} in [{', '.join(map(_text, test.words))}]"
    return f"not ({held})" if test.is_negated else f"({held})"


def _text(word: str | bool) -> str:
    return str(word).lower() if isinstance(word, bool) else f"'{word}'"
