"""When a promotion is in force, above all in the hour that comes twice when the clocks are put back."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest

from pos_discount.policy import check_policy
from pos_discount.policy.schedule import is_in_force

from .reading import policy_of, promotion, read

EXAMPLE = "- {name: E, asked: no, basket: [{sku: A, price: 12.50}], expect: {p: 1.25}}"
NOW = datetime(2026, 10, 1, tzinfo=UTC)
FIRST_HALF_PAST_TWO = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
SECOND_HALF_PAST_TWO = datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("schedule", "moment", "holds"),
    [
        ("from: 2026-10-25T02:15", FIRST_HALF_PAST_TWO, True),
        ("from: 2026-10-25T02:45", FIRST_HALF_PAST_TWO, False),
        ("from: 2026-10-25T02:45", SECOND_HALF_PAST_TWO, True),
        ("until: 2026-10-25T02:45", FIRST_HALF_PAST_TWO, True),
        ("until: 2026-10-25T02:45", SECOND_HALF_PAST_TWO, False),
        ("from: 2026-10-25T02:15+01:00", FIRST_HALF_PAST_TWO, False),
        ("from: 2026-10-25T02:15+01:00", SECOND_HALF_PAST_TWO, True),
        ("hours: 02:00-03:00", FIRST_HALF_PAST_TWO, True),
        ("hours: 02:00-03:00", SECOND_HALF_PAST_TWO, True),
    ],
)
def test_in_the_hour_that_comes_twice_a_date_means_the_first_and_hours_mean_both(
    schedule: str, moment: datetime, holds: bool
) -> None:
    policy = policy_of(read(promotion(more=schedule)))
    assert is_in_force(policy.promotions[0], moment.astimezone(policy.house.time_zone)) is holds


def test_dates_written_on_the_wall_clock_are_compared_as_moments() -> None:
    policy = policy_of(read(promotion()))
    zone = policy.house.time_zone
    ends = datetime(2026, 10, 25, 2, 15, tzinfo=zone, fold=1)
    ending = msgspec.structs.replace(policy.promotions[0], until=ends)
    assert is_in_force(ending, FIRST_HALF_PAST_TWO.astimezone(zone))
    assert not is_in_force(ending, SECOND_HALF_PAST_TWO.astimezone(zone))


def test_hours_that_come_only_the_second_time_are_found() -> None:
    schedule = "from: 2026-10-25T02:45\nuntil: 2026-10-25T03:00\nhours: 02:00-02:30"
    policy = policy_of(read(promotion(more=schedule), spring__examples__yaml=EXAMPLE))
    at = policy.examples[0].basket.at
    assert at is not None
    assert at.astimezone(UTC) == datetime(2026, 10, 25, 1, tzinfo=UTC)
    assert "do not come between" not in "".join(finding.message for finding in check_policy(policy, NOW))
