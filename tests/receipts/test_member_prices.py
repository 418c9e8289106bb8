"""Real grocery receipts under a member price list."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.receipts.data import needs_receipts
from tests.receipts.member_prices import compare_baskets, summary


@needs_receipts
def test_member_prices_give_back_what_the_receipts_of_some_baskets_say() -> None:
    _agrees(summary(compare_baskets(share=20)))


@needs_receipts
@pytest.mark.slow
def test_member_prices_give_back_what_the_receipts_of_all_baskets_say() -> None:
    counts = summary(compare_baskets())
    _agrees(counts)
    assert sum(counts.values()) > 67_000


def _agrees(counts: Counter[str]) -> None:
    assert counts["unexplained"] == 0
    assert counts["agree"] > 0.95 * sum(counts.values())
