"""How often the gate lets a candidate pass that is worse, as good or better, and whether intervals cover the truth.

    python benchmarks/gate_trials.py [--trials 200] [--replications 400]

Trials are independent days of 40,000 outcomes of shoppers of the `hunters` world, decided by a champion with a floor
of 10 % on three named ladders. The candidate's true worth is set exactly, by mixing the champion with a better or a
worse policy. All is tables and arrays: a trial takes a fraction of a second. What is called is the gate's own code for
profit, effective samples, tills, reactions and finite profits; there is no fit here, so held-out likelihood, segments,
calibration and conduct have no part in it. `night_trials` puts degenerate data through all of the gate.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from pos_discount.arrays import Floats, Ints
from pos_discount.learning.evaluation import (
    LEAST_LIKELY,
    Estimate,
    Weighed,
    doubly_robust,
    effective_samples,
    inverse_propensity,
    self_normalised,
)
from pos_discount.learning.gate import (
    Check,
    GateLimits,
    check_finite,
    check_profit,
    check_samples,
    check_tills,
    check_variety,
    verdict_of,
)
from pos_discount.learning.targets import Unknown
from pos_discount.simulation.shoppers import all_ladders, odds_of
from pos_discount.simulation.worlds import DEPTHS, HUNTERS_MIX, MARGINS, OFFER_COST, TYPES, _discrete_kinds

LADDERS = all_ladders(len(DEPTHS), 3)
NAMED = ((0,), (0, 1, 2), (0, 5))
FLOOR = 0.10
HISTORY = ((0.05, 0.10), (0.30, 0.30), (0.90, 0.20), (0.75, 0.85), (0.15, 0.25))
"""By type: the chances of two more bits, which stand for what a customer's own past at the till tells."""

FEATURES = np.array([(*kind.features, *told) for kind, told in zip(TYPES, HISTORY, strict=True)])
CELLS = 2 ** FEATURES.shape[1]
JUDGE_ERROR, DRAW_ERROR = 0.10, 0.03
"""What a fit to 20,000 checkouts of `hunters` had: the worst and the best of its draws lay 3 % from the middle for what
it would have named and was never tried."""

MEAN_VALUE = 100.0 * float(np.exp(3.5 + 0.6**2 / 2))


@dataclass(frozen=True)
class Market:
    """True tables by context (cell, margin): chance `share` [X], and of each ladder profit `per_value` [X, L] (times
    the basket's value) and `fixed` [X, L]; how probably rung 1 is accepted, and what it then earns per value [X];
    `type_by_cell` [C, T]; which outcomes agree with which ladders [O, L]."""

    share: Floats
    per_value: Floats
    fixed: Floats
    accepts_first: Floats
    first_per_value: Floats
    type_by_cell: Floats
    agrees: Floats

    def worth(self, policy: Floats) -> float:
        """Give a policy's true profit per checkout."""
        return float(self.share @ (policy * (self.per_value * MEAN_VALUE + self.fixed)).sum(axis=1))


@dataclass(frozen=True)
class Day:
    """N checkouts: context, basket value, code of what was executed (ladder, reach), reward, customer, till, exit."""

    context: Ints
    value: Floats
    code: Ints
    reward: Floats
    customer: Ints
    till: Ints
    exit: Ints


class Forecast(NamedTuple):
    """What a model foresees, as factors of the truth: its `judge` errs about each ladder in each context [X, L]; its
    posterior `draws` [M, L] err from there, about each ladder in all contexts alike."""

    judge: Floats
    draws: Floats


REACHES = 6
"""Per ladder: accepted at 1, 2, 3; went on beyond 1, 2; exactly this one."""


def market() -> Market:
    """Sum up the world's types by what a till sees of them."""
    odds = odds_of(_discrete_kinds(TYPES), DEPTHS, 3)
    cells = (np.arange(CELLS)[:, None] >> np.arange(FEATURES.shape[1])) & 1
    likely = np.prod(np.where(cells[:, None], FEATURES[None], 1.0 - FEATURES[None]), axis=2) * np.array(HUNTERS_MIX)
    type_by_cell = likely / likely.sum(axis=1, keepdims=True)
    sale, depth, spoken = (type_by_cell @ table for table in (odds.sale, odds.depth, odds.spoken))
    margins = np.array(MARGINS)
    per_value = (sale[:, None] * margins[None, :, None] - depth[:, None]).reshape(-1, len(LADDERS))
    fixed = np.repeat(-OFFER_COST * spoken, len(MARGINS), axis=0)
    share = np.repeat(likely.sum(axis=1), len(MARGINS)) / len(MARGINS)
    accepts = np.repeat(type_by_cell @ np.array([kind.wants[0] for kind in TYPES]), len(MARGINS))
    first = np.tile(margins - DEPTHS[0], CELLS)
    return Market(share, per_value, fixed, accepts, first, type_by_cell, _agreements())


