"""The sensitivity that is served: tables of a mixture of behavioural segments, and the belief about one customer.

Segment s has a curve F_s (the share of its customers who settle for a depth or less), a hazard `walk` of leaving
after a refusal and a chance `loss` that the sale is lost when we stop. Cells give the mix of segments that a visit's
behaviour suggests; a customer's own events sharpen it. Everything is plain arrays: no learner is needed to serve.
Beside the point estimate lie draws from its posterior, made when the model was: the ladder's choice explores by them.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
import numpy as np

from pos_discount.arrays import Floats
from pos_discount.sensitivity.events import KNOTS, MOST_REFUSALS, UNITS_PER_WHOLE, Event, EventCounts
from pos_discount.sensitivity.features import Behaviour, bin_behaviour, describe_bins

LEAST_LIKELIHOOD = 1e-9


class CellTree(msgspec.Struct, frozen=True):
    """A shallow tree over binned features; node i sends bins above `threshold[i]` to `right[i]`, others to `left[i]`.

    A leaf has feature -1 and its cell in `cell[i]`. Node 0 is the root.
    """

    feature: tuple[int, ...] = (-1,)
    threshold: tuple[int, ...] = (0,)
    left: tuple[int, ...] = (0,)
    right: tuple[int, ...] = (0,)
    cell: tuple[int, ...] = (0,)

    def cell_of(self, bins: Sequence[int]) -> int:
        """Give the cell of binned features (as made by `bin_behaviour`)."""
        node = 0
        while self.feature[node] >= 0:
            is_above = bins[self.feature[node]] > self.threshold[node]
            node = self.right[node] if is_above else self.left[node]
        return self.cell[node]

    def rules(self) -> tuple[str, ...]:
        """Describe every cell in words, by cell."""
        sentence_by_cell: dict[int, str] = {}
        stack: list[tuple[int, dict[int, tuple[int, int | None]]]] = [(0, {})]
        while stack:
            node, bounds = stack.pop()
            feature = self.feature[node]
            if feature < 0:
                sentence_by_cell[self.cell[node]] = _sentence(bounds)
                continue
            above, up_to = bounds.get(feature, (-1, None))
            stack.append((self.left[node], {**bounds, feature: (above, self.threshold[node])}))
            stack.append((self.right[node], {**bounds, feature: (self.threshold[node], up_to)}))
        return tuple(sentence_by_cell[cell] for cell in sorted(sentence_by_cell))


class Segment(msgspec.Struct, frozen=True):
    """A segment as people read it: its rule in words, its share of visits, and its curve with 95 % intervals.

    `curve`, `curve_low` and `curve_high` give the share who settle for a depth or less at each of the model's knots.
    """

    segment_id: str
    name: str
    rule: str
    share: float
    curve: tuple[float, ...]
    curve_low: tuple[float, ...]
    curve_high: tuple[float, ...]
    walk: float
    loss: float


class ModelCard(msgspec.Struct, frozen=True):
    """Where a model comes from and what it may claim; `effective_samples` counts the visits that taught it."""

    kind: str
    effective_samples: float = 0.0
    customers: int = 0
    nights: int = 0
    fitted_until: str | None = None
    held_out_log_likelihood: float | None = None
    calibration_error: float | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SensitivityModel:
    """The served tables: S segments, K knots, M posterior draws, C cells.

    `curves` [S, K], `walk` [S], `loss` [S], `mixes` [C, S]; the same with a leading M for `draw_...`; `base_share`
    is the share of those who settle when we stop and pay the base rather than the last rung said. `noise` is the
    share of outcomes that are taken to say nothing (misreported). `segment_of` [S] gives the segment that people
    read for each latent one. The rest is derived, in the layout that decisions want: `grid_rows` the curves at each
    quarter point by segment, as are `stay_rates` and `keep_rates`; the curves' 1 + K pieces from the zero knot on, the
    last flat, as `table` [S, 1 + K, 1 + M] where they start, `step_table` what they gain, point estimate and draws, and
    as plain `piece_starts`, `piece_widths` and `point_pieces` (start and gain by piece and segment) the point's;
    `refusal_lines` [2, S, 1 + K, 1 + M] one less the curves as lines in the depth (a share of the base), the pieces
    parted at `line_ends` [K]; `survival_table` [S, n, 1 + M] the chance to stay through n refusals, `kept_table` to
    buy all the same when we then stop, `fate_table` [1 + M, fate, S] both by turns from n = 1 on; `mix_ratio_table`
    is [C, S, 1 + M].
    """

    curves: Floats
    walk: Floats
    loss: Floats
    mixes: Floats
    draw_curves: Floats
    draw_walk: Floats
    draw_loss: Floats
    draw_mixes: Floats
    draw_base_share: Floats
    base_share: float
    tree: CellTree
    segments: tuple[Segment, ...]
    segment_of: tuple[int, ...]
    card: ModelCard
    noise: float = 0.003
    knots: tuple[int, ...] = KNOTS
    grid_rows: tuple[tuple[float, ...], ...] = field(init=False)
    piece_starts: tuple[float, ...] = field(init=False)
    piece_widths: tuple[float, ...] = field(init=False)
    point_pieces: tuple[tuple[tuple[float, float], ...], ...] = field(init=False)
    stay_rates: tuple[float, ...] = field(init=False)
    keep_rates: tuple[float, ...] = field(init=False)
    table: Floats = field(init=False)
    step_table: Floats = field(init=False)
    survival_table: Floats = field(init=False)
    kept_table: Floats = field(init=False)
    fate_table: Floats = field(init=False)
    base_share_table: Floats = field(init=False)
    rung_share_table: Floats = field(init=False)
    refusal_lines: Floats = field(init=False)
    line_ends: Floats = field(init=False)
    mix_ratio_table: Floats = field(init=False)

    def __post_init__(self) -> None:
        """Derive what every decision would otherwise compute again, and make all arrays read-only."""
        curves = np.concatenate([self.curves[None], self.draw_curves]).transpose(1, 2, 0)
        knots, widths = (0.0, *map(float, self.knots)), (*np.diff((0.0, *self.knots)).tolist(), math.inf)
        table, steps = _pieces(curves)
        base_share = np.concatenate([[self.base_share], self.draw_base_share])
        ratio = np.concatenate([np.ones((1, *self.mixes.shape)), self.draw_mixes / self.mixes])
        survival = _survival(1.0 - np.concatenate([self.walk[None], self.draw_walk]).T)
        kept = survival * (1.0 - np.concatenate([self.loss[None], self.draw_loss]).T)[:, None]
        self._derive(
            piece_starts=knots,
            piece_widths=widths,
            point_pieces=tuple(
                tuple(zip(starts, gains, strict=True))
                for starts, gains in zip(table[:, :, 0].T.tolist(), steps[:, :, 0].T.tolist(), strict=True)
            ),
            stay_rates=tuple((1.0 - self.walk).tolist()),
            keep_rates=tuple((1.0 - self.loss).tolist()),
            grid_rows=tuple(tuple(row) for row in curves_on_grid(self.curves, self.knots).tolist()),
            table=table,
            step_table=steps,
            survival_table=survival,
            kept_table=kept,
            fate_table=np.stack([kept[:, 1:], survival[:, 1:]], axis=2).reshape(len(curves), -1, curves.shape[2]).T,
            base_share_table=base_share,
            rung_share_table=1.0 - base_share,
            refusal_lines=_refusal_lines(table, steps, np.array(knots), np.array(widths)),
            line_ends=np.array(knots[1:]) / UNITS_PER_WHOLE,
            mix_ratio_table=ratio.transpose(1, 2, 0),
        )

    def _derive(self, **derived: Any) -> None:
        for name, value in derived.items():
            object.__setattr__(self, name, np.ascontiguousarray(value) if isinstance(value, np.ndarray) else value)
        for name in self.__slots__:
            value = getattr(self, name)
            if isinstance(value, np.ndarray):
                value.flags.writeable = False


class Belief(msgspec.Struct, frozen=True):
    """What is believed of one customer on one visit: the weight of each latent segment, and the visit's cell."""

    weights: tuple[float, ...]
    cell: int


