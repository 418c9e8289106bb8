"""The ladder's choice and foresight for many visits at once: the same numbers as visit by visit, in a block of arrays.

What a till asks for one basket (`ladder_distribution`, `foresee`) a night asks for tens of thousands. Here the same
dynamic program runs over a block of visits, draws and rungs; sums run over segments in the same order, so that the
ladders that win are the same ones. Baskets with more rungs than one program weighs are left to the single call.
"""

from collections.abc import Iterator

import numpy as np

from pos_discount.arrays import Floats, Ints
from pos_discount.learning.checkouts import Baskets, Ladders, Spread, joined, spread_of
from pos_discount.sensitivity import Belief, SensitivityModel, Stakes, Terms, ladder_distribution
from pos_discount.sensitivity.best import LEAST_GAIN
from pos_discount.sensitivity.events import UNITS_PER_WHOLE
from pos_discount.sensitivity.ladder import MOST_WEIGHED, exploration_floor, named_ladders

BLOCK_NUMBERS = 100_000
"""Numbers in the largest array of a block: small enough for a processor's cache, large enough to be worth a call."""

COUNTED = 500
"""Visits whose winners are counted at once: sorting grows faster than their number."""

MOST_ACCEPTED = 1.0 - 1e-6
"""Chance of accepting rung 1 from which it is no longer asked what comes of those who refuse it."""

RUNG_BITS = 6
LONGEST_CODED = 10
"""A ladder is coded as one whole number, RUNG_BITS per rung; longer ones are left to the single call."""


def choose_many(
    baskets: Baskets, model: SensitivityModel, weights: Floats, cells: Ints, ladders: Ladders, rows: Ints
) -> Spread:
    """Give the distribution of ladders at the visits `rows`, for beliefs `weights` [N, S] and `cells` [N]."""
    parts = [Spread(rows[:0], rows[:0], np.zeros(0))]
    for kind in np.unique(baskets.kind[rows]).tolist():
        here = rows[baskets.kind[rows] == kind]
        count, terms = int(baskets.rungs[here[0]]), baskets.terms[here[0]]
        if count <= 1 or terms.max_rungs <= 1:
            only = ladders.number(tuple(range(min(count, terms.max_rungs, 1))))
            parts.append(Spread(here, np.full(len(here), only), np.ones(len(here))))
        elif count > MOST_WEIGHED or min(count, terms.max_rungs) > LONGEST_CODED:
            parts.append(_one_by_one(baskets, model, weights, cells, ladders, here))
        else:
            parts.append(_chosen(baskets, model, weights, cells, ladders, here, terms))
    return joined(parts)