def _agreements() -> Floats:
    table = np.zeros((len(LADDERS), REACHES, len(LADDERS)))
    for row, ladder in enumerate(LADDERS):
        table[row, 5, row] = 1.0
        for column, other in enumerate(LADDERS):
            for said in range(1, len(ladder) + 1):
                is_same = other[:said] == ladder[:said]
                table[row, said - 1, column] = is_same
                if said < len(ladder):
                    table[row, 2 + said, column] = is_same and len(other) > said
    return table.reshape(-1, len(LADDERS))


def guessed(true: Market, error: float, dice: np.random.Generator, draws: int = 32) -> Floats:
    """Make a policy [X, L] as the learner's is: the share of `draws` in which a ladder wins, and the floor.

    A draw errs about each ladder by `error` of the basket's value; the error is the same in all contexts of a cell.
    """
    worth = true.per_value + true.fixed / MEAN_VALUE
    policy = np.zeros_like(worth)
    cell_error = np.repeat(dice.normal(0.0, error, (CELLS, len(LADDERS))), len(MARGINS), axis=0)
    for _ in range(draws):
        drawn = worth + cell_error + np.repeat(dice.normal(0.0, error / 2, (CELLS, len(LADDERS))), len(MARGINS), axis=0)
        policy[np.arange(len(worth)), drawn.argmax(axis=1)] += (1.0 - FLOOR) / draws
    for ladder in NAMED:
        policy[:, LADDERS.index(ladder)] += FLOOR / len(NAMED)
    return policy


def forecast_of(shape: tuple[int, ...], dice: np.random.Generator, draws: int = 32) -> Forecast:
    """Make a forecast that errs by JUDGE_ERROR in each context; over contexts much of that cancels, and the draws tell
    how wrong the rest may be."""
    return Forecast(1.0 + dice.normal(0.0, JUDGE_ERROR, shape), 1.0 + dice.normal(0.0, DRAW_ERROR, (draws, shape[1])))


def only(ladder: tuple[int, ...], true: Market) -> Floats:
    """Make the policy that always says one ladder."""
    policy = np.zeros_like(true.per_value)
    policy[:, LADDERS.index(ladder)] = 1.0
    return policy


def worth_exactly(true: Market, champion: Floats, gain: float, dice: np.random.Generator) -> Floats:
    """Mix the champion with a better or a worse policy so that its true worth is the champion's times 1 + gain."""
    other = guessed(true, 0.0, dice) if gain > 0.0 else _poor(true)
    if gain > 0.0 and true.worth(other) < (1.0 + gain) * true.worth(champion):  # without its floor it is better still
        other = np.eye(len(LADDERS))[other.argmax(axis=1)]
    base, reached = true.worth(champion), true.worth(other)
    share = gain * base / (reached - base)
    if not 0.0 <= share <= 1.0:
        raise ValueError(f"no mixture reaches {gain:+.1%}: the other policy reaches {reached / base - 1:+.1%}")
    return (1.0 - share) * champion + share * other


def _poor(true: Market) -> Floats:
    """Make the policy that says the worst ladder of each context, with the floor."""
    policy = np.zeros_like(true.per_value)
    worth = true.per_value + true.fixed / MEAN_VALUE
    policy[np.arange(len(worth)), worth.argmin(axis=1)] = 1.0 - FLOOR
    for ladder in NAMED:
        policy[:, LADDERS.index(ladder)] += FLOOR / len(NAMED)
    return policy


def day(true: Market, policy: Floats, count: int, dice: np.random.Generator, customers: int = 3_000) -> Day:
    """Let `count` checkouts happen under a policy."""
    width = FEATURES.shape[1]
    bits = 1 << np.arange(width)
    kind_of = dice.choice(len(TYPES), customers, p=HUNTERS_MIX)
    cell_of = (dice.random((customers, width)) < FEATURES[kind_of]) @ bits
    customer = np.where(dice.random(count) < 0.3, -1, dice.integers(0, customers, count))
    kind = np.where(customer < 0, dice.choice(len(TYPES), count, p=HUNTERS_MIX), kind_of[customer])
    cell = np.where(customer < 0, (dice.random((count, width)) < FEATURES[kind]) @ bits, cell_of[customer])
    margin = dice.integers(0, len(MARGINS), count)
    context = cell * len(MARGINS) + margin
    value = 100.0 * np.exp(dice.normal(3.5, 0.6, count))
    ladder = (policy.cumsum(axis=1)[context] < dice.random(count)[:, None]).sum(axis=1).clip(max=len(LADDERS) - 1)
    code, reward, exit_ = _reactions(kind, ladder, value, np.array(MARGINS)[margin], dice)
    cluster = np.where(customer < 0, customers + np.arange(count), customer)
    return Day(context, value, code, reward, cluster, dice.integers(0, 20, count), exit_)


