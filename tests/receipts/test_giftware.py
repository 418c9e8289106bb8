"""Real invoices of a gift wholesaler through the HTTP service."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.receipts.data import needs_receipts
from tests.receipts.giftware import play, served


@needs_receipts
def test_some_invoices_are_answered_with_sums_that_add_up_and_ladders_that_ascend(tmp_path: Path) -> None:
    with served(tmp_path) as till:
        counts = play(till, share=20, most_rows=30_000)
    assert counts["with a ladder"] > 20
    assert counts["as it is: 201"] + counts["as it is: 422"] == sum(
        n for what, n in counts.items() if "as it is" in what
    )


@needs_receipts
@pytest.mark.slow
def test_all_invoices_are_answered_with_sums_that_add_up_and_ladders_that_ascend(tmp_path: Path) -> None:
    with served(tmp_path) as till:
        counts = play(till)
    assert counts["as it is: 201"] + counts["as it is: 422"] == 22_975
