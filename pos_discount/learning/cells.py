"""Cells: a shallow tree over binned behaviour, grown where a split changes how people behave at the till.

A split is judged by what the censored likelihood gains when both sides have their own mix of segments, against the
same gain with the features shuffled, and needs enough visits on both sides: "united by a factor that changes
behaviour". Screening uses one EM step for the mixes, so that all splits of a leaf cost one pass over its owners.
Source: tree-structured mixtures with permutation tests (Hothorn, Hornik and Zeileis 2006).
"""

from dataclasses import dataclass

import numpy as np

from pos_discount.arrays import Bools, Floats, Ints
from pos_discount.learning.evidence import Bins
from pos_discount.sensitivity import CellTree


@dataclass(frozen=True, slots=True)
class CellLimits:
    """How far the tree may grow: depth, cells, visits in a cell; the permutation test's size, the rows it looks at."""

    depth: int = 4
    cells: int = 16
    visits: float = 150.0
    permutations: int = 19
    rows: int = 20_000


@dataclass(frozen=True, slots=True, eq=False)
class _Split:
    gain: float
    feature: int
    threshold: int


def grow_cells(
    bins: Bins, weight: Floats, visits: Floats, likelihood: Floats, mix: Floats, limits: CellLimits, seed: int
) -> CellTree:
    """Grow the tree for owners with `bins` [O, features], `weight` [O], `visits` [O], `likelihood` [O, S] under
    each segment (any scale per owner), from the global `mix` [S].
    """
    dice = np.random.default_rng(seed)
    bins, visits, likelihood = _one_row_each(bins, weight, visits, likelihood, limits.rows, dice)
    nodes: list[list[int]] = [[-1, 0, 0, 0, 0]]
    queue: list[tuple[int, int, Bools]] = [(0, 0, np.ones(len(bins), dtype=np.bool_))]
    leaves = 1
    while queue:
        node, depth, here = queue.pop(0)
        split = None
        if depth < limits.depth and leaves < limits.cells:
            split = _accepted_split(bins[here], visits[here], likelihood[here], mix, limits, dice)
        if split is None:
            continue
        is_above = bins[:, split.feature] > split.threshold
        nodes[node][:4] = [split.feature, split.threshold, len(nodes), len(nodes) + 1]
        for side in (here & ~is_above, here & is_above):
            queue.append((len(nodes), depth + 1, side))
            nodes.append([-1, 0, 0, 0, 0])
        leaves += 1
    return _numbered(nodes)


def cells_of(tree: CellTree, bins: Bins) -> Ints:
    """Give each owner's cell [O]."""
    feature, threshold, left, right, cell = (np.array(column, dtype=np.intp) for column in _columns(tree))
    owners, node = np.arange(len(bins)), np.zeros(len(bins), dtype=np.intp)
    while (feature[node] >= 0).any():
        is_above = bins[owners, feature[node]] > threshold[node]
        node = np.where(feature[node] < 0, node, np.where(is_above, right[node], left[node]))
    return cell[node]


def _columns(tree: CellTree) -> tuple[tuple[int, ...], ...]:
    return tree.feature, tree.threshold, tree.left, tree.right, tree.cell


def _one_row_each(
    bins: Bins, weight: Floats, visits: Floats, likelihood: Floats, rows: int, dice: np.random.Generator
) -> tuple[Bins, Floats, Floats]:
    """Repeat owners that stand for many visits, one row for each, so that shuffling shuffles visits; at most `rows`."""
    chosen = np.repeat(np.arange(len(weight)), np.maximum(np.rint(weight), 1).astype(np.intp))
    each = visits / np.maximum(np.rint(weight), 1)
    thinned = 1.0
    if len(chosen) > rows:
        thinned = len(chosen) / rows
        chosen = np.sort(dice.choice(chosen, rows, replace=False))
    return bins[chosen], each[chosen] * thinned, likelihood[chosen]


def _accepted_split(
    bins: Bins,
    visits: Floats,
    likelihood: Floats,
    mix: Floats,
    limits: CellLimits,
    dice: np.random.Generator,
) -> _Split | None:
    here = _own_mix(likelihood, mix)
    weights = likelihood * here
    weights /= weights.sum(axis=1, keepdims=True)
    best = _best_split(bins, weights, visits, here, limits)
    if best is None:
        return None
    beaten = 0
    for _ in range(limits.permutations):
        order = dice.permutation(len(bins))
        shuffled = _best_split(bins[order], weights, visits, here, limits)
        beaten += shuffled is not None and shuffled.gain >= best.gain
        if beaten + 1 > 0.05 * (limits.permutations + 1):
            return None
    return best


def _own_mix(likelihood: Floats, mix: Floats) -> Floats:
    """Estimate a leaf's own mix by a few EM steps, shrunk to the global one by ten visits."""
    here = mix
    for _ in range(10):
        weights = likelihood * here
        here = (1.0 / weights.sum(axis=1)) @ weights + 10.0 * mix
        here = here / here.sum()
    return here


def _best_split(bins: Bins, weights: Floats, visits: Floats, mix: Floats, limits: CellLimits) -> _Split | None:
    """Find the split with the largest gain: what the expected segment counts tell the two sides apart."""
    best: _Split | None = None
    for feature in range(bins.shape[1]):
        column = bins[:, feature].astype(np.intp)
        top = int(column.max(initial=0)) + 1
        if top < 2:
            continue
        by_bin = np.stack([np.bincount(column, weights[:, s], top) for s in range(weights.shape[1])], axis=1)
        left, left_visits = by_bin.cumsum(axis=0)[:-1], np.bincount(column, visits, top).cumsum()
        right, right_visits = by_bin.sum(axis=0) - left, left_visits[-1] - left_visits[:-1]
        gains = _divergence(left, mix) + _divergence(right, mix) - _divergence(left[-1:] + right[-1:], mix)
        gains[(left_visits[:-1] < limits.visits) | (right_visits < limits.visits)] = -np.inf
        threshold = int(gains.argmax())
        if np.isfinite(gains[threshold]) and (best is None or gains[threshold] > best.gain):
            best = _Split(float(gains[threshold]), feature, threshold)
    return best


def _divergence(counts: Floats, mix: Floats) -> Floats:
    total = np.maximum(counts.sum(axis=1, keepdims=True), 1e-12)
    share = np.maximum(counts / total, 1e-12)
    divergence: Floats = (counts * np.log(share / mix)).sum(axis=1)
    return divergence


def _numbered(nodes: list[list[int]]) -> CellTree:
    """Number the leaves as cells, left to right."""
    leaves, stack = 0, [0]
    while stack:
        node = stack.pop()
        if nodes[node][0] < 0:
            nodes[node][4] = leaves
            leaves += 1
        else:
            stack.extend((nodes[node][3], nodes[node][2]))
    feature, threshold, left, right, cell = (tuple(column) for column in zip(*nodes, strict=True))
    return CellTree(feature, threshold, left, right, cell)