def _reactions(
    kind: Ints, ladder: Ints, value: Floats, margin: Floats, dice: np.random.Generator
) -> tuple[Ints, Floats, Ints]:
    wants = np.array([each.wants for each in TYPES]).cumsum(axis=1)
    want = (wants[kind] < dice.random(len(kind))[:, None]).sum(axis=1)
    walk, loss = (np.array([getattr(each, name) for each in TYPES])[kind] for name in ("walk", "loss"))
    rungs = np.array([[*each, *[-1] * (3 - len(each))] for each in LADDERS])[ladder]
    length = (rungs >= 0).sum(axis=1)
    depths = np.array(DEPTHS)
    code, given = ladder * REACHES + 5, np.full(len(kind), np.nan)
    exit_, open_, spoken = np.zeros(len(kind), dtype=np.intp), np.ones(len(kind), dtype=bool), np.zeros(len(kind))
    for said in range(3):
        here = open_ & (said < length)
        spoken += here
        accepts = here & (rungs[:, said] >= want)
        code, given = np.where(accepts, ladder * REACHES + said, code), np.where(accepts, depths[rungs[:, said]], given)
        walks = here & ~accepts & (dice.random(len(kind)) < walk)
        code = np.where(walks & (said + 1 < length), ladder * REACHES + 3 + said, code)
        exit_ = np.where(walks, 1, exit_)
        open_ &= ~(accepts | walks)
    settles = open_ & (dice.random(len(kind)) >= loss)
    given = np.where(settles, depths[rungs[np.arange(len(kind)), length - 1]], given)
    exit_ = np.where(settles, 2, np.where(open_ & ~settles, 3, exit_))
    reward = np.where(np.isnan(given), 0.0, value * (margin - np.nan_to_num(given))) - OFFER_COST * spoken
    return code, reward, exit_


