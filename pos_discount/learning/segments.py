"""Segments for people: the same name from night to night, one name for what acts alike, words instead of numbers.

Latent segments come out of EM in any order; here they are matched to yesterday's, merged where their best ladders
agree, and described by what they do.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from pos_discount.arrays import Floats
from pos_discount.learning.checkouts import baskets_of
from pos_discount.learning.intervals import curve_interval
from pos_discount.learning.mixture import Tables
from pos_discount.learning.weighing import ladder_of, win_many
from pos_discount.sensitivity import CellTree, Segment, SensitivityModel, Stakes, Terms
from pos_discount.sensitivity.ladder import MOST_WEIGHED

ALIKE = 0.95
FAR = 0.35
"""Segments further apart than this (mean gap of curves, plus gaps of rates) are not the same one grown older."""


def align_to(before: Tables | None, labels: Sequence[int], after: Tables) -> tuple[tuple[int, ...], int]:
    """Give each new segment yesterday's label, or a fresh one where none is near; and how many were carried over."""
    fresh = max(labels, default=0) + 1
    count = len(after.walk)
    if before is None:
        return tuple(range(1, count + 1)), 0
    gaps = _gaps(before, after)
    old, new = linear_sum_assignment(gaps)
    label_by_new = {int(n): labels[int(o)] for o, n in zip(old, new, strict=True) if gaps[o, n] < FAR}
    aligned = []
    for segment in range(count):
        if segment not in label_by_new:
            label_by_new[segment], fresh = fresh, fresh + 1
        aligned.append(label_by_new[segment])
    return tuple(aligned), sum(label in labels for label in aligned)


class Sample(NamedTuple):
    """Baskets on which segments are compared, and the terms under which ladders are named on them."""

    stakes: tuple[Stakes, ...]
    terms: Terms


def merge_alike(model: SensitivityModel, sample: Sample) -> tuple[int, ...]:
    """Give each latent segment the first one whose best ladders agree with its own on ALIKE of the sample."""
    count = len(model.walk)
    weighed = [stakes for stakes in sample.stakes if len(stakes.depths) <= MOST_WEIGHED]
    if not weighed:
        return tuple(range(count))
    ladders = [_best_ladders(model, segment, weighed, sample.terms) for segment in range(count)]
    leader: list[int] = []
    for segment, own in enumerate(ladders):
        alike = (other for other in dict.fromkeys(leader) if _agreement(ladders[other], own) > ALIKE)
        leader.append(next(alike, segment))
    return tuple(leader)


def describe_segments(
    model: SensitivityModel, labels: Sequence[int], leaders: Sequence[int], shares: Floats, deviations: Floats
) -> tuple[tuple[Segment, ...], tuple[int, ...]]:
    """Describe the merged segments, and say for each latent one which it belongs to; `deviations` are its curve's."""
    order = sorted(set(leaders), key=lambda leader: -sum(shares[s] for s, own in enumerate(leaders) if own == leader))
    names: list[str] = []
    segments = []
    for leader in order:
        members = [s for s, own in enumerate(leaders) if own == leader]
        label = min(labels[s] for s in members)
        segments.append(_described(model, members, label, shares, deviations[members], names))
        names.append(segments[-1].name)
    return tuple(segments), tuple(order.index(leader) for leader in leaders)


def _described(
    model: SensitivityModel, members: list[int], label: int, shares: Floats, deviations: Floats, taken: list[str]
) -> Segment:
    weight = shares[members] / max(float(shares[members].sum()), 1e-12)
    curve = weight @ model.curves[members]
    low, high = curve_interval(curve, np.sqrt(weight**2 @ deviations**2))
    walk, loss = float(weight @ model.walk[members]), float(weight @ model.loss[members])
    name = _name(curve, walk, loss)
    return Segment(
        segment_id=f"s{label}",
        name=name if name not in taken else f"{name} ({label})",
        rule=_rule(model.tree, model.mixes[:, members].sum(axis=1), float(shares[members].sum())),
        share=round(float(shares[members].sum()), 4),
        curve=_rounded(curve),
        curve_low=_rounded(low),
        curve_high=_rounded(high),
        walk=round(walk, 4),
        loss=round(loss, 4),
    )


def _name(curve: Floats, walk: float, loss: float) -> str:
    """Name a segment by what it does: at 3 %, at 10 %, when refused, when we stop."""
    small, middle = float(curve[3]), float(curve[6])
    if walk > 0.3:
        return "hurried"
    if small >= 0.6:
        return "content with the first word"
    if middle >= 0.5:
        return "moderate"
    return "bluffers" if loss < 0.25 else "deal-hunters"


def _rule(tree: CellTree, share_by_cell: Floats, share: float) -> str:
    """Say where the segment is met: the cell in which it is most over-represented."""
    if len(share_by_cell) < 2:
        return "everybody"
    cell = int(share_by_cell.argmax())
    return f"{tree.rules()[cell]}: {share_by_cell[cell]:.0%} of these visits, {share:.0%} of all"


def _best_ladders(
    model: SensitivityModel, segment: int, sample: Sequence[Stakes], terms: Terms
) -> list[tuple[int, ...]]:
    """Give the point estimate's best ladder of each basket, were everybody in one segment."""
    baskets, rows = baskets_of(sample, [terms] * len(sample)), np.arange(len(sample))
    weights = np.tile(np.eye(len(model.walk))[segment], (len(sample), 1))
    ladders: list[tuple[int, ...]] = [()] * len(sample)
    for kind in np.unique(baskets.kind).tolist():
        here = rows[baskets.kind == kind]
        codes = win_many(baskets, model, weights, np.zeros(len(sample), dtype=np.intp), here, terms)[:, 0]
        for row, code in zip(here.tolist(), codes.tolist(), strict=True):
            ladders[row] = ladder_of(code)
    return ladders


def _agreement(one: list[tuple[int, ...]], other: list[tuple[int, ...]]) -> float:
    return sum(a == b for a, b in zip(one, other, strict=True)) / len(one)


def _gaps(before: Tables, after: Tables) -> Floats:
    curves = np.abs(before.masses.cumsum(axis=1)[:, None] - after.masses.cumsum(axis=1)[None]).mean(axis=2)
    walks = np.abs(before.walk[:, None] - after.walk[None])
    losses = np.abs(before.loss[:, None] - after.loss[None])
    gaps: Floats = curves + 0.5 * (walks + losses)
    return gaps


def _rounded(values: Floats) -> tuple[float, ...]:
    return tuple(round(float(value), 4) for value in values)
