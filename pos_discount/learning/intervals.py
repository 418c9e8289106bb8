"""How far a segment's curve is known: what people are shown as its 95 % interval.

The draws that are served are narrower on purpose, as exploring by them pays only for a while; an interval that
somebody reads must be as wide as ignorance is. What was seen of a curve are masses of intervals between rungs, and
how a mass lies inside its interval is known from the prior alone: so the observed information is used, in which each
event counts for the sum that it saw, and nothing for its parts. Which segment a visit belonged to is taken as known.
Source: Louis (1982), for what EM's missing data leave of the information.
"""

import numpy as np

from pos_discount.arrays import Floats
from pos_discount.learning.mixture import Strengths, Sums, Tables, masses_seen

SMALLEST_SHARE = 1e-4
TWO_SIDED_95 = 1.959964


def curve_deviations(sums: Sums, tables: Tables, shared: Tables, strengths: Strengths, noise: float) -> Floats:
    """Give the standard deviation of each latent segment's curve at each knot [S, K]."""
    inside, seen, masses = masses_seen(sums, tables, noise)
    to_masses = np.eye(inside.shape[1], inside.shape[1] - 1)  # from a curve's points to the masses between them
    to_masses -= np.eye(*to_masses.shape, k=-1)
    assumed = strengths.curve * np.broadcast_to(shared.masses, tables.masses.shape)
    deviations = []
    for seen_here, masses_here, own, prior in zip(seen, masses, tables.masses, assumed, strict=True):
        weight = seen_here / np.maximum(masses_here, SMALLEST_SHARE) ** 2
        known = (inside.T * weight) @ inside
        known += np.diag(np.maximum(prior, SMALLEST_SHARE) / np.maximum(own, SMALLEST_SHARE) ** 2)
        spread = np.linalg.inv(to_masses.T @ known @ to_masses)
        deviations.append(np.sqrt(np.maximum(np.diag(spread), 0.0)))
    return np.array(deviations)


def curve_interval(curve: Floats, deviation: Floats) -> tuple[Floats, Floats]:
    """Give a curve's 95 % interval at each knot, within 0 to 1, neither bound ever falling."""
    inner = np.clip(curve, SMALLEST_SHARE, 1.0 - SMALLEST_SHARE)
    odds, width = np.log(inner / (1.0 - inner)), TWO_SIDED_95 * deviation / (inner * (1.0 - inner))
    low, high = (1.0 / (1.0 + np.exp(-np.clip(odds + side * width, -50.0, 50.0))) for side in (-1.0, 1.0))
    low, high = np.maximum.accumulate(low), np.minimum.accumulate(high[::-1])[::-1]
    return np.minimum(low, curve), np.maximum(high, curve)
