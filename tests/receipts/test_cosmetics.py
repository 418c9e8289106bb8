"""The cosmetics lines of real baskets under the shipped policies."""

from __future__ import annotations

from tests.receipts.cosmetics import decide_baskets
from tests.receipts.data import needs_receipts


@needs_receipts
def test_every_members_basket_of_any_worth_gets_a_ladder_that_starts_with_the_smallest() -> None:
    decided = list(decide_baskets())
    assert len(decided) > 500
    for _, answer in decided:
        assert answer.ladder or answer.base.total < 1000
        assert [rung.value for rung in answer.ladder] == sorted({rung.value for rung in answer.ladder})
        for rung in answer.ladder:
            assert sum(line.net for line in rung.lines) == rung.total