def believe(model: SensitivityModel, behaviour: Behaviour, own_events: EventCounts = ()) -> Belief:
    """Weigh the segments for a customer: softmax of log mix of this visit's cell plus own events' log likelihood.

    Anonymous and new customers have their cell's mix. Weights are rounded to ten digits, so that a decision replays
    to the same bytes where a platform's logarithm differs in its last bit.
    """
    cell = model.tree.cell_of(bin_behaviour(behaviour))
    mix = model.mixes[cell]
    if not own_events:
        return Belief(_rounded(mix.tolist()), cell)
    scores = [math.log(share) for share in mix.tolist()]
    for event, count in own_events:
        for latent, likelihood in enumerate(event_likelihoods(model, event)):
            scores[latent] += count * math.log(likelihood)
    top = max(scores)
    raised = [math.exp(score - top) for score in scores]
    total = sum(raised)
    return Belief(_rounded(value / total for value in raised), cell)


def event_likelihoods(model: SensitivityModel, event: Event) -> list[float]:
    """Give the likelihood of an event in each segment, tempered by the model's `noise`."""
    plain = [
        event_likelihood(event, row, walk, loss, model.base_share)
        for row, walk, loss in zip(model.grid_rows, model.walk.tolist(), model.loss.tolist(), strict=True)
    ]
    mean = sum(plain) / len(plain)
    return [(1.0 - model.noise) * likelihood + model.noise * mean for likelihood in plain]


