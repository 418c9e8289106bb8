"""Behaviour of many visits, binned at once as `bin_behaviour` bins one.

Hides that unknown values become the bin 0 and that edges are looked up column by column.
"""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from pos_discount.sensitivity import FEATURE_RULES, Behaviour

Bins = NDArray[np.int8]


def bins_of(behaviours: Sequence[Behaviour]) -> Bins:
    """Give every feature's bin [N, features], in the order of FEATURE_RULES: 0 unknown, 1 below the first edge."""
    told = [msgspec.structs.astuple(behaviour) for behaviour in behaviours]
    seen = np.array(told, dtype=np.float64).reshape(len(told), len(FEATURE_RULES))  # None becomes NaN
    bins = np.zeros(seen.shape, dtype=np.int8)
    for column, rule in enumerate(FEATURE_RULES):
        values = seen[:, column]
        is_known = ~np.isnan(values)
        bins[is_known, column] = 1 + np.searchsorted(rule.edges, values[is_known], side="right")
    return bins
