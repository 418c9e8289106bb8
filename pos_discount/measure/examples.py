"""Examples run as tests: what a merchandiser expects of a basket against what the policy makes of it.

A promotion's own discount is taken alone on the basket; base and rungs with the whole policy and nothing used up. A
card is one that was never seen, as far as the example does not say otherwise.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from pos_discount.decide import completed
from pos_discount.policy.model import Example
from pos_discount.pricing import Applied, Context, PolicyIndex, Pricing, price

Amounts = int | tuple[int, ...] | None
"""One amount, several, or None where a promotion does not apply; minor units."""


class Disagreement(msgspec.Struct, frozen=True):
    """Where an example and the policy differ: ``subject`` is a promotion's id, `base` or `rungs`.

    ``reason`` says why a promotion does not apply, where it does not.
    """

    subject: str
    expected: Amounts
    got: Amounts
    reason: str = ""


class ExampleResult(msgspec.Struct, frozen=True):
    """An example and all in which the policy differs from it; none where it holds."""

    example: Example
    disagreements: tuple[Disagreement, ...]


def run_examples(index: PolicyIndex) -> Iterator[ExampleResult]:
    """Run every example of a policy, in the order in which they are written."""
    for example in index.policy.examples:
        yield ExampleResult(example, tuple(_disagreements(index, example)))


def _disagreements(index: PolicyIndex, example: Example) -> Iterator[Disagreement]:
    basket = completed(example.basket, None)
    assert basket.at is not None, "the reader gives every example a moment"
    segment = (example.segment,) if example.segment else ()
    pricing = price(index, basket, Context(basket.at, segment))
    for promotion_id, expected in example.saving_by_promotion.items():
        got, reason = _saving_alone(pricing, index, promotion_id)
        if got != expected:
            yield Disagreement(promotion_id, expected, got, reason)
    if example.base is not None and example.base != pricing.base.total:
        yield Disagreement("base", example.base, pricing.base.total)
    rungs = tuple(rung.saving for rung in pricing.rungs)
    if example.rungs is not None and example.rungs != rungs:
        yield Disagreement("rungs", example.rungs, rungs)


def _saving_alone(pricing: Pricing, index: PolicyIndex, promotion_id: str) -> tuple[int | None, str]:
    outcome = pricing.discounts.alone(index.position_by_id[promotion_id])
    return (outcome.saving, "") if isinstance(outcome, Applied) else (None, f"{outcome.reason}: {outcome.detail}")
