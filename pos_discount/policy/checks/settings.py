"""House settings that undo each other, or leave the ladder without a single rung."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from pos_discount.money import format_percent
from pos_discount.policy.checks.finding import Finding
from pos_discount.policy.checks.products import is_part_of
from pos_discount.policy.model import Guards, Margin, Personalisation, Policy


def find_wrong_settings(policy: Policy) -> Iterator[Finding]:
    """Find settings of the house that never count, contradict each other or empty every ladder."""
    house = policy.house
    for said in (
        *_about_margins(house.margins, house.guards),
        *_about_guards(house.guards),
        *_about_personalisation(house.personalisation),
    ):
        yield Finding("warning", house.place, said)
    if house.holdout.share == 1:
        yield Finding("warning", house.place, "the whole trade is in the hold-out, so there is nothing to compare with")


def _about_margins(margins: Sequence[Margin], guards: Guards) -> Iterator[str]:
    if any(margin.of is None for margin in margins[:-1]):
        yield "a margin without 'of' fits everything, so those after it never count"
    for position, margin in enumerate(margins, 1):
        by = next((n for n, earlier in enumerate(margins[: position - 1], 1) if _hides(earlier, margin)), None)
        if by is not None:
            yield f"margin {position} of 'margins' never counts, as all its products are in margin {by}; put it first"
    least = guards.min_margin
    if least is not None and margins and margins[-1].of is None and all(margin.rate <= least for margin in margins):
        most = format_percent(max(margin.rate for margin in margins))
        said = f"min_margin is {format_percent(least)} and the highest of 'margins' {most}"
        yield f"{said}, so where no unit_cost is known nothing on the ladder may get cheaper"


def _hides(earlier: Margin, margin: Margin) -> bool:
    return earlier.of is not None and margin.of is not None and is_part_of(margin.of, earlier.of)


def _about_guards(guards: Guards) -> Iterator[str]:
    for (role, depth), (after, deeper) in pairwise(guards.authority.items()):
        if deeper < depth:
            yield (
                f"'{after}' may grant {format_percent(deeper)}, less than '{role}' before it, {format_percent(depth)}; "
                "expected the lowest authority first"
            )
    if guards.max_depth == 0:
        yield "max_depth is 0%, so the ladder never takes anything off"
    if guards.authority and not any(guards.authority.values()):
        yield "nobody has an authority above 0%, so every ladder is empty"


def _about_personalisation(rules: Sequence[Personalisation]) -> Iterator[str]:
    for position, rule in enumerate(rules, 1):
        by = next((n for n, earlier in enumerate(rules[: position - 1], 1) if _comes_before(earlier, rule)), None)
        if by is not None:
            yield f"entry {position} of 'personalisation' never counts, as entry {by} fits all its stores; put it first"


def _comes_before(earlier: Personalisation, rule: Personalisation) -> bool:
    return earlier.stores is None or (rule.stores is not None and set(rule.stores) <= set(earlier.stores))
