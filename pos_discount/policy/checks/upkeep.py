"""What a policy lacks for others to rely on it: examples, owners, sentences; what is over, unused or meant twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime

import msgspec

from pos_discount.policy.checks.conditions import words_wanted
from pos_discount.policy.checks.finding import Finding, advice, error, warning
from pos_discount.policy.conditions import AnyOf, Condition, Coupon, Group, NoneOf, Payment, Segment, Tier, caseless
from pos_discount.policy.model import Place, Policy, Promotion
from pos_discount.policy.ranges import Range

FILLED_IN = frozenset(["amount", "total"])
NOT_AN_ID = ("base", "rungs")


def find_what_is_over(policy: Policy, now: datetime) -> Iterator[Finding]:
    """Find promotions that have ended."""
    for promotion in policy.promotions:
        if promotion.until is not None and promotion.until <= now:
            ended = promotion.until.astimezone(policy.house.time_zone).strftime("%Y-%m-%d %H:%M")
            yield warning(promotion, f"is over since {ended}; remove it or move 'until'")


def find_what_is_missing(policy: Policy) -> Iterator[Finding]:
    """Find missing examples, owners and sentences, unused ranges, shared coupons, words written in two ways."""
    yield from _find_missing_examples(policy)
    yield from _find_missing_words(policy)
    yield from _find_unused_ranges(policy)
    yield from _find_shared_coupons(policy.promotions)
    yield from _find_words_that_differ_in_case(policy.promotions)


def _find_missing_examples(policy: Policy) -> Iterator[Finding]:
    applying: set[str] = set()
    not_applying: set[str] = set()
    for example in policy.examples:
        if not example.saving_by_promotion and example.base is None and example.rungs is None:
            said = f"the example '{example.name}' expects nothing; expected the id of a promotion, base or rungs"
            yield Finding("warning", example.place, said)
        for promotion_id, saving in example.saving_by_promotion.items():
            (not_applying if saving is None else applying).add(promotion_id)
    for promotion in policy.promotions:
        if promotion.id in NOT_AN_ID:
            yield error(promotion, f"the id '{promotion.id}' has a meaning of its own in examples; expected another")
            continue
        if promotion.id not in applying:
            yield error(promotion, f"no example where it applies; expected one with '{promotion.id}: AMOUNT'")
        if promotion.id not in not_applying:
            yield error(promotion, f"no example where it must not apply; expected one with '{promotion.id}: no'")


def _find_missing_words(policy: Policy) -> Iterator[Finding]:
    locales = sorted({locale for promotion in policy.promotions for locale in promotion.say})
    for promotion in policy.promotions:
        if promotion.owner is None:
            yield advice(promotion, "nobody answers for it; expected an 'owner'")
        lacking = [locale for locale in locales if locale not in promotion.say]
        if lacking and promotion.offer == "ladder":
            yield advice(
                promotion, f"no sentence to say in {', '.join(lacking)}, as others have; expected one in 'say'"
            )
        for locale, sentence in promotion.say.items():
            if not _LANGUAGE.fullmatch(locale):
                said = f"no till asks for sentences in '{locale}'; expected a language such as en, ru or zh-Hant"
                yield warning(promotion, said)
            unknown = sorted(set(_BRACES.findall(sentence)) - FILLED_IN)
            if unknown:
                said = f"its sentence in {locale} has {{{unknown[0]}}}, which nothing fills in"
                yield warning(promotion, f"{said}; expected {{amount}} or {{total}}")


_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*")
_BRACES = re.compile(r"\{([^{}]*)\}")


def _find_unused_ranges(policy: Policy) -> Iterator[Finding]:
    house = policy.house
    used = set(_names_in((*policy.promotions, house.guards, *house.margins)))
    for name in house.ranges:
        if name not in used:
            place = house.place_by_range.get(name, house.place)
            yield Finding("advice", place, f"the range '{name}' is not used; remove it, unless it is soon to be")


def _names_in(value: object) -> Iterator[str]:
    """Yield the names of all ranges within values, at whatever depth."""
    if isinstance(value, Range) and value.name is not None:
        yield value.name
    if isinstance(value, msgspec.Struct) and not isinstance(value, Place):
        for field in value.__struct_fields__:
            yield from _names_in(getattr(value, field))
    elif isinstance(value, tuple):
        for item in value:
            if not isinstance(item, str):
                yield from _names_in(item)


def _find_shared_coupons(promotions: Sequence[Promotion]) -> Iterator[Finding]:
    seen: list[tuple[str, Promotion]] = []
    seen_with_rest: list[tuple[str, Promotion]] = []
    seen_by_word: dict[str, list[tuple[str, Promotion]]] = {}
    for promotion in promotions:
        for code, written in sorted({caseless(code): code for code in _coupons(promotion.when)}.items()):
            alike = seen if code.endswith("*") else [*seen_by_word.get(code, ()), *seen_with_rest]
            twin = next((other for word, other in alike if other is not promotion and _may_be_one(code, word)), None)
            if twin is not None:
                said = f"its coupon '{written}' is also one of '{twin.id}'; a customer would claim both"
                yield warning(promotion, said)
            seen.append((code, promotion))
            (seen_with_rest if code.endswith("*") else seen_by_word.setdefault(code, [])).append((code, promotion))


def _coupons(conditions: Sequence[Condition]) -> Iterator[str]:
    for condition in conditions:
        if isinstance(condition, Coupon):
            yield from condition.codes
        elif isinstance(condition, AnyOf):
            for alternative in condition.alternatives:
                yield from _coupons(alternative)


def _may_be_one(code: str, other: str) -> bool:
    """Tell whether one coupon can match both codes, where ``*`` at the end matches the rest."""
    start, other_start = code.removesuffix("*"), other.removesuffix("*")
    if code.endswith("*") and other.endswith("*"):
        return start.startswith(other_start) or other_start.startswith(start)
    if code.endswith("*"):
        return other.startswith(start)
    return code.startswith(other_start) if other.endswith("*") else code == other


def _find_words_that_differ_in_case(promotions: Sequence[Promotion]) -> Iterator[Finding]:
    """Find a word of which another promotion has a twin in other letters: what a till sends is one of them."""
    seen: dict[tuple[str, str], tuple[str, Promotion]] = {}
    for promotion in promotions:
        for kind, word in dict.fromkeys(_words_of_sales(promotion)):
            written, other = seen.setdefault((kind, word.casefold()), (word, promotion))
            if written != word:
                said = f"'{word}' under '{kind}' is '{written}' in '{other.id}', and upper and lower case differ"
                yield warning(promotion, f"{said}; write both as the till sends it")


def _words_of_sales(promotion: Promotion) -> Iterator[tuple[str, str]]:
    """Yield the words that are compared with what a till sends, each with the key under which it stands."""
    for key in ("stores", "channels", "regions"):
        yield from ((key, word) for word in getattr(promotion, key) or ())
    yield from (("stores", word) for word in promotion.not_stores or ())
    yield from _words_in(promotion.when)


def _words_in(conditions: Sequence[Condition]) -> Iterator[tuple[str, str]]:
    for condition in conditions:
        if isinstance(condition, Tier | Group | Payment | Segment):
            yield from ((condition.kind, word) for word in words_wanted(condition))
        elif isinstance(condition, AnyOf):
            for alternative in condition.alternatives:
                yield from _words_in(alternative)
        elif isinstance(condition, NoneOf):
            yield from _words_in(condition.conditions)