def win_many(baskets: Baskets, model: SensitivityModel, weights: Floats, cells: Ints, rows: Ints, terms: Terms) -> Ints:
    """Give the best ladder's code at each of the visits `rows` [n, 1 + M], for the point estimate and every draw.

    All visits have as many rungs and the same terms; `ladder_of` reads the code.
    """
    count, segments, draws = int(baskets.rungs[rows[0]]), len(model.walk), model.table.shape[2]
    longest = min(terms.max_rungs, count, LONGEST_CODED)
    size = max(1, BLOCK_NUMBERS // (draws * count * max(segments, 2 * longest)))
    won = [
        _won(baskets, model, weights[block], cells[block], block, terms, count, longest)
        for block in np.array_split(rows, -(-len(rows) // size))
    ]
    return np.concatenate(won)


def ladder_of(code: int) -> tuple[int, ...]:
    """Read a coded ladder."""
    rungs = []
    while code:
        rungs.append((code & ((1 << RUNG_BITS) - 1)) - 1)
        code >>= RUNG_BITS
    return tuple(rungs)


def foresee_many(
    spread: Spread,
    rungs: Ints,
    baskets: Baskets,
    model: SensitivityModel,
    weights: Floats,
    cells: Ints,
    *,
    by_draw: bool,
) -> Floats:
    """Foresee what each triple's ladder earns (minor units) [P, 1], with the point estimate; `by_draw`: and with every
    posterior draw [P, 1 + M]. `rungs` [L, longest] are the ladders; one without rungs earns the base.
    """
    draws = model.table.shape[2] if by_draw else 1
    size = max(1, BLOCK_NUMBERS // (draws * len(model.walk)))
    blocks = np.array_split(np.arange(len(spread.row)), -(-len(spread.row) // size) or 1)
    return np.concatenate(
        [
            _foreseen(spread.row[block], rungs[spread.ladder[block]], baskets, model, weights, cells, draws)
            for block in blocks
        ]
    )


def accept_first(baskets: Baskets, model: SensitivityModel, weights: Floats) -> Floats:
    """Foresee how probably rung 1 is accepted [N], under the point estimate."""
    curve = _curves_at(model, baskets.depths[:, 0], draws=1)[:, :, 0]
    accepted: Floats = np.minimum((weights * curve).sum(axis=1), 1.0)
    return accepted


def given_refusal(
    foreseen: Floats, rows: Ints, baskets: Baskets, model: SensitivityModel, weights: Floats, cells: Ints
) -> Floats:
    """Turn what ladders at visits `rows` [P] are foreseen to earn [P, draw] into that once rung 1 was refused."""
    at, place = np.unique(rows, return_inverse=True)
    draws = foreseen.shape[1]
    believed = weights[at][:, :, None] * model.mix_ratio_table[cells[at], :, :draws]
    believed /= believed.sum(axis=1, keepdims=True)
    accepted = (believed * _curves_at(model, baskets.depths[at, 0], draws)).sum(axis=1)[place]
    accepted = np.minimum(accepted, MOST_ACCEPTED)
    earned = (baskets.profits[rows, 0] - baskets.offer_cost[rows])[:, None]
    given: Floats = (foreseen - accepted * earned) / (1.0 - accepted)
    return given


def between_knots(model: SensitivityModel, depths: Floats) -> tuple[Ints, Floats]:
    """Place depths between knots, the zero knot counted: right neighbours' indices, how far towards them."""
    at = depths * UNITS_PER_WHOLE
    known = np.array((0, *model.knots), dtype=np.float64)
    right = np.minimum(np.searchsorted(known[1:], at, side="left"), len(model.knots) - 1) + 1
    share = np.minimum((at - known[right - 1]) / (known[right] - known[right - 1]), 1.0)
    return right, share


def _one_by_one(
    baskets: Baskets, model: SensitivityModel, weights: Floats, cells: Ints, ladders: Ladders, rows: Ints
) -> Spread:
    spread = spread_of(_single(baskets, model, weights, cells, rows), ladders)
    return Spread(rows[spread.row], spread.ladder, spread.mass)


def _single(
    baskets: Baskets, model: SensitivityModel, weights: Floats, cells: Ints, rows: Ints
) -> Iterator[tuple[tuple[tuple[int, ...], float], ...]]:
    for row in rows.tolist():
        count = int(baskets.rungs[row])
        stakes = Stakes(
            tuple(baskets.depths[row, :count].tolist()),
            tuple(baskets.profits[row, :count].tolist()),
            float(baskets.base_profit[row]),
            float(baskets.base_total[row]),
        )
        belief = Belief(tuple(weights[row].tolist()), int(cells[row]))
        yield ladder_distribution(stakes, baskets.terms[row], model, belief)


def _chosen(
    baskets: Baskets,
    model: SensitivityModel,
    weights: Floats,
    cells: Ints,
    ladders: Ladders,
    rows: Ints,
    terms: Terms,
) -> Spread:
    """Count in how many draws each ladder wins, and mix in the floor."""
    floor = exploration_floor(terms, model)
    won = win_many(baskets, model, weights, cells, rows, terms)[:, 1:]
    per_win = (1.0 - floor) / won.shape[1]
    parts = [_wins(won[begin : begin + COUNTED], begin, ladders, per_win) for begin in range(0, len(won), COUNTED)]
    for ladder, share in named_ladders(int(baskets.rungs[rows[0]]), terms) if floor > 0.0 else ():
        number = np.full(len(rows), ladders.number(ladder))
        parts.append(Spread(np.arange(len(rows)), number, np.full(len(rows), floor * share)))
    return _merged(rows, joined(parts))


def _wins(won: Ints, begin: int, ladders: Ladders, per_win: float) -> Spread:
    """Sum up what each ladder's wins at each visit [B, draws] weigh; visits are numbered from `begin` on."""
    codes, place = np.unique(won, return_inverse=True)
    keys = place.reshape(won.shape) + len(codes) * np.arange(len(won))[:, None]
    wins = np.bincount(keys.reshape(-1), minlength=len(won) * len(codes))
    there = np.flatnonzero(wins)
    numbers = np.array([ladders.number(ladder_of(code)) for code in codes.tolist()], dtype=np.intp)
    mass = (wins[there] * per_win).astype(np.float64)
    return Spread(begin + there // len(codes), numbers[there % len(codes)], mass)


def _merged(rows: Ints, spread: Spread) -> Spread:
    """Sum the masses of equal ladders of a visit; `spread` numbers visits by their place in `rows`."""
    width = int(spread.ladder.max(initial=0)) + 1
    keys, where = np.unique(spread.row * width + spread.ladder, return_inverse=True)
    total = np.bincount(where.reshape(-1), spread.mass, len(keys))
    return Spread(rows[keys // width], keys % width, np.round(total, 12))


def _won(
    baskets: Baskets,
    model: SensitivityModel,
    weights: Floats,
    cells: Ints,
    rows: Ints,
    terms: Terms,
    count: int,
    longest: int,
) -> Ints:
    """Solve the dynamic program for a block of B visits; arrays are [B, rung, draw]."""
    depths, profits = baskets.depths[rows, :count], baskets.profits[rows, :count, None]
    base_total, base_profit = baskets.base_total[rows, None, None], baskets.base_profit[rows, None, None]
    phi, omega, settled = _moments(depths, longest, model, weights, cells)
    price = terms.refusal_price * base_total
    gains, to_base = profits - price, model.base_share_table
    earned = profits * (1.0 - to_base) + to_base * base_profit
    stop = [settled[0] * earned, *(each * (earned - price * (1.0 - to_base)) for each in settled[1:])]
    value, following = stop[-1], []
    for index in range(longest - 2, -1, -1):
        best, deeper = _best_after(phi[index] * gains + value, phi[index], gains, count if index else 1)
        best -= (omega[index][:, None] - phi[index][:, : best.shape[1]]) * terms.offer_cost + LEAST_GAIN * base_total
        stopping = stop[index][:, : best.shape[1]]
        is_better = best > stopping
        following.append(np.where(is_better, deeper, -1))
        value = np.where(is_better, best, stopping)
    return _walk_forward(following[::-1], len(rows), model.table.shape[2])


def _moments(
    depths: Floats, longest: int, model: SensitivityModel, weights: Floats, cells: Ints
) -> tuple[list[Floats], list[Floats], list[Floats]]:
    """Sum over segments: phi [B, rung, draw] and omega [B, draw] after n = 1 .. longest - 1 rungs, settled [B, rung,
    draw] after n = 1 .. longest. The belief of a draw is the point's, moved by how the draw sees the cell's mix."""
    moved = weights.T[:, :, None] * model.mix_ratio_table[cells].transpose(1, 0, 2)
    moved /= np.add.reduce(moved, axis=0)
    right, share = between_knots(model, depths)
    phi, omega, settled = [], [], []
    curves = [
        model.step_table[segment].take(right - 1, axis=0) * share[:, :, None]
        + model.table[segment].take(right - 1, axis=0)
        for segment in range(len(moved))
    ]
    for said in range(1, longest + 1):
        if said < longest:
            staying = moved * model.survival_table[:, None, said]
            phi.append(_sum_of_products(staying, curves))
            omega.append(np.add.reduce(staying, axis=0))
        keeping = moved * model.kept_table[:, None, said]
        settled.append(np.add.reduce(keeping, axis=0)[:, None] - _sum_of_products(keeping, curves))
    return phi, omega, settled


def _sum_of_products(shares: Floats, curves: list[Floats]) -> Floats:
    total: Floats = shares[0][:, None] * curves[0]
    for segment in range(1, len(curves)):
        total += shares[segment][:, None] * curves[segment]
    return total


def _best_after(going_on: Floats, phi: Floats, gains: Floats, lasts: int) -> tuple[Floats, Ints]:
    """Give what the best next rung earns and which it is [B, last rung, draw], the first of equal ones; -inf after
    the deepest. `lasts` bounds the last rungs that are asked for."""
    best = np.full((len(phi), lasts, phi.shape[2]), -np.inf)
    deeper = np.zeros(best.shape, dtype=np.intp)
    for following in range(1, gains.shape[1]):
        before = min(following, lasts)
        earned = going_on[:, following, None] - phi[:, :before] * gains[:, following, None]
        is_better = earned > best[:, :before]
        np.copyto(best[:, :before], earned, where=is_better)
        np.copyto(deeper[:, :before], following, where=is_better)
    return best, deeper


def _walk_forward(following: list[Ints], visits: int, draws: int) -> Ints:
    """Follow the best next rungs from rung 1 on; gives codes [B, draw]."""
    last, codes = np.zeros((visits, draws), dtype=np.intp), np.ones((visits, draws), dtype=np.int64)
    goes_on = np.ones((visits, draws), dtype=np.bool_)
    for said, table in enumerate(following, 1):
        chosen = np.take_along_axis(table, last[:, None], axis=1)[:, 0]
        goes_on &= chosen >= 0
        codes += np.where(goes_on, chosen + 1, 0) << (RUNG_BITS * said)
        last = np.where(goes_on, chosen, 0)
    return codes.astype(np.intp)


def _foreseen(
    rows: Ints, rungs: Ints, baskets: Baskets, model: SensitivityModel, weights: Floats, cells: Ints, draws: int
) -> Floats:
    """Foresee ladders `rungs` [B, longest] at visits `rows` [B]; arrays are [B, segment, draw]."""
    believed = weights[rows][:, :, None] * model.mix_ratio_table[cells[rows], :, :draws]
    believed /= believed.sum(axis=1, keepdims=True)
    staying, accepted = believed.copy(), np.zeros_like(believed)
    earned, spoken = np.zeros((len(rows), draws)), np.zeros((len(rows), draws))
    last = baskets.profits[rows, 0] if baskets.profits.shape[1] else np.zeros(len(rows))
    said = (rungs >= 0).sum(axis=1)
    survival, kept_after = _lasting(model, rungs.shape[1])
    for place in range(rungs.shape[1]):
        here = np.flatnonzero(said > place)
        rung = rungs[here, place]
        left, profit = staying[here], baskets.profits[rows[here], rung]
        curve = _curves_at(model, baskets.depths[rows[here], rung], draws)
        spoken[here] += (left * (1.0 - accepted[here])).sum(axis=1)
        earned[here] += profit[:, None] * (left * (curve - accepted[here])).sum(axis=1)
        accepted[here], last[here] = curve, profit
        staying[here] = believed[here] * survival[None, :, place + 1, :draws]
    kept = kept_after[:, :, :draws].transpose(1, 0, 2)[said]
    settled = (believed * kept * (1.0 - accepted)).sum(axis=1)
    to_base, base = model.base_share_table[:draws], baskets.base_profit[rows, None]
    ending = (1.0 - to_base) * last[:, None] + to_base * base
    foreseen: Floats = np.where(
        said[:, None] > 0, earned + settled * ending - baskets.offer_cost[rows, None] * spoken, base
    )
    return foreseen


def _lasting(model: SensitivityModel, longest: int) -> tuple[Floats, Floats]:
    """Give the chances to stay through n refusals, and to buy all the same when we then stop [S, n, 1 + M], up to
    n = `longest`: the model's own tables end where events do, and a house's hold-out ladder may be longer."""
    survival, kept = model.survival_table, model.kept_table
    if longest < survival.shape[1]:
        return survival, kept
    stay = survival[:, 1:2].repeat(longest, axis=1)
    survival = np.multiply.accumulate(np.concatenate([survival[:, :1], stay], axis=1), axis=1)
    return survival, survival * kept[:, :1]


def _curves_at(model: SensitivityModel, depths: Floats, draws: int) -> Floats:
    """Read curves [B, segment, draw] at depths [B]."""
    right, share = between_knots(model, depths)
    curve: Floats = model.table[:, right - 1, :draws] + share[None, :, None] * model.step_table[:, right - 1, :draws]
    return curve.transpose(1, 0, 2)
