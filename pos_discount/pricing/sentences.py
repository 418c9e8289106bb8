"""The cashier's sentence: short, in the customer's language, with the amounts filled in."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache

from pos_discount.money import format_money
from pos_discount.policy.model import Promotion


def sentence(promotion: Promotion, locale: str | None, currency: str, digits: int, amount: int, total: int) -> str:
    """Return what a cashier says to offer a promotion; ``amount`` and ``total`` in minor units fill the places left
    for them.

    ``ru-RU`` falls back to ``ru``, then to the first language written. Without a written sentence the benefit's own
    words serve.
    """
    written, spoken = in_language(promotion.say, locale)
    if written is None:
        return _capitalised(f"{promotion.benefit.words(digits)}")
    if "{" not in written:
        return written
    filled = written.replace("{amount}", spell_amount(amount, digits, currency, spoken))
    return filled.replace("{total}", spell_amount(total, digits, currency, spoken)) if "{total}" in filled else filled


def learn_languages(promotions: Iterable[Promotion], currency: str, digits: int) -> None:
    """Load the tables of every language that promotions speak, so that no customer waits for them."""
    for language in sorted({language for promotion in promotions for language in promotion.say}):
        spell_amount(0, digits, currency, language)


@lru_cache(maxsize=4096)
def spell_amount(minor: int, digits: int, currency: str, language: str) -> str:
    """Write an amount as people of a language write it; a language that nobody knows gets plain digits and the
    currency's code."""
    from decimal import Decimal  # imported here: only sentences with amounts pay for the tables of all languages

    from babel.core import UnknownLocaleError
    from babel.numbers import format_currency

    plain = format_money(minor, digits)
    try:
        return format_currency(Decimal(plain), currency, locale=language.replace("-", "_"), decimal_quantization=False)
    except (UnknownLocaleError, ValueError):
        return f"{plain} {currency}"


def in_language(say: Mapping[str, str], locale: str | None) -> tuple[str | None, str]:
    """Return the sentence in the language that fits best, and that language."""
    if not say:
        return None, "en"
    by_language = {language.replace("_", "-").lower(): language for language in say}
    wanted = (locale or "").replace("_", "-").lower()
    while wanted:  # zh-Hant-TW, zh-Hant, zh
        if wanted in by_language:
            return say[by_language[wanted]], by_language[wanted]
        wanted = wanted.rpartition("-")[0]
    first = next(iter(say))
    return say[first], first


def _capitalised(text: str) -> str:
    return text[:1].upper() + text[1:]
