"""A randomised field experiment, read as ladders of one offer: the fitted curve agrees with the raw take-up.

People were offered a random amount of money to do something (Thornton 2008); not retail, but real and randomised.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pos_discount.learning.evidence import gather_evidence
from pos_discount.learning.mixture import shared_tables
from pos_discount.sensitivity import FEATURE_RULES, KNOTS, Event

DATA = Path(__file__).parents[3] / "shared" / "data" / "incentive" / "incentive_amount_rct.csv.gz"
MOST_USD = 4.0
BANDS = ((0.01, 0.5), (0.5, 1.0), (1.0, 1.5), (1.5, 2.0), (2.0, 3.2))


@pytest.fixture(scope="module")
def people() -> list[tuple[float, bool, bool]]:
    """Amount, whether taken up, and whether in the half that the fit never sees."""
    if not DATA.exists():
        pytest.skip("the incentive experiment is not here: ../shared/data/incentive")
    with gzip.open(DATA, "rt", encoding="utf-8") as file:
        rows = [(float(row["incentive_usd"]), float(row["took_up"]) > 0.5) for row in csv.DictReader(file)]
    halves = [hashlib.sha256(str(number).encode()).digest()[0] % 2 == 0 for number in range(len(rows))]
    return [(amount, took, half) for (amount, took), half in zip(rows, halves, strict=True)]


@pytest.mark.parametrize("band", BANDS, ids=[f"{low} to {high} USD" for low, high in BANDS])
def test_the_fitted_curve_agrees_with_the_raw_take_up_of_the_held_out_half(
    people: list[tuple[float, bool, bool]], band: tuple[float, float]
) -> None:
    curve = _fitted([(amount, took) for amount, took, is_held_out in people if not is_held_out and amount > 0.0])
    held_out = [(amount, took) for amount, took, is_held_out in people if is_held_out and band[0] <= amount < band[1]]
    raw = sum(took for _, took in held_out) / len(held_out)
    foreseen = float(np.mean([curve(amount) for amount, _ in held_out]))
    around = 1.96 * math.sqrt(raw * (1.0 - raw) * 2.0 / len(held_out))  # twice: the fit's half varies as well
    assert foreseen == pytest.approx(raw, abs=around)


def _fitted(rows: list[tuple[float, bool]]) -> Callable[[float], float]:
    """Fit one curve to offers as depths: MOST_USD is the last knot."""
    unknown = (0,) * len(FEATURE_RULES)
    events = [(unknown, _event(amount, took), 1.0) for amount, took in rows]
    tables = shared_tables(gather_evidence((), events), 0.0)
    reached = np.concatenate([[0.0], tables.masses[0].cumsum()[:-1]])
    return lambda amount: float(np.interp(_units(amount), (0, *KNOTS), reached))


def _event(amount: float, took: bool) -> Event:
    at = _units(amount)
    return Event(0, at, 0, "accepted") if took else Event(at, None, 0, "walked")


def _units(amount: float) -> int:
    return max(1, round(amount / MOST_USD * KNOTS[-1]))
