"""Whether tables that were read fit together, so that whatever serves can be served to the end.

A digest says that bytes are as they were written, not that who wrote them was right: tables of other shapes would fail
a decision or, worse, decide. Everything that deciding takes for granted is looked at here, once, when a model is read.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from pos_discount.arrays import Floats
from pos_discount.sensitivity.features import FEATURE_RULES
from pos_discount.sensitivity.model import CellTree, Segment

SLACK = 1e-6


def find_unsound(tables: Mapping[str, Floats], knots: int, tree: CellTree, rates: Mapping[str, float]) -> str | None:
    """Say what is wrong with a model's tables, its tree or its plain rates (`base_share`, `noise`); None: nothing."""
    found = _of_shapes(tables, knots) or _of_numbers(tables) or _of_tree(tree, len(tables["mixes"]))
    wrong = (f"{name} is {rate:g}, not within 0 to 1" for name, rate in rates.items() if not 0.0 <= rate <= 1.0)
    return found or next(wrong, None)


def find_unsound_segments(
    segments: Sequence[Segment], segment_of: Sequence[int], latent: int, knots: int
) -> str | None:
    """Say what is wrong with the segments that people read, of so many `latent` ones; None: nothing."""
    if len(segment_of) != latent or (segments and not all(0 <= place < len(segments) for place in segment_of)):
        return f"it does not say to which of {len(segments)} segments each of {latent} latent ones belongs"
    curves = (curve for each in segments for curve in (each.curve, each.curve_low, each.curve_high))
    return None if all(len(curve) == knots for curve in curves) else "a segment's curve has not one share for each knot"


def _of_shapes(tables: Mapping[str, Floats], knots: int) -> str | None:
    """Compare all shapes with what the segments, the cells and the draws come to."""
    latent, draws = (tables[name].shape[:1] for name in ("walk", "draw_base_share"))
    point = {"curves": (*latent, knots), "walk": latent, "loss": latent, "mixes": (*tables["mixes"].shape[:1], *latent)}
    shapes = point | {f"draw_{name}": (*draws, *shape) for name, shape in point.items()} | {"draw_base_share": draws}
    for name, shape in shapes.items():
        if tables[name].shape != shape or 0 in shape:
            return f"table '{name}' is {tables[name].shape}, where {shape} and none empty was expected"
    return None


def _of_numbers(tables: Mapping[str, Floats]) -> str | None:
    """Look for what is no share, for curves that fall and for segments that are nowhere met."""
    for name, table in tables.items():
        if not ((table >= -SLACK) & (table <= 1.0 + SLACK)).all():  # NaN is neither
            return f"table '{name}' holds what is no share from 0 to 1"
        if name.endswith("curves") and (np.diff(table, axis=-1) < -SLACK).any():
            return f"a curve of table '{name}' falls"
        if name.endswith("mixes") and not (table > 0.0).all():
            return f"table '{name}' holds a mix without one of the segments"
    return None


def _of_tree(tree: CellTree, cells: int) -> str | None:
    """Walk no node twice: children lie beyond their parent, so that every way ends at a leaf of a known cell."""
    return next(_wrong_nodes(tree, cells), None)


def _wrong_nodes(tree: CellTree, cells: int) -> Iterator[str]:
    count = len(tree.feature)
    if not count or {len(column) for column in (tree.threshold, tree.left, tree.right, tree.cell)} != {count}:
        yield "the tree of cells has columns of unlike lengths, or none"
        return
    for node, feature in enumerate(tree.feature):
        is_leaf = feature < 0
        if is_leaf and not 0 <= tree.cell[node] < cells:
            yield f"the tree's node {node} leads to a cell that has no mix"
        if not is_leaf and feature >= len(FEATURE_RULES):
            yield f"the tree's node {node} asks for a feature that there is not"
        if not is_leaf and not all(node < child < count for child in (tree.left[node], tree.right[node])):
            yield f"the tree's node {node} leads back or nowhere"
