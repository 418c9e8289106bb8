"""Play one world from its first checkout to its last, and say how learning fared beside the ways it must beat."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from pos_discount.learning import FitOptions
from pos_discount.learning.agreement import agreement_of
from pos_discount.sensitivity import Terms
from pos_discount.simulation.measures import Measures, fixed_profits, measure
from pos_discount.simulation.play import Course, Seller, play_world
from pos_discount.simulation.sellers import LearningSeller, name_of_ladder
from pos_discount.simulation.worlds import World, draw_world, plan_named

KNOWN_WELL = 8
"""Customers with at least this many visits are asked for, where segments are compared with types."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """One world and seed: measures of the learner, its Rand index against the types, the profit of rivals by name."""

    world: str
    seed: int
    ours: Measures
    rand_index: float | None
    rivals: tuple[tuple[str, float], ...]


def simulate(
    world_name: str,
    seed: int,
    *,
    checkouts: int | None = None,
    options: FitOptions | None = None,
    terms: Terms | None = None,
    on_night: Callable[[int], None] = lambda night: None,
) -> Simulated:
    """Play a world with the learner; `on_night` is told each night's number. Raises ValueError for an unknown world."""
    plan = plan_named(world_name)
    world = draw_world(replace(plan, checkouts=checkouts) if checkouts else plan, seed)
    seller = LearningSeller(world, terms, options, on_night)
    course = play_world(world, seller)
    return Simulated(
        world_name, seed, measure(world, course), rand_index(world, seller, course), _rivals(world, course)
    )


def profit_of(world: World, seller: Seller) -> float:
    """Play a world with any seller and give its profit per treated checkout, in minor units."""
    return measure(world, play_world(world, seller)).profit


def rand_index(world: World, seller: LearningSeller, course: Course) -> float | None:
    """Compare latent segments, before merging, with true types, over customers with KNOWN_WELL visits (or None)."""
    last_visit = {int(owner): visit for visit, owner in enumerate(world.customer.tolist()) if owner >= 0}
    owners, visits = np.unique(world.customer[world.customer >= 0], return_counts=True)
    well_known = owners[visits >= KNOWN_WELL].tolist()
    if len(well_known) < 2:
        return None
    found = [seller.latent_segment(owner, last_visit[owner]) for owner in well_known]
    true = [int(world.type_of_kind[course.kind[last_visit[owner]]]) for owner in well_known]
    return agreement_of(np.array(found), np.array(true))


def _rivals(world: World, course: Course) -> tuple[tuple[str, float], ...]:
    """Give what each fixed ladder, and a random one, would have earned on the same treated checkouts."""
    fixed = fixed_profits(world, course)[~course.is_holdout].mean(axis=0).tolist()
    named = [(name_of_ladder(ladder), profit) for ladder, profit in zip(world.odds.ladders, fixed, strict=True)]
    return (*sorted(named, key=lambda pair: -pair[1]), ("random", sum(fixed) / len(fixed)))
