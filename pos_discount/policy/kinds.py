"""Conditions and benefits: which kind a mapping is of, and the few shapes that belong to one kind alone."""

from __future__ import annotations

from typing import Any

from pos_discount.policy.benefits import BENEFITS, Benefit, Position, TierTerms
from pos_discount.policy.conditions import CONDITIONS, Attribute, Condition
from pos_discount.policy.fields import FieldReader, Parse, shown
from pos_discount.policy.shapes import written_fields
from pos_discount.policy.spelling import did_you_mean, one_of
from pos_discount.policy.values import Reads
from pos_discount.policy.yaml_nodes import Mapping, Node, Scalar
from pos_discount.refused import refused_reason


class KindReader:
    """Reads conditions and benefits, and teaches a `FieldReader` to."""

    def __init__(self, reader: FieldReader) -> None:
        self._reader = reader
        self._shorthand_by_kind: dict[str, Parse[Any]] = {}
        self._threshold = reader.parse_by_reads[Reads.MONEY]
        conditions = reader.list_of(self.condition)
        reader.parse_by_reads |= {
            Reads.CONDITIONS: conditions,
            Reads.ALTERNATIVES: reader.list_of(conditions),
            Reads.BENEFIT: self.benefit,
            Reads.TARGET: self._target,
            Reads.THRESHOLD: lambda node: self._threshold(node),
        }
        self._tiers_by_fields = reader.struct(TierTerms)
        reader.add_struct(TierTerms, self._tiers)

    def condition(self, node: Node) -> Condition:
        """Read a condition: a mapping of its kind to what is written under it."""
        kind, value = self._kind_and_value(node)
        struct = CONDITIONS[kind]
        if struct.shorthand is not None:
            return struct(**{struct.shorthand: self._shorthand(struct)(value)})
        condition = self._reader.struct(struct)(value)
        if isinstance(condition, Attribute):
            self._refuse_personal(condition, value)
        return condition

    def _kind_and_value(self, node: Node) -> tuple[str, Node]:
        if type(node) is not Mapping or not node.entries:
            self._reader.fail(node, f"expected a condition such as {{quantity: {{at_least: 3}}}}, got {shown(node)}")
        for text, (key, _) in node.entries.items():
            if text not in CONDITIONS:
                if kind := next((kind for kind in node.entries if kind in CONDITIONS), None):
                    self._reader.fail(
                        key, f"key '{text[:60]}' beside the condition '{kind}'; expected it under '{kind}'"
                    )
                self._reader.fail(key, f"unknown condition '{text[:60]}'{did_you_mean(text, CONDITIONS)}")
        first, *others = node.entries
        if others:
            key = node.entries[others[0]][0]
            self._reader.fail(
                key, f"a second condition in one item, '{others[0]}'; expected one; begin it with its own dash"
            )
        return first, node.entries[first][1]

    def _shorthand(self, struct: type[Condition]) -> Parse[Any]:
        if struct.kind not in self._shorthand_by_kind:
            field = next(field for field in written_fields(struct) if field.name == struct.shorthand)
            self._shorthand_by_kind[struct.kind] = self._reader.parser(field.shape)
        return self._shorthand_by_kind[struct.kind]

    def _refuse_personal(self, condition: Attribute, node: Node) -> None:
        reason = refused_reason(condition.name)
        if reason is not None:
            said = f"attribute '{condition.name}' is refused, as it tells of a person's {reason}"
            self._reader.fail(node, f"{said}; expected something that customers do, not what they are")

    def benefit(self, node: Node) -> Benefit:
        """Read a benefit: a mapping in which exactly one key is a kind, and the others stand beside it."""
        if type(node) is not Mapping or not node.entries:
            self._reader.fail(node, f"expected a benefit such as {{percent: 10%}}, got {shown(node)}")
        kinds = [kind for kind in node.entries if kind in BENEFITS]
        if not kinds:
            text, (key, _) = next(iter(node.entries.items()))
            self._reader.fail(key, f"unknown benefit '{text[:60]}'{did_you_mean(text, BENEFITS)}")
        if len(kinds) > 1:
            key = node.entries[kinds[1]][0]
            self._reader.fail(key, f"a second kind of benefit, '{kinds[1]}' beside '{kinds[0]}'; expected exactly one")
        return self._reader.struct(BENEFITS[kinds[0]])(node)

    def _target(self, node: Node) -> str | Position:
        if type(node) is Mapping:
            return self._reader.struct(Position)(node)
        words = ("cheapest", "dearest", "all")
        if type(node) is not Scalar or node.text not in words:
            word = shown(node)
            self._reader.fail(node, f"{word} is no target; expected {one_of((*words, '{position: 2}'))}")
        return node.text

    def _tiers(self, node: Node) -> TierTerms:
        """Read tiers, whose steps begin at money or at units, depending on what they go by."""
        by = node.entries.get("by") if type(node) is Mapping else None
        is_by_units = by is not None and type(by[1]) is Scalar and by[1].text == "quantity"
        self._threshold = self._reader.parse_by_reads[Reads.COUNT if is_by_units else Reads.MONEY]
        return self._tiers_by_fields(node)
