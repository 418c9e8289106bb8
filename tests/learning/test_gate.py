"""What the gate lets pass, and what off-policy evaluation makes of logged checkouts."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.gate_trials import GAIN, coverage, market, trial
from benchmarks.night_trials import trial as night_trial
from pos_discount.learning.evaluation import Weighed, calibration_error, effective_samples, mean_with_interval
from pos_discount.learning.executed import Executed, agrees, executed_of
from pos_discount.learning.gate import (
    Check,
    GateLimits,
    check_balance,
    check_calibration,
    check_sample_ratio,
    check_samples,
    check_tills,
    verdict_of,
)
from pos_discount.learning.history import Visit
from pos_discount.sensitivity import Behaviour, LadderChoice, Stakes, Terms

TRUE = market()
LIMITS = GateLimits()


@pytest.mark.parametrize("scenario", ["worse by 3 x loss", "tiny", "one reaction", "flooded", "NaN"])
def test_what_must_never_pass_does_not(scenario: str) -> None:
    assert not any(trial(TRUE, scenario, 10_000, np.random.default_rng([1, number]))[0] for number in range(3))


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("tiny", "effective samples"),
        ("one reaction", "reactions"),
        ("flooded", "tills"),
        ("NaN among profits", "profits"),
        ("NaN among stakes", "profit against champion"),
        ("one segment", "segments"),
    ],
)
def test_a_whole_night_refuses_what_nothing_can_be_learned_from_and_says_why(kind: str, name: str) -> None:
    verdict = night_trial(kind, 1_200, 0)
    assert not verdict.passed
    assert name in [check.name for check in verdict.checks if not check.passed]


def test_what_is_clearly_better_mostly_passes() -> None:
    assert GAIN["better by 2 x loss"] == 0.02
    passed = [trial(TRUE, "better by 2 x loss", 40_000, np.random.default_rng([2, number]))[0] for number in range(6)]
    assert sum(passed) >= 3


def test_intervals_mostly_cover_the_truth() -> None:
    covered = [coverage(TRUE, 4_000, np.random.default_rng([3, number])) for number in range(25)]
    assert all(np.mean([each[name] for each in covered]) >= 0.8 for name in covered[0])


LADDERS = ((0,), (0, 1), (0, 1, 3), (0, 3))


@pytest.mark.parametrize(
    ("executed", "agreeing"),
    [
        (Executed("prefix", (0,)), LADDERS),
        (Executed("beyond", (0,)), LADDERS[1:]),
        (Executed("exact", (0,)), LADDERS[:1]),
        (Executed("prefix", (0, 1)), LADDERS[1:3]),
        (Executed("beyond", (0, 1)), LADDERS[2:3]),
        (Executed("exact", (0, 1, 3)), LADDERS[2:3]),
        (Executed("free", ()), LADDERS),
    ],
    ids=lambda value: str(value),
)
def test_ladders_agree_that_would_have_shown_the_same(
    executed: Executed, agreeing: tuple[tuple[int, ...], ...]
) -> None:
    assert tuple(ladder for ladder in LADDERS if agrees(ladder, executed)) == agreeing


@pytest.mark.parametrize(
    ("result", "said", "executed"),
    [
        ("accepted", ((1, "declined"), (2, "accepted")), Executed("prefix", (0, 1))),
        ("left", ((1, "declined"),), Executed("beyond", (0,))),
        ("left", ((1, "declined"), (2, "accepted")), Executed("prefix", (0, 1))),
        ("bought_at_base", ((1, "declined"),), Executed("exact", (0, 1, 3))),
    ],
    ids=["accepted", "walked out", "accepted and fallen through", "bought at base"],
)
def test_a_checkout_shows_its_ladder_as_far_as_it_went(
    result: str, said: tuple[tuple[int, str], ...], executed: Executed
) -> None:
    stakes, terms = Stakes((0.02, 0.05, 0.08, 0.1), (900.0,) * 4, 1000.0, 3000.0), Terms(4, 1.0, 0.0, 0.02, "full")
    choice = LadderChoice((0, 1, 3), 1.0, (1.0,) * 3, (1.0,) * 3, (0.5,) * 3, (0.5,) * 3, (900.0,) * 3, ())
    visit = Visit(
        1, 1, None, "S1", "T1", "ladder", None, None, result, None, None, None,
        choice, stakes, terms, Behaviour(), (), said, 0.0,
    )  # fmt: skip
    assert executed_of(visit, is_prefix_trusted=True) == executed


@pytest.mark.parametrize(
    ("counts", "passed"),
    [((100, 100, 100), True), ((900, 20, 20), False), ((1000,), True), ((600, 400), True), ((900, 100), False)],
    ids=["alike", "one floods", "one till", "two tills", "one of two floods"],
)
def test_one_till_does_not_speak_for_all(counts: tuple[int, ...], passed: bool) -> None:
    assert check_tills(np.repeat(np.arange(len(counts)), counts), LIMITS).passed is passed


def test_outcomes_that_come_back_unevenly_are_refused() -> None:
    assert check_balance([("holdout", 500, 450), ("ladder", 9_500, 8_600)], LIMITS).passed
    assert not check_balance([("holdout", 500, 450), ("ladder", 9_500, 6_000)], LIMITS).passed


@pytest.mark.parametrize(("holdout", "passed"), [(50, True), (120, False), (5, False)])
def test_a_hold_out_of_another_size_than_drawn_is_refused(holdout: int, passed: bool) -> None:
    assert check_sample_ratio(1_000 - holdout, holdout, 0.05, LIMITS).passed is passed


def test_no_checks_are_no_pass() -> None:
    assert not verdict_of(()).passed


def test_customers_are_clusters() -> None:
    values, alone = np.repeat(np.random.default_rng(1).normal(size=50), 20), np.arange(1_000)
    together = np.repeat(np.arange(50), 20)
    narrow, wide = mean_with_interval(values, alone), mean_with_interval(values, together)
    assert wide.standard_error > 3.0 * narrow.standard_error


def test_calibration_does_not_blame_small_data_for_chance() -> None:
    dice = np.random.default_rng(2)
    foreseen = dice.random(300)
    honest = calibration_error(foreseen, (dice.random(300) < foreseen).astype(float))
    flattering = calibration_error(np.minimum(foreseen + 0.2, 1.0), (dice.random(300) < foreseen).astype(float))
    assert honest < 0.03 < flattering


@pytest.mark.parametrize(
    ("error", "passes", "words"),
    [(0.03, True, "error 0.030, allowed 0.030"), (0.0301, False, "error 0.030"), (float("nan"), False, "'offers'")],
)
def test_calibration_says_what_was_found_or_what_it_needs(error: float, passes: bool, words: str) -> None:
    check = check_calibration(error, LIMITS)
    assert (check.passed, words in check.found) == (passes, True)


@pytest.mark.parametrize(("checkouts", "passes"), [(499, False), (500, True)])
def test_nothing_passes_on_fewer_than_500_effective_samples_whatever_else_speaks_for_it(
    checkouts: int, passes: bool
) -> None:
    ones = np.ones(checkouts)
    fine = Check("profit against champion", True, "+9.00 per checkout")
    assert verdict_of((fine, check_samples(Weighed(ones, ones, ones, ones, ones), LIMITS), fine)).passed is passes


def test_even_weights_are_worth_every_checkout() -> None:
    ones = np.ones(40)
    assert effective_samples(Weighed(ones, ones, ones, ones, ones)) == pytest.approx(40.0)
