"""Processes killed while tills sell: nothing acknowledged is lost, nothing counts twice."""

from __future__ import annotations

from pathlib import Path

import pytest

from .house import write_policy
from .selling import find_losses, sell_while_killing
from .serving import serving


def test_sales_go_on_over_killed_workers_and_masters_and_each_counts_once(tmp_path: Path) -> None:
    with serving(tmp_path, write_policy(tmp_path / "policies")) as service:
        attack = sell_while_killing(service, sales=150, kills=3, seed=5)
        assert len(attack.rung_by_decision) == 150
        assert find_losses(service, attack) == []


@pytest.mark.slow
def test_ten_thousand_sales_over_many_kills_are_each_counted_once(tmp_path: Path) -> None:
    with serving(tmp_path, write_policy(tmp_path / "policies")) as service:
        attack = sell_while_killing(service, sales=10_000, kills=60, seed=7)
        assert len(attack.rung_by_decision) == 10_000
        assert find_losses(service, attack) == []
