"""What a fit is asked for, and what one night hands to the next."""

from dataclasses import dataclass, field
from typing import NamedTuple

from pos_discount.learning.cells import CellLimits
from pos_discount.learning.mixture import Strengths, Sums, Tables
from pos_discount.sensitivity import CellTree, SensitivityModel


@dataclass(frozen=True, slots=True)
class FitOptions:
    """How the fit goes about it.

    `segments` are the numbers tried once there are `young_until` visits; before, the prior's segments are sharpened,
    each shrunk to what was assumed of it with `young_strengths`. `noise` is the share of outcomes taken to say nothing.
    `draws` posterior draws are served; `draw_weight` is what a visit weighs in them: above 1, exploration by draws
    narrows faster than the posterior, which pays because the floor explores as well.
    """

    segments: tuple[int, ...] = (5, 6, 7)
    young_until: float = 20_000.0
    young_strengths: Strengths = field(default_factory=lambda: Strengths(20.0, 20.0, 6.0))
    draws: int = 32
    noise: float = 0.003
    draw_weight: float = 12.0
    iterations: int = 60
    nightly_iterations: int = 10
    restarts: int = 3
    anew_after_growth: float = 1.3
    anew_after_nights: int = 7
    limits: CellLimits = field(default_factory=CellLimits)


class Learned(NamedTuple):
    """What a night learned: tables by segment, in the order of their `labels`, and the `sums` over all owners under
    them; `shared` is what they are shrunk to, by `strengths`."""

    tables: Tables
    tree: CellTree
    shared: Tables
    strengths: Strengths
    sums: Sums
    labels: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """What one night hands to the next: tables, cells, EM's sums, labels that persist, and the model that is served."""

    tables: Tables
    tree: CellTree
    strengths: Strengths
    sums: Sums
    labels: tuple[int, ...]
    nights: int
    anew_at_night: int
    anew_at_visits: float
    held_out_log_likelihood: float | None
    model: SensitivityModel
