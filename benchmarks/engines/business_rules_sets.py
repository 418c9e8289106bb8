"""The rules in business-rules: a class of variables, a list of rules, an action that notes what applies.

Its variables take no arguments, so each total that a rule asks for (the units of a brand, the money spent on a
category) is a method of its own, made once for all rules that share it, and worked out when a rule asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from business_rules import run_all
from business_rules.actions import BaseActions, rule_action
from business_rules.fields import FIELD_TEXT
from business_rules.variables import (
    BaseVariables,
    boolean_rule_variable,
    numeric_rule_variable,
    select_multiple_rule_variable,
    string_rule_variable,
)

from benchmarks.engines.rules import AnyOf, Bounds, Clause, Fact, LineTest, Rule, Shared, Total

Written = dict[str, Any]


def rule_list(rules: Sequence[Rule]) -> Callable[[Mapping[str, Any]], frozenset[str]]:
    """Return a function from a request's facts to the ids of the promotions whose rules hold."""
    methods: dict[str, Callable[..., Any]] = {}
    written = [_rule(rule, methods) for rule in rules]
    variables = type("SaleVariables", (_Sale,), methods)

    def holding(facts: Mapping[str, Any]) -> frozenset[str]:
        actions = _Applies()
        run_all(written, variables(facts), actions)
        return frozenset(actions.promotion_ids)

    return holding


class _Sale(BaseVariables):  # type: ignore[misc]
    """The facts that the variables of all rules look at."""

    def __init__(self, facts: Mapping[str, Any]) -> None:
        self.facts = facts


class _Applies(BaseActions):  # type: ignore[misc]
    """Notes the promotions whose rules held."""

    def __init__(self) -> None:
        self.promotion_ids: list[str] = []

    @rule_action(params={"promotion_id": FIELD_TEXT})  # type: ignore[untyped-decorator]
    def applies(self, promotion_id: str) -> None:
        """Note a promotion."""
        self.promotion_ids.append(promotion_id)


def _rule(rule: Rule, methods: dict[str, Callable[..., Any]]) -> Written:
    return {
        "conditions": {"all": [_condition(clause, methods) for clause in rule.clauses]},
        "actions": [{"name": "applies", "params": {"promotion_id": rule.promotion_id}}],
    }


def _condition(clause: Clause, methods: dict[str, Callable[..., Any]]) -> Written:
    if isinstance(clause, AnyOf):
        return {"any": [{"all": [_condition(c, methods) for c in clauses]} for clauses in clause.alternatives]}
    if isinstance(clause, Bounds):
        return _within(clause, _numeric(clause.path, methods))
    if isinstance(clause, Shared):
        name = _variable(clause.path, methods, select_multiple_rule_variable)
        return _test(name, "shares_at_least_one_element_with", list(clause.words))
    if isinstance(clause, Total):
        return _test(_total(clause, methods), "greater_than_or_equal_to", clause.at_least)
    return _fact(clause, methods)


def _fact(clause: Fact, methods: dict[str, Callable[..., Any]]) -> Written:
    if isinstance(clause.words[0], bool):
        name = _variable(clause.path, methods, boolean_rule_variable)
        return _test(name, "is_true" if clause.words[0] != clause.is_negated else "is_false", True)
    name = _variable(clause.path, methods, string_rule_variable)
    if not clause.is_negated:
        return {"any": [_test(name, "equal_to", word) for word in clause.words]}
    return {"all": [_test(name, "matches_regex", f"^(?!{word}$)") for word in clause.words]}


def _within(clause: Bounds, name: str) -> Written:
    bounds = (("greater_than_or_equal_to", clause.at_least), ("less_than_or_equal_to", clause.at_most))
    return {"all": [_test(name, operator, number) for operator, number in bounds if number is not None]}


def _test(name: str, operator: str, value: Any) -> Written:
    return {"name": name, "operator": operator, "value": value}


def _numeric(path: str, methods: dict[str, Callable[..., Any]]) -> str:
    return _variable(path, methods, numeric_rule_variable)


def _variable(path: str, methods: dict[str, Callable[..., Any]], decorate: Callable[..., Any]) -> str:
    """Return the name of the variable of a fact, made where there is none yet."""
    name = path.replace(".", "_")
    first, _, second = path.partition(".")

    def value(sale: _Sale) -> Any:
        return sale.facts[first][second] if second else sale.facts[first]

    if name not in methods:
        methods[name] = _decorated(value, name, decorate)
    return name


def _total(clause: Total, methods: dict[str, Callable[..., Any]]) -> str:
    """Return the name of the variable of a total, made where there is none yet."""
    name = f"{clause.measure}_{abs(hash((clause.measure, clause.of)))}"
    is_spend = clause.measure == "spend"

    def value(sale: _Sale) -> int:
        lines = [line for line in sale.facts["lines"] if all(_holds(test, line) for test in clause.of)]
        return sum(line["quantity"] * (line["unit_price"] if is_spend else 1) for line in lines)

    if name not in methods:
        methods[name] = _decorated(value, name, numeric_rule_variable)
    return name


def _decorated(method: Callable[..., Any], name: str, decorate: Callable[..., Any]) -> Callable[..., Any]:
    method.__name__ = name
    decorated: Callable[..., Any] = decorate(label=name)(method)
    return decorated


def _holds(test: LineTest, line: Mapping[str, Any]) -> bool:
    if test.field == "tag":
        held = any(tag in test.words for tag in line["tags"])
    elif test.field == "category":
        category = line["category"]
        held = any(category == word or category.startswith(word + "/") for word in test.words)
    else:
        held = line[test.field] in test.words
    return held != test.is_negated
