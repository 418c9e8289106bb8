"""Shoppers and worlds by which learning is judged; `simulate` plays one world and measures it."""

from pos_discount.simulation.measures import Measures, measure
from pos_discount.simulation.play import Course, Seller, play_world
from pos_discount.simulation.sellers import FixedSeller, LearningSeller, RandomSeller
from pos_discount.simulation.simulate import Simulated, simulate
from pos_discount.simulation.worlds import PLANS, World, WorldPlan, draw_world, plan_named

__all__ = [
    "PLANS",
    "Course",
    "FixedSeller",
    "LearningSeller",
    "Measures",
    "RandomSeller",
    "Seller",
    "Simulated",
    "World",
    "WorldPlan",
    "draw_world",
    "measure",
    "plan_named",
    "play_world",
    "simulate",
]
