"""A decision told in words: for whom, what was owed, why each rung was named, why in that order, what came of it."""

from __future__ import annotations

from collections.abc import Iterator

from pos_discount.answer import Answer, Rung
from pos_discount.decide import KeptCustomer
from pos_discount.money import format_money
from pos_discount.recording import Inputs
from pos_discount.sensitivity import LadderChoice
from pos_discount.store import KeptDecision

WHY_FALLBACK = {
    "no_model": "Nothing has been learned yet, so a stated prior curve chose which rungs follow the first.",
    "model_rejected": "The model could not be read, so a stated prior curve chose which rungs follow the first.",
    "shadow": "Learning runs in shadow, so a stated prior curve chose which rungs follow the first.",
}


def explain_decision(
    inputs: Inputs, answer: Answer, choice: LadderChoice, kept: KeptDecision, digits: int
) -> list[str]:
    """Return the sentences, in the order in which the decision was made."""
    return [
        *_about(inputs, answer, kept),
        *_about_customer(inputs, answer),
        *_about_base(answer, digits),
        *_about_ladder(answer, choice, digits),
        *_about_choice(answer, choice),
        *_about_others(answer),
        *_about_outcome(kept, answer, digits),
    ]


def _about(inputs: Inputs, answer: Answer, kept: KeptDecision) -> Iterator[str]:
    basket = inputs.basket
    where = f"store {basket.store_id}" + (f", till {basket.till_id}" if basket.till_id else "")
    yield f"Decision {answer.decision_id}, {where}, {answer.at.isoformat()}."
    yield f"It was made under policy {answer.policy_version} and {_model_words(answer)}."
    if kept.superseded_by:
        yield f"A later decision of the same sale superseded it: {kept.superseded_by}."


def _model_words(answer: Answer) -> str:
    return f"model {answer.model_version}" if answer.model_version else "no model"


def _about_customer(inputs: Inputs, answer: Answer) -> Iterator[str]:
    customer = inputs.basket.customer
    if customer is None:
        yield "Nobody was known: the ladder rests on this basket alone."
    else:
        yield f"The customer was known by a card; what counted of their behaviour: {_behaviour(inputs.known.kept)}."
    if inputs.basket.asked:
        yield "The cashier noted that the customer asked for a discount."
    if answer.segment:
        yield f"They were taken for the segment '{answer.segment.name}'."


def _behaviour(kept: KeptCustomer | None) -> str:
    if kept is None:
        return "only what the till sent"
    share = "" if kept.promo_share_90d is None else f", {kept.promo_share_90d:.0%} of it on promotion"
    spent = f"{kept.visits} visits so far, {kept.visits_90d} in the last 90 days{share}"
    return spent + (f", {sum(count for _, count in kept.events)} answers to offers" if kept.events else "")


def _about_base(answer: Answer, digits: int) -> Iterator[str]:
    currency = answer.currency
    yield f"The basket costs {format_money(answer.list_total, digits)} {currency} at list price."
    for discount in answer.base.discounts:
        ground = "is advertised" if discount.offer == "automatic" else "was claimed"
        saving = format_money(discount.saving, digits)
        yield f"Owed before anything is said: '{discount.name}' {ground} and takes off {saving}."
    if answer.base.discounts:
        yield f"That makes the base {format_money(answer.base.total, digits)}."
    else:
        yield "Nothing is owed before anything is said, so that is the base."


def _about_ladder(answer: Answer, choice: LadderChoice, digits: int) -> Iterator[str]:
    if not answer.ladder:
        yield "The policy lets the cashier offer nothing on this basket, so there is no ladder."
    before = -1
    for rung, position in zip(answer.ladder, choice.rungs, strict=True):
        yield f"Rung {rung.rung}: {_what(rung, digits)}. {_why(rung, answer, position - before - 1)}"
        before = position


def _what(rung: Rung, digits: int) -> str:
    names = {discount.promotion_id: discount.name for discount in rung.discounts}
    named = " with ".join(f"'{names.get(id_, id_)}'" for id_ in rung.promotions)
    gift = f", worth {format_money(rung.value, digits)} to the customer" if rung.value != rung.saving else ""
    asked = f", needs a yes from {rung.approval}" if rung.approval else ""
    return f"{named}, {format_money(rung.saving, digits)} off ({rung.depth:.1%} of the base){gift}{asked}"


def _why(rung: Rung, answer: Answer, passed: int) -> str:
    if rung.rung == 1:
        return "It is the smallest that the policy allows here, and the smallest always comes first."
    before = answer.ladder[rung.rung - 2]
    skipped = f", past {passed} between them" if passed else ""
    return (
        f"It comes after rung {before.rung}{skipped} because it is worth more to the customer; of those "
        f"who refuse that one and stay, {rung.acceptance:.0%} are expected to take it."
    )


def _about_choice(answer: Answer, choice: LadderChoice) -> Iterator[str]:
    if not answer.ladder:
        return
    if answer.fallback:
        yield WHY_FALLBACK.get(answer.fallback, f"Learning played no part ({answer.fallback}).")
    if answer.arm == "holdout":
        yield "This customer is in the hold-out, which gets the house's old way, so that learning has its measure."
        return
    yield (
        f"Which rungs follow the first weighs the profit of a sale at each, the chance to lose the customer with each "
        f"refusal, and the seconds that a sentence costs; this ladder was drawn with probability "
        f"{choice.propensity:.2f} out of {len(choice.distribution)} that had a chance."
    )


def _about_others(answer: Answer) -> Iterator[str]:
    for reason in answer.not_applicable:
        yield f"Not '{reason.promotion_id}': {reason.detail}."


def _about_outcome(kept: KeptDecision, answer: Answer, digits: int) -> Iterator[str]:
    outcome = kept.outcome
    if outcome is None:
        yield "How the sale ended has not been reported."
        return
    rung = f" at rung {outcome.rung}" if outcome.rung else ""
    yield f"How it ended: {outcome.result.replace('_', ' ')}{rung}."
    for returned in kept.returns:
        yield f"Later returned: {format_money(returned.refund, digits)} {answer.currency} paid back."