def weighed(true: Market, seen: Day, logged: Floats, policy: Floats, forecast: Forecast, unknown: Unknown) -> Weighed:
    """Make the columns of evaluation, by looking them up.

    Once rung 1 was refused, ladders that were hardly possible count together at the worst, or the best, of the draws.
    """
    at, accepted = (seen.context, seen.code), true.accepts_first[seen.context]
    has_refused = seen.code % REACHES != 0
    is_possible, agrees = logged >= LEAST_LIKELY, true.agrees.T
    per_value = true.per_value * forecast.judge - (true.accepts_first * true.first_per_value)[:, None]
    fixed = true.fixed + (true.accepts_first * OFFER_COST)[:, None]
    value_by_context = np.bincount(seen.context, seen.value, len(logged))
    visits_by_context = np.bincount(seen.context, minlength=len(logged))
    far = np.where(is_possible, 0.0, policy)
    by_ladder = (far * (per_value * value_by_context[:, None] + fixed * visits_by_context[:, None])).sum(axis=0)
    in_all = forecast.draws @ by_ladder
    drawn = forecast.draws[in_all.argmin() if unknown == "worst" else in_all.argmax()]
    counted = np.where(is_possible, policy, policy * drawn)
    foreseen = (
        seen.value * (counted * per_value).sum(axis=1)[seen.context] + (counted * fixed).sum(axis=1)[seen.context]
    )
    direct = np.where(has_refused, foreseen / (1.0 - accepted), seen.reward)
    possible = policy * is_possible
    there = (possible @ true.agrees.T)[at]
    foreseen_there = (
        seen.value * ((possible * per_value) @ true.agrees.T)[at] + ((possible * fixed) @ true.agrees.T)[at]
    )
    is_heard = has_refused & is_possible[seen.context, seen.code // REACHES]
    return Weighed(  # who took rung 1 would have taken it of any ladder
        there=np.where(has_refused, there * is_heard, 1.0),
        logged=np.where(is_heard, ((logged * is_possible) @ agrees)[at], 1.0),
        direct=direct,
        foreseen_there=np.where(has_refused, foreseen_there / (1.0 - accepted) * is_heard, direct),
        missing=far.sum(axis=1)[seen.context],
    )


def gate(
    true: Market, seen: Day, champion: Floats, candidate: Floats, earlier: Floats, forecast: Forecast
) -> tuple[Check, ...]:
    """Ask the gate, with the checks that a day of tables can answer."""
    limits = GateLimits()
    rows = {
        name: weighed(true, seen, champion, policy, forecast, "worst" if name == "candidate" else "best")
        for name, policy in (
            ("candidate", candidate),
            ("champion", champion),
            ("best of 30 days", earlier),
            ("rung 1 alone", only((0,), true)),
        )
    }
    exits = [(str(number), int((seen.exit == number).sum())) for number in range(4)]
    return (
        check_finite(seen.reward),
        check_samples(rows["candidate"], limits),
        check_tills(seen.till, limits),
        check_variety(exits, limits),
        *(
            check_profit(name, rows["candidate"], other, seen.reward, seen.customer, limits)
            for name, other in rows.items()
            if name != "candidate"
        ),
    )


def flooded(seen: Day, share: float, dice: np.random.Generator) -> Day:
    """Let one till send a share of the day: outcomes that all say that the first rung was accepted."""
    is_flood = dice.random(len(seen.till)) < share
    till, exit_ = np.where(is_flood, 0, seen.till), np.where(is_flood, 0, seen.exit)
    code = np.where(is_flood, seen.code - seen.code % REACHES, seen.code)
    return Day(seen.context, seen.value, code, seen.reward, seen.customer, till, exit_)


SCENARIOS = (
    "worse by 3 x loss",
    "worse by the loss",
    "as good",
    "better by 2 x loss",
    "tiny",
    "one reaction",
    "flooded",
    "NaN",
)
GAIN = {"worse by 3 x loss": -0.03, "worse by the loss": -0.01, "as good": 0.0, "better by 2 x loss": 0.02}


def trial(true: Market, scenario: str, count: int, dice: np.random.Generator) -> tuple[bool, float]:
    """Run one trial; gives whether the candidate passed, and its share of mass on impossible ladders."""
    champion = guessed(true, 0.02, dice)
    candidate = worth_exactly(true, champion, GAIN.get(scenario, 0.02), dice)
    forecast = forecast_of(champion.shape, dice)
    seen = day(true, champion, 400 if scenario == "tiny" else count, dice)
    if scenario == "one reaction":
        seen = flooded(seen, 1.0, dice)
    if scenario == "flooded":
        seen = flooded(seen, 0.5, dice)
    if scenario == "NaN":
        seen = replace(seen, reward=np.where(dice.random(count) < 0.01, np.nan, seen.reward))
    checks = gate(true, seen, champion, candidate, guessed(true, 0.025, dice), forecast)
    missing = float((np.where(champion > 0.0, 0.0, candidate).sum(axis=1) * true.share).sum())
    return verdict_of(checks).passed, missing


def coverage(true: Market, count: int, dice: np.random.Generator) -> dict[str, bool]:
    """Say of each estimate whether its interval covers the candidate's true worth; all its ladders were possible."""
    champion, other = guessed(true, 0.03, dice), guessed(true, 0.0, dice)
    logged = 0.75 * champion + 0.25 * other
    candidate, forecast = 0.3 * champion + 0.7 * other, forecast_of(champion.shape, dice)
    seen = day(true, logged, count, dice)
    row = weighed(true, seen, logged, candidate, forecast, "worst")
    worth, worst = true.worth(candidate), np.full(len(seen.reward), -3 * OFFER_COST)
    told: dict[str, Estimate] = {
        "inverse propensity": inverse_propensity(row, seen.reward, worst, seen.customer),
        "self-normalised": self_normalised(row, seen.reward, seen.customer),
        "doubly robust": doubly_robust(row, seen.reward, seen.customer),
    }
    assert effective_samples(row) > 0
    return {name: each.low <= worth <= each.high for name, each in told.items()}


def _lead(true: Market) -> float:
    champions = [true.worth(guessed(true, 0.02, np.random.default_rng(number))) for number in range(20)]
    return float(np.mean(champions)) / true.worth(only((0,), true)) - 1.0


def main() -> None:
    """Run all trials and print how many passed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--replications", type=int, default=400)
    parser.add_argument("--outcomes", type=int, default=40_000)
    asked = parser.parse_args()
    true, began_at = market(), time.perf_counter()
    print(f"{asked.trials} trials each, {asked.outcomes:,} outcomes, floor {FLOOR:.0%}, max_loss 1 %")
    for scenario in SCENARIOS:
        results = [
            trial(true, scenario, asked.outcomes, np.random.default_rng([7, SCENARIOS.index(scenario), number]))
            for number in range(asked.trials)
        ]
        passed, missing = sum(done for done, _ in results), np.mean([share for _, share in results])
        print(f"  {scenario:20} {passed:4d} passed   (mass on impossible ladders {missing:.1%})")
    covered = [coverage(true, 10_000, np.random.default_rng([8, number])) for number in range(asked.replications)]
    for name in covered[0] if covered else ():
        print(f"  {name:20} covers the truth in {np.mean([each[name] for each in covered]):.1%}")
    print(f"champion over rung 1 alone: {_lead(true):+.1%}")
    print(f"{time.perf_counter() - began_at:.0f} s")


if __name__ == "__main__":
    main()