def event_likelihood(event: Event, grid: Sequence[float], walk: float, loss: float, base_share: float) -> float:
    """Give the likelihood of an event under a curve on the quarter-point grid (0 .. the last knot) and rates."""
    top, stay = len(grid) - 1, 1.0 - walk
    refused = 1.0 - grid[min(event.lo, top)]
    if event.exit == "walked":
        likelihood = refused * walk * stay**event.n
    elif event.exit == "left":
        likelihood = refused * stay ** (event.n - 1) * (walk + stay * loss)
    elif event.exit in ("settled", "base"):
        share = base_share if event.exit == "base" else 1.0 - base_share
        likelihood = refused * stay**event.n * (1.0 - loss) * share
    else:
        reached = 1.0 - grid[top if event.hi is None else min(event.hi, top)]
        likelihood = (refused - reached) * stay**event.n
        if event.exit == "accepted_or_settled":
            likelihood += (1.0 - base_share) * reached * stay ** (event.n + 1) * (1.0 - loss)
    return max(likelihood, LEAST_LIKELIHOOD)


def curves_on_grid(curves: Floats, knots: Sequence[int] = KNOTS) -> Floats:
    """Read curves [S, K] at every quarter point [S, 0 .. last knot]."""
    at, known = np.arange(knots[-1] + 1), (0, *knots)
    return np.stack([np.interp(at, known, (0.0, *curve)) for curve in curves])


def segment_of_belief(model: SensitivityModel, belief: Belief) -> Segment | None:
    """Name the segment that a customer most probably belongs to, or None where the model knows no segments."""
    if not model.segments:
        return None
    weights = [0.0] * len(model.segments)
    for latent, weight in enumerate(belief.weights):
        weights[model.segment_of[latent]] += weight
    return model.segments[weights.index(max(weights))]


def _pieces(curves: Floats) -> tuple[Floats, Floats]:
    """Cut curves [S, K, 1 + M] at their knots into pieces: where each starts and what it gains [S, 1 + K, 1 + M].

    The first starts from nothing at the zero knot, the last is flat.
    """
    steps = np.diff(curves, axis=1, prepend=0.0)
    starts = np.concatenate([np.zeros_like(curves[:, :1]), curves], axis=1)
    starts[:, -1] = starts[:, -2] + steps[:, -1]  # to the last bit where the piece before ends
    return starts, np.concatenate([steps, np.zeros_like(curves[:, :1])], axis=1)


def _refusal_lines(table: Floats, steps: Floats, knots: Floats, widths: Floats) -> Floats:
    """Write the share who want more than a depth as a line in it, by piece: where it meets depth 0, and its slope."""
    slopes = -steps / widths[:, None] * UNITS_PER_WHOLE
    return np.stack([1.0 - table - slopes * (knots / UNITS_PER_WHOLE)[:, None], slopes])


def _survival(stay: Floats) -> Floats:
    powers = [np.ones_like(stay)]
    for _ in range(MOST_REFUSALS):
        powers.append(powers[-1] * stay)
    return np.stack(powers, axis=1)


def _sentence(bounds: dict[int, tuple[int, int | None]]) -> str:
    if not bounds:
        return "everybody"
    return ", and ".join(describe_bins(feature, above, up_to) for feature, (above, up_to) in sorted(bounds.items()))


def _rounded(values: Iterable[float]) -> tuple[float, ...]:
    return tuple(round(value, 10) for value in values)
